/* csv_batcher: lays out the records of the parser as batches.
 *
 * All complete records of a piece are laid out at once, by the column machine.  What that is
 * not sure of is asked of Python in the order of records (answer.c), and a bad record is
 * handled there as csv_records handles it.
 *
 * States: those of csv_records; the plan is settled when the names are known; the builder is
 * open from the first record on.  Rows wait in the builder until a batch is full or the source
 * ends.  If anything fails meanwhile, they are given as a batch first.  The exception then
 * waits in `error`, and the counters show what they were after that batch.
 *
 * User code runs where it runs in csv_records.  The front end is `running` meanwhile, so the
 * builder may wait for an answer while `on_error` runs.
 */
#include "csv/batches/batcher.h"

#include <string.h>

#include "core/columns_join.h"
#include "csv/batches/answer.h"
#include "csv/batches/batch.h"
#include "csv/row/field_error.h"
#include "csv/row/plan_inner.h"
#include "csv/row/shape.h"
#include "csv/rows/blame.h"
#include "csv/rows/footer.h"
#include "csv/rows/header.h"

/* ---- counters ---- */

static inline fields *
machine_of(csv_batcher *self)
{
    return &self->records.parser.machine;
}

static void
get_counts(const csv_batcher *self, csv_batcher_counts *counts)
{
    counts->record_count = self->records.parser.record_count;
    counts->line_count = self->records.parser.line_count;
    counts->error_count = self->records.error_count;
}

static void
set_counts(csv_batcher *self, const csv_batcher_counts *counts)
{
    self->records.parser.record_count = counts->record_count;
    self->records.parser.line_count = counts->line_count;
    self->records.error_count = counts->error_count;
}

/* Take the records before index `end` from the machine. */
static void
take_records(csv_batcher *self, size_t end)
{
    fields *machine = machine_of(self);
    uint64_t lines = 0;
    for (size_t i = machine->taken; i < end; i++) {
        lines += machine->records[i].lines;
    }
    self->records.parser.record_count += end - machine->taken;
    self->records.parser.line_count += lines;
    machine->taken = end;
}

/* ---- names ---- */

/* The names f0, f1, ... of a source without a header: a new tuple, or NULL. */
static PyObject *
make_names(uint32_t width)
{
    PyObject *names = PyTuple_New(width);
    for (uint32_t i = 0; names != NULL && i < width; i++) {
        PyObject *name = PyUnicode_FromFormat("f%u", (unsigned)i);
        if (name == NULL) {
            Py_CLEAR(names);
            break;
        }
        PyTuple_SET_ITEM(names, i, name);
    }
    return names;
}

/* Settle both plans.  0 or -1. */
static int
settle_plans(csv_batcher *self, generators_state *state, PyObject *names)
{
    csv_records *records = &self->records;
    if (!records->settled && csv_records_settle(records, state, names) < 0) {
        return -1;
    }
    if (csv_batch_plan_settle(&self->plan, records->plan, &records->parser) < 0) {
        csv_records_blame_names(records, state);
        return -1;
    }
    if (records->blank == CSV_BLANK_ERROR) {
        columns_layout *layout = &self->plan.layout;
        layout->skips_blank = false; /* so that it is asked about */
        layout->least = layout->least == 0 ? 1 : layout->least;
    }
    return 0;
}

/* The index of the first record that may not be laid out, or none. */
static size_t
end_of_records(const csv_batcher *self)
{
    const csv_records *records = &self->records;
    return records->footer > 0 ? csv_footer_begin(records)
                               : records->parser.machine.records_length;
}

/* The same by the first record that is not blank, which is listed. */
static int
settle_by_first(csv_batcher *self, generators_state *state)
{
    fields *machine = machine_of(self);
    const fields_record *record = &machine->records[machine->taken];
    self->width = self->records.first_width > 0 ? self->records.first_width
                                                : fields_count(machine, record);
    PyObject *names = make_names(self->width);
    if (names == NULL) {
        return -1;
    }
    /* An error is one of this record. */
    take_records(self, machine->taken + 1);
    int status = settle_plans(self, state, names);
    if (status == 0) {
        machine->taken--;
        self->records.parser.record_count--;
        self->records.parser.line_count -= record->lines;
    }
    Py_DECREF(names);
    return status;
}

/* Take the blank records that come next, unless they are errors.  Whether another one is
   listed. */
static bool
skip_blank(csv_batcher *self)
{
    fields *machine = machine_of(self);
    const size_t end = end_of_records(self);
    while (machine->taken < end) {
        if (self->records.blank == CSV_BLANK_ERROR ||
            fields_count(machine, &machine->records[machine->taken]) > 0) {
            return true;
        }
        take_records(self, machine->taken + 1);
    }
    return false;
}

