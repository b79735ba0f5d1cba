/* csv_records: turns the records of the parser into rows, and handles records that can't be
 * read.
 *
 * States: the header must be read (`reads_header`); begun, when the position before the first
 * row is known; a fault, while its record is read to the end so that its text can be reported;
 * released.
 *
 * It owns everything in the struct.  After an error the front end ends, and only the header,
 * the counters and the mark are used again.
 *
 * User code runs in codecs, in `names`, in the callables of the plan and in `on_error`.
 * Meanwhile the front end is `running` and refuses every other call, so only the call in
 * progress changes anything.  The front end also locks.
 */
#include "csv/rows/records.h"

#include "csv/parse/error.h"
#include "csv/row/block.h"
#include "csv/row/convert.h"
#include "csv/row/field_error.h"
#include "csv/row/names.h"
#include "csv/row/settle.h"
#include "csv/row/shape.h"
#include "csv/rows/blame.h"
#include "csv/rows/footer.h"
#include "csv/rows/header.h"
#include "csv/rows/take.h"
#include "runtime/raising.h"

/* ---- records ---- */

/* Make a row of a record.  Returns as csv_plan_row() does. */
static PyObject *
records_make_row(csv_records *self, generators_state *state, const fields_record *record,
                 bool *fault)
{
    if (self->plain_maker == NULL) {
        return csv_plan_row(self->plan, &self->parser, state, record, fault);
    }
    Py_ssize_t bad;
    PyObject *row = self->plain_maker(&self->parser, state, record, &bad);
    *fault = row == NULL && bad >= 0;
    if (*fault) {
        PyObject *header = self->header;
        bool named = header != NULL && bad < PyTuple_GET_SIZE(header);
        csv_raise_field(&self->parser, state, record, bad,
                        named ? PyTuple_GET_ITEM(header, bad) : NULL);
    }
    return row;
}

/* Whether a record that is read by name has a field for each name.  If not, raise CSVError. */
static bool
records_check_width(csv_records *self, generators_state *state, const fields_record *record)
{
    Py_ssize_t count = (Py_ssize_t)fields_count(&self->parser.machine, record);
    if (self->width < 0 || self->width == count) {
        return true;
    }
    csv_parser_raise_ragged(&self->parser, state, record, self->width);
    return false;
}

/* ---- the plan ---- */

/* Settle the plan of a source without a header, by the number of fields in the first
   record. */
static int
records_settle_by_first(csv_records *self, generators_state *state,
                        const fields_record *record)
{
    uint32_t width = csv_plan_is_ragged(self->plan) ? 0
                     : self->first_width > 0        ? self->first_width
                                             : fields_count(&self->parser.machine, record);
    return csv_records_settle_width(self, state, self->header, width);
}

static bool
records_is_blank(const csv_records *self, const fields_record *record)
{
    return fields_count(&self->parser.machine, record) == 0;
}

/* ---- bad records ---- */

/* Forget the fault. */
static void
records_drop_fault(csv_records *self)
{
    self->fault = CSV_NO_FAULT;
    Py_CLEAR(self->error);
    csv_raw_free(&self->raw);
}

static int
records_report(csv_records *self)
{
    PyObject *error = Py_NewRef(self->error);
    PyObject *text = csv_records_raw_text(self, error);
    int status = text == NULL ? -1 : csv_records_report(self, error, text);
    Py_DECREF(error);
    Py_XDECREF(text);
    return status;
}

/* Report and forget the fault.  `done`: 1 if the text of the record is complete, 0 if more
   must be fed first, or -1. */
static csv_step
records_end_fault(csv_records *self, int done)
{
    if (done == 0) {
        return CSV_MORE;
    }
    if (done > 0 && self->on_error != Py_None && records_report(self) < 0) {
        done = -1;
    }
    records_drop_fault(self);
    self->marked = self->marked && done < 0;
    return done < 0 ? CSV_RAISED_ERROR : CSV_DONE;
}

/* More was fed: continue with the fault. */
static csv_step
records_resume_fault(csv_records *self, generators_state *state)
{
    return records_end_fault(self, self->fault == CSV_FAULT_IN_STRUCTURE
                                       ? csv_parser_recover(&self->parser, state, &self->raw)
                                       : csv_raw_newline(&self->raw, &self->parser));
}

/* A CSVError of a record is set.  Returns CSV_DONE when the reader has recovered.  `record` is
   the record at fault if it was taken, or else NULL; `line_count` is the count after it. */
static csv_step
records_begin_fault(csv_records *self, generators_state *state, const fields_record *record,
                    uint64_t line_count)
{
    self->error_count++;
    /* Any other exception was raised while the CSVError was made. */
    if (self->on_error == NULL || !PyErr_ExceptionMatches(state->csv_error)) {
        return CSV_RAISED_ERROR;
    }
    self->error = PyErr_GetRaisedException();
    csv_raw_begin(&self->raw, &self->parser, self->on_error != Py_None);
    if (record == NULL) {
        self->fault = CSV_FAULT_IN_STRUCTURE;
        return records_resume_fault(self, state);
    }
    self->fault = CSV_FAULT_IN_RECORD;
    self->parser.line_count = line_count;
    return records_end_fault(self, self->on_error == Py_None
                                       ? 1
                                       : csv_raw_record(&self->raw, &self->parser, record));
}

