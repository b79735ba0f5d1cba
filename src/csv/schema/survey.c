/* csv_survey: adds the records of the parser to the schema machine.
 *
 * All complete records of a piece are added at once.  A record that is refused for its number
 * of fields, and one that can't be read, is handled as csv_records handles it, in order.
 *
 * States: those of csv_records; the machine is open from the first record on, or from the end
 * of a source without any.
 *
 * User code runs where it runs in csv_records.  `ask` is this package's own; it runs Python
 * while the machine waits.  The front end is `running` meanwhile.  A piece belongs to a block
 * that no thread works on any longer.
 */
#include "csv/schema/survey.h"

#include "core/schema_number.h"
#include "core/schema_piece.h"
#include "csv/parse/fault.h"
#include "csv/rows/blame.h"
#include "csv/rows/footer.h"

/* ---- the start ---- */

static fields *
machine_of(csv_survey *self)
{
    return &self->reading.records.parser.machine;
}

/* Open the machine for so many columns.  0 or -1. */
static int
open_machine(csv_survey *self, generators_state *state, size_t count)
{
    csv_batch_plan *plan = &self->reading.plan;
    const csv_parser *parser = &self->reading.records.parser;
    if (!plan->settled && csv_batch_plan_settle_empty(plan) < 0) {
        return -1;
    }
    if (csv_batch_plan_look(plan, state, parser, 0) < 0) {
        return -1;
    }
    self->layout.reading = plan->layout;
    self->layout.count = (uint32_t)count;
    if (!schema_init(&self->machine, &self->layout, columns_core_memory)) {
        PyErr_NoMemory();
        return -1;
    }
    self->machine.ask = csv_schema_ask;
    self->machine.context = &self->asker;
    self->opened = true;
    return 0;
}

/* Open the machine, if the number of columns is known.  0 or -1. */
static int
open_by_names(csv_survey *self, generators_state *state)
{
    const csv_records *records = &self->reading.records;
    const fields *machine = machine_of(self);
    if (records->header != NULL) {
        return open_machine(self, state, (size_t)PyTuple_GET_SIZE(records->header));
    }
    for (size_t i = machine->taken; i < machine->records_length; i++) {
        uint32_t count = fields_count(machine, &machine->records[i]);
        if (count > 0) {
            return open_machine(self, state, count);
        }
    }
    return 0;
}

/* ---- records ---- */

/* Take the records before index `end` from the parser. */
static void
take_records(csv_survey *self, size_t end)
{
    csv_parser *parser = &self->reading.records.parser;
    while (parser->machine.taken < end) {
        (void)csv_parser_next(parser);
    }
}

static int
check_status(schema_status status)
{
    if (status == SCHEMA_NO_MEMORY) {
        PyErr_NoMemory();
    }
    return status == SCHEMA_FINE ? 0 : -1;
}

static columns_records
block_of(csv_survey *self)
{
    const csv_parser *parser = &self->reading.records.parser;
    columns_records block = {
        .length = csv_parser_length(parser),
        .ends = parser->machine.ends,
        .records = parser->machine.records,
        .count = parser->machine.records_length,
    };
    block.block = csv_parser_units(parser, &block.width);
    return block;
}

/* The index of the first record that may not be added, or none. */
static size_t
end_of_records(const csv_survey *self)
{
    const csv_records *records = &self->reading.records;
    return records->footer > 0 ? csv_footer_begin(records)
                               : records->parser.machine.records_length;
}

static bool
refuses_blank(const csv_survey *self)
{
    return self->reading.records.blank == CSV_BLANK_ERROR;
}

static bool
is_refused(const csv_survey *self, const fields *machine, const fields_record *record)
{
    const uint32_t count = fields_count(machine, record), width = self->layout.count;
    if (count == 0) {
        return refuses_blank(self);
    }
    return (self->refuses_short && count < width) || (self->refuses_long && count > width);
}

/* Whether what a thread found has a record that is refused. */
static bool
has_refused(const csv_survey *self, const schema *piece)
{
    return (refuses_blank(self) && piece->blank > 0) ||
           (self->refuses_short && piece->too_short > 0) ||
           (self->refuses_long && piece->too_long > 0);
}