/* The first record, which is blank, is an error. */
static csv_step
fail_blank(csv_batcher *self, generators_state *state)
{
    csv_records *records = &self->records;
    const fields_record *record = csv_parser_next(&records->parser);
    const uint64_t line_count = records->parser.line_count;
    csv_records_raise_blank(records, state, record);
    return csv_records_fail_record(records, state, record, line_count);
}

/* Settle by the first record that is listed, or fail by it. */
static csv_step
begin_by_first(csv_batcher *self, generators_state *state)
{
    const fields *machine = machine_of(self);
    if (fields_count(machine, &machine->records[machine->taken]) == 0) {
        return fail_blank(self, state);
    }
    return settle_by_first(self, state) < 0 ? CSV_RAISED_ERROR : CSV_DONE;
}

/* Whether a header was to be read, and there was nothing but blank records. */
static bool
is_empty(const csv_batcher *self)
{
    const csv_records *records = &self->records;
    return !records->settled && records->parser.finished && records->names == NULL &&
           records->header != NULL && PyTuple_GET_SIZE(records->header) == 0;
}

/* No record may be laid out: report the fault that is next, or find out whether more comes. */
static csv_step
go_on(csv_batcher *self, generators_state *state)
{
    csv_records *records = &self->records;
    if (records->footer > 0) {
        return csv_footer_go_on(records, state);
    }
    if (csv_parser_failed(&records->parser)) {
        return csv_records_take_fault(records, state);
    }
    return records->parser.finished ? CSV_OVER : CSV_MORE;
}

static csv_step
done_if(int status)
{
    return status < 0 ? CSV_RAISED_ERROR : CSV_DONE;
}

csv_step
csv_batcher_prepare(csv_batcher *self, generators_state *state)
{
    for (;;) {
        csv_records *records = &self->records;
        csv_step step = csv_records_prepare(records, state);
        if (step != CSV_DONE || self->plan.settled) {
            return step;
        }
        if (is_empty(self)) {
            return done_if(csv_batch_plan_settle_empty(&self->plan));
        }
        if (records->header != NULL) {
            return done_if(settle_plans(self, state, records->header));
        }
        step = skip_blank(self) ? begin_by_first(self, state) : go_on(self, state);
        if (step == CSV_OVER) {
            return done_if(csv_batch_plan_settle_empty(&self->plan));
        }
        if (step != CSV_DONE || self->plan.settled) {
            return step;
        }
    }
}

/* ---- batches ---- */

/* Make a CSVBatch of the rows that are laid out. */
static csv_step
finish(csv_batcher *self, generators_state *state, PyObject **batch)
{
    columns_batch made;
    csv_batch_plan_decide(&self->plan);
    if (!columns_finish(&self->builder, &made)) {
        PyErr_NoMemory();
        return CSV_RAISED_ERROR;
    }
    const int64_t rows = made.rows;
    arrow_batch *data = arrow_batch_new(self->plan.fields, &made);
    if (data == NULL) {
        columns_batch_free(&made);
        PyErr_NoMemory();
        return CSV_RAISED_ERROR;
    }
    *batch = csv_batch_new(state, data);
    if (*batch == NULL) {
        return CSV_RAISED_ERROR;
    }
    self->records.row_count += (uint64_t)rows;
    return CSV_DONE;
}

csv_step
csv_batcher_fail(csv_batcher *self, generators_state *state, PyObject **batch)
{
    if (!self->opened || self->builder.rows == 0 || self->asking ||
        !PyErr_ExceptionMatches(PyExc_Exception) ||
        PyErr_ExceptionMatches(PyExc_MemoryError)) {
        return CSV_RAISED_ERROR;
    }
    PyObject *error = PyErr_GetRaisedException();
    if (finish(self, state, batch) != CSV_DONE) {
        raising_chain(error);
        return CSV_RAISED_ERROR;
    }
    get_counts(self, &self->at_error);
    set_counts(self, &self->then);
    self->error = error;
    return CSV_DONE;
}

/* ---- questions ---- */

/* A CSVError of the record is set.  Answer its other questions, so that the error lists every
   bad field.  False with another exception set. */
static bool
blame_others(csv_batcher *self, generators_state *state, const columns_question *question,
             const fields_record *record)
{
    PyObject *error = PyErr_GetRaisedException();
    const csv_parser *parser = &self->records.parser;
    const columns_question *other;
    for (size_t i = 0; (other = columns_peek_question(&self->builder, i)) != NULL &&
                       other->record == question->record;
         i++) {
        if (other->column == UINT32_MAX ||
            csv_batch_answer(&self->plan, &self->builder, other, parser, state, record) == 0) {
            continue;
        }
        if (!PyErr_ExceptionMatches(PyExc_Exception) ||
            PyErr_ExceptionMatches(PyExc_MemoryError) ||
            csv_add_problem(error, parser, state, record,
                            (Py_ssize_t)self->plan.specs[other->column].field,
                            self->plan.names[other->column]) < 0) {
            raising_chain(error);
            return false;
        }
    }
    PyErr_SetRaisedException(error);
    return true;
}

