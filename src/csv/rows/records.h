/* csv_records: pieces in, rows out.
 *
 * The machine behind the two front ends csv_rows and acsv_rows.  It does everything between
 * the parser and the row: the header, the names, the shape, bad records, the counters and the
 * position of a checkpoint.  It never asks for data.  When it needs more, csv_records_next()
 * returns CSV_MORE.  The front end then feeds the parser, waiting as it likes, and calls
 * again.
 */
#ifndef GENERATORS_CSV_ROWS_RECORDS_H
#define GENERATORS_CSV_ROWS_RECORDS_H

#include "csv/rows/state.h"

/* Make the next row. */
csv_step csv_records_next(csv_records *self, generators_state *state, PyObject **row);

/* Pass the next record, or one that can't be read, without making a row. */
csv_step csv_records_pass(csv_records *self, generators_state *state);

/* ---- for a front end that makes something else of the records ---- */

/* Do what comes before the next record: read the header, or get over a fault.  CSV_DONE when
   records can be taken. */
csv_step csv_records_prepare(csv_records *self, generators_state *state);

/* The parser has failed: raise its fault, and get over it as `on_error` says.  CSV_DONE when
   records can be taken again. */
csv_step csv_records_take_fault(csv_records *self, generators_state *state);

/* A CSVError of a record that was taken is set: get over it as `on_error` says.  `line_count`
   is the count after the record.  CSV_DONE when the reader has recovered. */
csv_step csv_records_fail_record(csv_records *self, generators_state *state,
                                 const fields_record *record, uint64_t line_count);

/* ---- */

/* Release all but the header, the counters and the mark; and release all. */
void csv_records_release(csv_records *self);
void csv_records_clear(csv_records *self);
int csv_records_traverse(csv_records *self, visitproc visit, void *arg);

/* Where another reader resumes.  `primed`: the last row was made but not delivered yet, so the
   other reader starts with it. */
csv_mark csv_records_mark(const csv_records *self, bool primed);

/* The number of fields of the first record, if a plan depends on it, for a checkpoint. */
static inline uint32_t
csv_records_width(const csv_records *self)
{
    return csv_plan_width(self->plan, self->first_width);
}

#endif
