/* What stands above the first record: see lead.c. */
#ifndef GENERATORS_CSV_PARSE_LEAD_H
#define GENERATORS_CSV_PARSE_LEAD_H

#include "csv/parse/parser.h"

/* Let the parser, whose decoder is open, pass over lines: `skip` as the user gave it, or NULL;
   `sep`: a first line such as "sep=;" gives the delimiter; `marked`: a byte order mark that is
   text is dropped.  0 or -1. */
int csv_lead_open(csv_parser *self, PyObject *skip, bool sep, bool marked);

/* Look at a line before the first record.  1 if it is the first of the records; 0 if it is
 * passed over; or -1. */
int csv_lead_take_line(csv_parser *self, generators_state *state, PyObject *line);

/* Pass over a line that need not be looked at.  Whether it was one. */
bool csv_lead_pass_unseen(csv_parser *self);

/* Whether the delimiter may come from a line "sep=;". */
bool csv_lead_gives_delimiter(const csv_parser *self);

/* Pass over nothing more. */
void csv_lead_end(csv_parser *self);

#endif