/* The exception that is set, raised by a value, becomes a CSVError of the record. */
static bool
blame_value(csv_batcher *self, generators_state *state, const columns_question *question,
            const fields_record *record)
{
    if (!PyErr_ExceptionMatches(PyExc_Exception) ||
        PyErr_ExceptionMatches(PyExc_MemoryError)) {
        return false;
    }
    csv_raise_field(&self->records.parser, state, record,
                    (Py_ssize_t)self->plan.specs[question->column].field,
                    self->plan.names[question->column]);
    return !PyErr_ExceptionMatches(state->csv_error) ||
           blame_others(self, state, question, record);
}

/* Answer a question, or raise.  1; 0 with the CSVError of the record set; or -1. */
static int
answer(csv_batcher *self, generators_state *state, const columns_question *question,
       const fields_record *record)
{
    csv_records *records = &self->records;
    csv_parser *parser = &records->parser;
    switch (question->kind) {
    case COLUMNS_TOO_FEW:
    case COLUMNS_TOO_MANY:
        if (fields_count(&parser->machine, record) == 0 && records->blank == CSV_BLANK_ERROR) {
            csv_records_raise_blank(records, state, record);
            return 0;
        }
        csv_plan_raise_width(records->plan, parser, state, record);
        return 0;
    case COLUMNS_TOO_LONG:
        PyErr_SetString(
            PyExc_ValueError,
            "the record has more text than a batch can hold: large_string would do");
        csv_parser_raise_record(parser, state, record);
        return 0;
    default:
        break;
    }
    if (csv_batch_answer(&self->plan, &self->builder, question, parser, state, record) == 0) {
        return 1;
    }
    return blame_value(self, state, question, record) ? 0 : -1;
}

/* The columns that answers made too long, or that there is no memory for. */
static int
check_settled(columns_status status)
{
    if (status == COLUMNS_NO_MEMORY) {
        PyErr_NoMemory();
    }
    else if (status == COLUMNS_FULL) {
        PyErr_SetString(PyExc_OverflowError,
                        "a batch has more text than a column can hold: take fewer `rows`");
    }
    return status == COLUMNS_FINE ? 0 : -1;
}

/* An exception is set that ends the reader: keep the rows before the question. */
static csv_step
cut(csv_batcher *self, const columns_question *question)
{
    PyObject *raised = PyErr_GetRaisedException();
    if (check_settled(columns_cut(&self->builder, question)) < 0) {
        raising_chain(raised);
        return CSV_RAISED_ERROR;
    }
    self->asking = false;
    PyErr_SetRaisedException(raised);
    return CSV_RAISED_ERROR;
}

/* Answer all questions about the records that were laid out last.  CSV_MORE: the text of a
   bad record, the last one, goes on in what must be fed. */
static csv_step
answer_all(csv_batcher *self, generators_state *state)
{
    const columns_question *next;
    csv_step step = CSV_DONE;
    int64_t dropped = 0;
    while ((next = columns_next_question(&self->builder)) != NULL) {
        const columns_question question = *next;
        const fields_record *record = &machine_of(self)->records[question.record];
        if (machine_of(self)->taken <= question.record) {
            take_records(self, question.record);
            get_counts(self, &self->then);
            take_records(self, question.record + 1);
        }
        const uint64_t line_count = self->records.parser.line_count;
        int status = answer(self, state, &question, record);
        if (status > 0) {
            continue;
        }
        step = CSV_RAISED_ERROR;
        if (status == 0) {
            step = csv_records_fail_record(&self->records, state, record, line_count);
        }
        if (step == CSV_RAISED_ERROR) {
            self->records.mark.row_count += (uint64_t)(question.row - dropped);
            return cut(self, &question);
        }
        dropped += question.kind <= COLUMNS_ASKS_NULL;
        columns_drop(&self->builder, &question);
    }
    if (check_settled(columns_settle(&self->builder)) < 0) {
        return CSV_RAISED_ERROR;
    }
    self->asking = false;
    return step;
}

/* ---- records ---- */

static int
open_builder(csv_batcher *self)
{
    if (!columns_init(&self->builder, &self->plan.layout, columns_core_memory)) {
        columns_free(&self->builder);
        PyErr_NoMemory();
        return -1;
    }
    self->opened = true;
    return 0;
}

/* Take rows that a thread has laid out: exactly those that columns_append() would.  CSV_DONE;
 *full: the batch must end here. */
