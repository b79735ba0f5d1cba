/* Decoding of bytes that the parser does not read as they are. */
#ifndef GENERATORS_CSV_PARSE_DECODE_H
#define GENERATORS_CSV_PARSE_DECODE_H

#include "csv/parse/parser.h"
#include "source/head.h"

/* Make a parser that was just initialized read bytes of an encoding (a str).  0, or -1 with
   LookupError for an unknown encoding or error handler. */
int csv_parser_open_decoder(csv_parser *self, PyObject *encoding, const char *errors);

/* Find out whether the codec of a parser gives one character for each byte and is ASCII for
   those below 0x80, so that positions in its text are positions in the source.  Sets
   `single_byte` to the codec's name if so.  0 or -1. */
int csv_parser_find_bytes(csv_parser *self, generators_state *state);

/* Check the first bytes of the source.  0, or -1 with CSVError if they are not text of the
   encoding. */
int csv_parser_check_head(csv_parser *self, generators_state *state, const uint8_t *bytes,
                          size_t count);

/* Decode exact bytes, which may be cut anywhere, and parse the text.  `final`: these bytes are
   the last.  0 or -1. */
int csv_parser_feed_undecoded(csv_parser *self, generators_state *state, PyObject *bytes,
                              bool final);

/* No more such bytes, or lines of bytes, follow.  0 or -1. */
int csv_parser_end_undecoded(csv_parser *self, generators_state *state);
int csv_parser_end_lines(csv_parser *self, generators_state *state);

/* Decode and parse the bytes after those that a codec rejected.  0 or -1. */
int csv_parser_feed_rest(csv_parser *self, generators_state *state);

/* Decode a line of exact bytes: a new reference to a str.  NULL with an exception set, or
   without one if the line can't be decoded; that is then a fault of the parser. */
PyObject *csv_parser_decode_line(csv_parser *self, generators_state *state, PyObject *line);

/* Encode `text` in the encoding of the source: bytes, or NULL. */
PyObject *csv_parser_encode(const csv_parser *self, PyObject *text);

#endif
