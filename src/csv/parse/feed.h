/* Feeding a parser. */
#ifndef GENERATORS_CSV_PARSE_FEED_H
#define GENERATORS_CSV_PARSE_FEED_H

#include "csv/parse/parser.h"
#include "source/sink.h"

/* Every function returns 0, or -1 with an exception set.  A fault in the data is not raised,
   because the records before it come first; csv_parser_failed() reports it. */

/* Feed bytes cut anywhere, text cut anywhere, or one line of text. */
int csv_parser_feed_bytes(csv_parser *self, generators_state *state, const void *bytes,
                          size_t count);
int csv_parser_feed_text(csv_parser *self, generators_state *state, PyObject *text);
int csv_parser_feed_line(csv_parser *self, generators_state *state, PyObject *line);

/* Nothing more is fed. */
int csv_parser_finish(csv_parser *self, generators_state *state);

/* After the recovery from a fault, parse what was fed but not parsed because of the fault. */
int csv_parser_resume(csv_parser *self, generators_state *state);

/* The parser as the sink of a source. */
source_sink csv_parser_sink(csv_parser *self);

#endif
