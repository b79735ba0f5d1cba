/* footer=n: the last n records are none.
 *
 * A record is taken when n others are listed behind it.  Until then it stays in the machine,
 * and is neither converted nor checked.  A fault of the structure counts as a record: its
 * error is made at once, because the machine must go on, and is kept.  FIELDS_FAULT marks its
 * place among the records, and it is reported or raised when its turn comes.  What is held
 * back at the end is dropped.
 *
 * States: those of csv_records; CSV_FAULT_AHEAD, while the text of a fault is read to the end.
 * The records own the faults that are kept: at most n + 1.
 *
 * User code runs in `on_error`.
 */
#include "csv/rows/footer.h"

#include "csv/rows/blame.h"

struct csv_kept_fault {
    csv_kept_fault *next; /* owned */
    PyObject *error;      /* owned */
    PyObject *text;       /* owned: for on_error; or NULL */
    csv_mark mark;        /* before its record */
};

/* ---- the list of faults ---- */

static void
footer_free_fault(csv_kept_fault *fault)
{
    Py_XDECREF(fault->error);
    Py_XDECREF(fault->text);
    PyMem_Free(fault);
}

void
csv_footer_clear(csv_records *self)
{
    while (self->kept != NULL) {
        csv_kept_fault *fault = self->kept;
        self->kept = fault->next;
        footer_free_fault(fault);
    }
}

int
csv_footer_traverse(csv_records *self, visitproc visit, void *arg)
{
    for (csv_kept_fault *fault = self->kept; fault != NULL; fault = fault->next) {
        Py_VISIT(fault->error);
        Py_VISIT(fault->text);
    }
    return 0;
}

static void
footer_add_fault(csv_records *self, csv_kept_fault *fault)
{
    csv_kept_fault **end = &self->kept;
    while (*end != NULL) {
        end = &(*end)->next;
    }
    *end = fault;
}

/* ---- what is next ---- */

static size_t
footer_held(const csv_records *self)
{
    const fields *machine = &self->parser.machine;
    return machine->records_length - machine->taken;
}

size_t
csv_footer_begin(const csv_records *self)
{
    const fields *machine = &self->parser.machine;
    size_t end = machine->taken;
    if (footer_held(self) > self->footer) {
        const size_t last = machine->records_length - self->footer;
        while (end < last && !(machine->records[end].flags & FIELDS_FAULT)) {
            end++;
        }
    }
    return end;
}

/* The fault that was taken is no part of the footer.  CSV_DONE if the reader goes on. */
static csv_step
footer_report(csv_records *self)
{
    csv_kept_fault *fault = self->kept;
    int status = -1;
    self->kept = fault->next;
    self->error_count++;
    if (self->on_error == NULL) {
        self->mark = fault->mark;
        self->mark.row_count = self->row_count;
        self->mark.error_count = self->error_count - 1;
        self->marked = true;
        PyErr_SetRaisedException(Py_NewRef(fault->error));
    }
    else {
        status = self->on_error == Py_None
                     ? 0
                     : csv_records_report(self, fault->error, fault->text);
    }
    footer_free_fault(fault);
    return status < 0 ? CSV_RAISED_ERROR : CSV_DONE;
}

/* ---- faults ahead ---- */

/* Make the error of the parser's fault, and begin to read over its text.  0 or -1. */
static int
footer_begin_fault(csv_records *self, generators_state *state)
{
    csv_parser *parser = &self->parser;
    const uint64_t records = parser->record_count, lines = parser->line_count;
    csv_kept_fault *fault = PyMem_Calloc(1, sizeof *fault);
    if (fault == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    csv_mark_fault(&fault->mark, parser);
    csv_parser_raise(parser, state);
    self->ahead_lines = parser->line_count - fault->mark.line_count;
    parser->record_count = records;
    parser->line_count = lines;
    if (!PyErr_ExceptionMatches(state->csv_error)) {
        footer_free_fault(fault);
        return -1;
    }
    fault->error = PyErr_GetRaisedException();
    footer_add_fault(self, fault);
    self->ahead_place = footer_held(self);
    self->fault = CSV_FAULT_AHEAD;
    csv_raw_begin(&self->raw, parser, self->on_error != NULL && self->on_error != Py_None);
    return 0;
}

/* The text of the fault was read to its end.  0 or -1. */
static int
footer_end_fault(csv_records *self)
{
    fields *machine = &self->parser.machine;
    csv_kept_fault *last = self->kept;
    while (last->next != NULL) {
        last = last->next;
    }
    if (self->on_error != NULL && self->on_error != Py_None) {
        last->text = csv_records_raw_text(self, last->error);
        if (last->text == NULL) {
            return -1;
        }
    }
    if (!fields_insert_fault(machine, machine->taken + self->ahead_place,
                             (uint32_t)self->ahead_lines)) {
        PyErr_NoMemory();
        return -1;
    }
    self->fault = CSV_NO_FAULT;
    csv_raw_free(&self->raw);
    return 0;
}

/* Read over the text of a fault, as far as it is there. */
static csv_step
footer_pass_fault(csv_records *self, generators_state *state)
{
    int done = csv_parser_recover(&self->parser, state, &self->raw);
    if (done == 0) {
        return CSV_MORE;
    }
    return done < 0 || footer_end_fault(self) < 0 ? CSV_RAISED_ERROR : CSV_DONE;
}

csv_step
csv_footer_go_on(csv_records *self, generators_state *state)
{
    if (footer_held(self) > self->footer) {
        (void)csv_parser_next(&self->parser);
        return footer_report(self);
    }
    if (self->fault == CSV_FAULT_AHEAD) {
        return footer_pass_fault(self, state);
    }
    if (csv_parser_failed(&self->parser)) {
        return footer_begin_fault(self, state) < 0 ? CSV_RAISED_ERROR
                                                   : footer_pass_fault(self, state);
    }
    return self->parser.finished ? CSV_OVER : CSV_MORE;
}

csv_step
csv_footer_take(csv_records *self, generators_state *state, const fields_record **record)
{
    for (;;) {
        const fields *machine = &self->parser.machine;
        if (footer_held(self) > self->footer &&
            !(machine->records[machine->taken].flags & FIELDS_FAULT)) {
            *record = csv_parser_next(&self->parser);
            return CSV_DONE;
        }
        csv_step step = csv_footer_go_on(self, state);
        if (step != CSV_DONE) {
            *record = NULL;
            return step;
        }
    }
}