/* A record that was taken raises an exception.  Another reader resumes before it. */
static void
records_mark_at(csv_records *self, const fields_record *record, uint64_t line_count)
{
    csv_mark_record(&self->mark, &self->parser, record, line_count);
    self->mark.row_count = self->row_count;
    self->mark.error_count = self->error_count;
    self->marked = true;
}

/* ---- rows ---- */

/* Make a row of a record that was taken.  CSV_OVER if the record gives no row.  *fault as
   above. */
static inline csv_step
records_row(csv_records *self, generators_state *state, const fields_record *record,
            PyObject **row, bool *fault)
{
    const uint64_t line_count = self->parser.line_count;
    if (self->plain_maker == NULL && !self->settled && !records_is_blank(self, record) &&
        records_settle_by_first(self, state, record) < 0) {
        return CSV_RAISED_ERROR;
    }
    *fault = self->blank == CSV_BLANK_ERROR && records_is_blank(self, record);
    if (*fault) {
        csv_records_raise_blank(self, state, record);
    }
    else if (self->blank == CSV_BLANK_SKIP && records_is_blank(self, record)) {
        return CSV_OVER;
    }
    *fault = *fault || (self->keyed && !records_check_width(self, state, record));
    *row = *fault ? NULL : records_make_row(self, state, record, fault);
    if (*row != NULL) {
        self->row_count++;
        return CSV_DONE;
    }
    if (!PyErr_Occurred()) {
        return CSV_OVER;
    }
    records_mark_at(self, record, line_count);
    return CSV_RAISED_ERROR;
}

/* What happens before the first row. */
static csv_step
records_begin(csv_records *self, generators_state *state)
{
    csv_step step = csv_records_read_header(self, state);
    if (step == CSV_DONE) {
        csv_records_mark_next(self, &self->first);
        self->begun = true;
    }
    return step;
}

csv_step
csv_records_prepare(csv_records *self, generators_state *state)
{
    if (!self->begun) {
        return records_begin(self, state);
    }
    return self->fault == CSV_NO_FAULT || self->fault == CSV_FAULT_AHEAD
               ? CSV_DONE
               : records_resume_fault(self, state);
}

csv_step
csv_records_take_fault(csv_records *self, generators_state *state)
{
    bool fault;
    const fields_record *record;
    csv_step step = csv_records_take(self, state, &record, &fault);
    return fault ? records_begin_fault(self, state, NULL, self->parser.line_count) : step;
}

csv_step
csv_records_fail_record(csv_records *self, generators_state *state,
                        const fields_record *record, uint64_t line_count)
{
    records_mark_at(self, record, line_count);
    return records_begin_fault(self, state, record, line_count);
}

csv_step
csv_records_next(csv_records *self, generators_state *state, PyObject **row)
{
    csv_step ready = csv_records_prepare(self, state);
    if (ready != CSV_DONE) {
        return ready;
    }
    for (;;) {
        bool fault;
        const fields_record *record;
        csv_step step = csv_records_take(self, state, &record, &fault);
        const uint64_t line_count = self->parser.line_count;
        if (step == CSV_DONE) {
            step = records_row(self, state, record, row, &fault);
            if (step == CSV_OVER) {
                continue;
            }
        }
        if (fault) {
            step = records_begin_fault(self, state, record, line_count);
            if (step == CSV_DONE) {
                continue;
            }
        }
        return step;
    }
}

csv_step
csv_records_pass(csv_records *self, generators_state *state)
{
    if (!self->begun) {
        csv_step step = records_begin(self, state);
        if (step != CSV_DONE) {
            return step;
        }
    }
    if (self->fault != CSV_NO_FAULT && self->fault != CSV_FAULT_AHEAD) {
        return records_resume_fault(self, state);
    }
    bool fault;
    const fields_record *record;
    csv_step step = csv_records_take(self, state, &record, &fault);
    return fault ? records_begin_fault(self, state, record, 0) : step;
}

csv_mark
csv_records_mark(const csv_records *self, bool primed)
{
    csv_mark next = self->mark;
    if (primed) {
        return self->first;
    }
    if (!self->marked) {
        csv_records_mark_next(self, &next);
    }
    return next;
}

/* ---- lifetime ---- */

void
csv_records_release(csv_records *self)
{
    self->reads_header = false;
    self->mark = csv_records_mark(self, false);
    self->marked = true;
    self->first_width = csv_plan_width(self->plan, self->first_width);
    records_drop_fault(self);
    csv_footer_clear(self);
    Py_CLEAR(self->names);
    Py_CLEAR(self->on_error);
    csv_plan *plan = self->plan;
    self->plan = NULL;
    csv_plan_free(plan);
    csv_parser_free(&self->parser);
}

void
csv_records_clear(csv_records *self)
{
    Py_CLEAR(self->header);
    csv_records_release(self);
    csv_parser_forget(&self->parser);
}

int
csv_records_traverse(csv_records *self, visitproc visit, void *arg)
{
    Py_VISIT(self->names);
    Py_VISIT(self->header);
    Py_VISIT(self->on_error);
    Py_VISIT(self->error);
    int status = csv_footer_traverse(self, visit, arg);
    status = status != 0 ? status : csv_plan_traverse(self->plan, visit, arg);
    return status != 0 ? status : csv_parser_traverse(&self->parser, visit, arg);
}