static csv_step
take_piece(csv_batcher *self, bool *full)
{
    const columns *piece = self->piece;
    const int64_t before = self->piece_row;
    columns_status status = columns_join(&self->builder, piece, &self->piece_row, self->rows);
    if (status == COLUMNS_NO_MEMORY) {
        PyErr_NoMemory();
        return CSV_RAISED_ERROR;
    }
    *full = status == COLUMNS_FULL || self->builder.rows >= self->rows;
    size_t end = machine_of(self)->records_length;
    if (self->piece_row < piece->rows || self->builder.rows >= self->rows) {
        end = self->piece_row > before ? columns_place(piece, self->piece_row - 1) + 1
                                       : machine_of(self)->taken;
    }
    if (self->piece_row == piece->rows) {
        self->piece = NULL;
    }
    take_records(self, end);
    get_counts(self, &self->then);
    return CSV_DONE;
}

/* Lay out records that are listed.  CSV_DONE; *full: the batch must end here. */
static csv_step
lay_out(csv_batcher *self, generators_state *state, bool *full)
{
    csv_parser *parser = &self->records.parser;
    fields *machine = &parser->machine;
    columns_records block = {
        .length = csv_parser_length(parser),
        .ends = machine->ends,
        .records = machine->records,
        .count = end_of_records(self),
    };
    block.block = csv_parser_units(parser, &block.width);
    const int64_t room = self->rows - (self->opened ? self->builder.rows : 0);
    if (csv_batch_plan_look(&self->plan, state, parser, room) < 0 ||
        (!self->opened && open_builder(self) < 0)) {
        return CSV_RAISED_ERROR;
    }
    size_t at = machine->taken;
    columns_status status = columns_append(&self->builder, &block, &at, self->rows);
    if (status == COLUMNS_NO_MEMORY) {
        PyErr_NoMemory();
        return CSV_RAISED_ERROR;
    }
    self->asking = status == COLUMNS_ASKS;
    csv_step step = self->asking ? answer_all(self, state) : CSV_DONE;
    if (step != CSV_RAISED_ERROR) {
        take_records(self, at);
        get_counts(self, &self->then);
    }
    *full = status == COLUMNS_FULL || self->builder.rows >= self->rows;
    return step;
}

/* What comes after the records that are laid out is none. */
static csv_step
pass_fault(csv_batcher *self, generators_state *state)
{
    get_counts(self, &self->then);
    csv_step step = go_on(self, state);
    if (step == CSV_RAISED_ERROR && self->records.marked) {
        self->records.mark.row_count += self->opened ? (uint64_t)self->builder.rows : 0;
    }
    return step;
}

static csv_step
make_batch(csv_batcher *self, generators_state *state, PyObject **batch)
{
    for (;;) {
        csv_step step = csv_batcher_prepare(self, state);
        if (step != CSV_DONE) {
            return step;
        }
        const csv_parser *parser = &self->records.parser;
        bool full = false;
        if (parser->machine.taken < end_of_records(self)) {
            step = self->piece != NULL ? take_piece(self, &full) : lay_out(self, state, &full);
        }
        else {
            step = pass_fault(self, state);
        }
        if (step == CSV_OVER) {
            full = self->opened && self->builder.rows > 0;
            self->exhausted = !full;
            step = full ? CSV_DONE : CSV_OVER;
        }
        if (step != CSV_DONE) {
            return step;
        }
        if (full) {
            return finish(self, state, batch);
        }
    }
}

csv_step
csv_batcher_cut(csv_batcher *self, generators_state *state, PyObject **batch)
{
    return self->opened && self->builder.rows > 0 ? finish(self, state, batch) : CSV_OVER;
}

csv_step
csv_batcher_next(csv_batcher *self, generators_state *state, PyObject **batch)
{
    if (self->error != NULL) {
        PyObject *error = self->error;
        self->error = NULL;
        set_counts(self, &self->at_error);
        PyErr_SetRaisedException(error);
        return CSV_RAISED_ERROR;
    }
    csv_step step = make_batch(self, state, batch);
    return step == CSV_RAISED_ERROR ? csv_batcher_fail(self, state, batch) : step;
}

/* ---- lifetime ---- */

void
csv_batcher_release(csv_batcher *self)
{
    self->piece = NULL;
    csv_records_release(&self->records);
    Py_CLEAR(self->error);
    if (self->opened) {
        self->opened = false;
        columns_free(&self->builder);
    }
}

void
csv_batcher_clear(csv_batcher *self)
{
    csv_batcher_release(self);
    csv_records_clear(&self->records);
    csv_batch_plan_clear(&self->plan);
}

int
csv_batcher_traverse(csv_batcher *self, visitproc visit, void *arg)
{
    Py_VISIT(self->error);
    return csv_records_traverse(&self->records, visit, arg);
}
