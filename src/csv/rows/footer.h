/* Records held back because the last ones are a footer: see footer.c. */
#ifndef GENERATORS_CSV_ROWS_FOOTER_H
#define GENERATORS_CSV_ROWS_FOOTER_H

#include "csv/rows/state.h"

/* The index of the first record that may not be taken: it may be of the footer, or it is a
   fault that is next. */
size_t csv_footer_begin(const csv_records *self);

/* Take the next record, as csv_parser_next() does, or what comes in place of it: a fault is
   reported.  CSV_DONE with a record. */
csv_step csv_footer_take(csv_records *self, generators_state *state,
                         const fields_record **record);

/* No record may be taken: report the fault that is next, or find out what comes after the
   records that are held back.  CSV_DONE if that is to be tried again. */
csv_step csv_footer_go_on(csv_records *self, generators_state *state);

void csv_footer_clear(csv_records *self);
int csv_footer_traverse(csv_records *self, visitproc visit, void *arg);

#endif
