/* Taking the next record of the parser.  Inline, because it runs for each one. */
#ifndef GENERATORS_CSV_ROWS_TAKE_H
#define GENERATORS_CSV_ROWS_TAKE_H

#include "csv/rows/blame.h"
#include "csv/rows/footer.h"

/* Take the next record.  *fault: the exception set is the CSVError of this record. */
static inline csv_step
csv_records_take(csv_records *self, generators_state *state, const fields_record **record,
                 bool *fault)
{
    *fault = false;
    if (self->footer > 0) {
        return csv_footer_take(self, state, record);
    }
    *record = csv_parser_next(&self->parser);
    if (*record != NULL) {
        return CSV_DONE;
    }
    if (csv_parser_failed(&self->parser)) {
        csv_records_mark_next(self, &self->mark);
        self->marked = true;
        csv_parser_raise(&self->parser, state);
        *fault = true;
        return CSV_RAISED_ERROR;
    }
    return self->parser.finished ? CSV_OVER : CSV_MORE;
}

#endif