/* Raise CSVError for the next record, which is refused. */
static csv_step
refuse_record(csv_survey *self, generators_state *state)
{
    csv_records *records = &self->reading.records;
    const fields_record *record = csv_parser_next(&records->parser);
    if (fields_count(&records->parser.machine, record) == 0) {
        csv_records_raise_blank(records, state, record);
    }
    else {
        csv_parser_raise_ragged(&records->parser, state, record,
                                (Py_ssize_t)self->layout.count);
    }
    return csv_records_fail_record(records, state, record, records->parser.line_count);
}

/* Add what a thread found in all records.  0 or -1. */
static int
add_piece(csv_survey *self, schema *piece)
{
    const columns_records block = block_of(self);
    schema_status status = SCHEMA_FINE;
    if (schema_piece_stopped(piece)) {
        piece->ask = csv_schema_ask;
        piece->context = &self->asker;
        status = schema_resume(piece, &self->machine, &block, block.count, 0);
        piece->ask = NULL;
    }
    if (status == SCHEMA_FINE) {
        status =
            schema_merge(&self->machine, piece, self->reading.records.parser.record_count);
    }
    take_records(self, block.count);
    return check_status(status);
}

/* Add the records up to one that is refused, which is raised. */
static csv_step
add_records(csv_survey *self, generators_state *state)
{
    const csv_records *records = &self->reading.records;
    const fields *machine = machine_of(self);
    const columns_records block = block_of(self);
    const size_t from = machine->taken;
    const size_t end = end_of_records(self);
    size_t to = from;
    schema *piece = self->piece;
    self->piece = NULL;
    if (piece != NULL && from == 0 && end == block.count && !has_refused(self, piece)) {
        return add_piece(self, piece) < 0 ? CSV_RAISED_ERROR : CSV_DONE;
    }
    while (to < end && !is_refused(self, machine, &block.records[to])) {
        to++;
    }
    if (check_status(schema_add(&self->machine, &block, from, to,
                                records->parser.record_count - from)) < 0) {
        return CSV_RAISED_ERROR;
    }
    take_records(self, to);
    return to == end ? CSV_DONE : refuse_record(self, state);
}

/* No record may be added: report the fault that is next, or find out whether more comes. */
static csv_step
go_on(csv_survey *self, generators_state *state)
{
    csv_records *records = &self->reading.records;
    if (records->footer > 0) {
        return csv_footer_go_on(records, state);
    }
    if (csv_parser_failed(&records->parser)) {
        return csv_records_take_fault(records, state);
    }
    return records->parser.finished ? CSV_OVER : CSV_MORE;
}

/* Every record was added. */
static csv_step
finish(csv_survey *self, generators_state *state)
{
    if (!self->opened && open_machine(self, state, 0) < 0) {
        return CSV_RAISED_ERROR;
    }
    for (uint32_t j = 0; j < self->layout.count; j++) {
        if (!schema_number_finish(&self->machine.columns[j].number, columns_core_memory)) {
            PyErr_NoMemory();
            return CSV_RAISED_ERROR;
        }
    }
    return CSV_OVER;
}

csv_step
csv_survey_next(csv_survey *self, generators_state *state)
{
    for (;;) {
        csv_records *records = &self->reading.records;
        csv_step step = csv_records_prepare(records, state);
        if (step == CSV_DONE && !self->opened && open_by_names(self, state) < 0) {
            return CSV_RAISED_ERROR;
        }
        if (step != CSV_DONE) {
            return step;
        }
        const fields *machine = machine_of(self);
        if (machine->taken < end_of_records(self)) {
            if (!self->opened && open_machine(self, state, 0) < 0) {
                return CSV_RAISED_ERROR;
            }
            step = add_records(self, state);
        }
        else {
            step = go_on(self, state);
        }
        if (step == CSV_OVER) {
            return finish(self, state);
        }
        if (step != CSV_DONE) {
            return step;
        }
    }
}

/* ---- lifetime ---- */

void
csv_survey_release(csv_survey *self)
{
    self->piece = NULL;
    if (self->opened) {
        self->opened = false;
        schema_free(&self->machine);
    }
    csv_batcher_release(&self->reading);
    Py_CLEAR(self->asker.ask);
    Py_CLEAR(self->asker.answered);
}

void
csv_survey_clear(csv_survey *self)
{
    csv_survey_release(self);
    csv_batcher_clear(&self->reading);
}

int
csv_survey_traverse(csv_survey *self, visitproc visit, void *arg)
{
    Py_VISIT(self->asker.ask);
    return csv_batcher_traverse(&self->reading, visit, arg);
}
