/* Between parser.c and decode.c, which are one thing in two files. */
#ifndef GENERATORS_CSV_PARSE_DECODE_H
#define GENERATORS_CSV_PARSE_DECODE_H

#include "csv/parse/parser.h"

#define CSV_HEAD 4 /* bytes that tell what a file is */

/* ---- decode.c ---- */

/* Find out how the parser reads the encoding.  0 or -1. */
int csv_parser_open_decoder(csv_parser *self, PyObject *encoding, const char *errors);

/* CSVError for a file that begins as no text of the encoding does.  0 or -1. */
int csv_parser_check_head(csv_parser *self, generators_state *state, const uint8_t *bytes,
                          size_t count);

/* What the decoder makes of the bytes: a new reference, or NULL. */
PyObject *csv_parser_call_decoder(csv_parser *self, generators_state *state, PyObject *bytes,
                                  bool final);

/* Bytes for the decoder, held back until they tell what they are.  0 or -1. */
int csv_parser_feed_undecoded(csv_parser *self, generators_state *state, PyObject *bytes,
                              bool final);

/* ---- parser.c ---- */

/* Set the machine up, unless it is. */
void csv_parser_start(csv_parser *self, generators_state *state, fields_mode mode);

/* Feed text cut anywhere.  0 or -1. */
int csv_parser_feed_units(csv_parser *self, generators_state *state, PyObject *text);

#endif
