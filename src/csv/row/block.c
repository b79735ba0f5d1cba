/* _CSVBlock: what the rows of one reader share with its parser, and still need after the
 * parser is gone.
 *
 * A CSVRow holds a position in the parser's memory.  The reader uses that memory again as it
 * continues, so the block lists the rows that are alive.  Before the memory is moved, used
 * again or freed, the parser has the units and ends of each listed row moved into the row.  A
 * row that is kept then costs only its own data.  The names, the dialect and the lock exist
 * once for all rows of a reader.
 *
 * States of a row: placed, in the parser's memory; then moved, for the rest of its life.  If
 * there is no memory to move a row's fields into, the reader fails with MemoryError, and tries
 * again when it ends.  If that fails too, the row is lost, and any use of its fields raises
 * MemoryError.
 *
 * The parser and each row own a reference to the block.  The rows belong to the user, and
 * leave the list when they are freed.  The memory of a few freed rows is cached: a program
 * that drops each row before it takes the next one uses one or two.
 *
 * Threads: the front end locks the parser; nothing locks a row.  A row's position, the list
 * and the cached memory are read and written with `lock` held.  So is the parser's memo for
 * placed rows.  The parser's other memory changes only while no row is placed.  No user code
 * runs under the lock, and no object is freed under it but exact strs.  With the GIL, the GIL
 * is the lock.
 *
 * The block refers to no object of the user, and the garbage collector does not track it.
 */
#include "csv/row/block.h"
#include "csv/parse/parser.h"
#include "csv/row/names.h"
#include "csv/row/spans.h"

#include <string.h>

/* ---- rows come and go ---- */

/* With the block locked: get memory for a row, with one reference. */
static csv_row *
new_memory(csv_block *self)
{
    if (self->spare_count > 0) {
        csv_row *row = self->spare[--self->spare_count];
        compat_renew((PyObject *)row);
        return row;
    }
    return PyObject_New(csv_row, self->state->csv_row_type);
}

static void
free_memory(csv_row *row)
{
    PyTypeObject *type = Py_TYPE((PyObject *)row);
    PyObject_Free(row);
    Py_DECREF(type);
}

csv_row *
csv_block_new_row(csv_block *self, const fields_record *record, uint32_t count,
                  PyObject **converted)
{
    generators_lock_take(&self->lock);
    csv_row *row = new_memory(self);
    if (row != NULL) {
        row->block = (csv_block *)Py_NewRef((PyObject *)self);
        row->start = record->start;
        row->first = record->first;
        row->count = count;
        row->converted = converted;
        row->flags = (uint8_t)record->flags;
        row->state = CSV_ROW_PLACED;
        row->u.listed.previous = NULL;
        row->u.listed.next = self->live;
        if (self->live != NULL) {
            self->live->u.listed.previous = row;
        }
        self->live = row;
    }
    generators_lock_leave(&self->lock);
    return row;
}

static void
unlist(csv_block *self, csv_row *row)
{
    csv_row *previous = row->u.listed.previous, *next = row->u.listed.next;
    if (previous != NULL) {
        previous->u.listed.next = next;
    }
    else {
        self->live = next;
    }
    if (next != NULL) {
        next->u.listed.previous = previous;
    }
}

void
csv_block_free_row(csv_block *self, csv_row *row)
{
    generators_lock_take(&self->lock);
    if (row->state == CSV_ROW_PLACED) {
        unlist(self, row);
    }
    else if (row->state == CSV_ROW_MOVED) {
        PyMem_Free(row->u.moved);
    }
    PyObject **converted = row->converted;
    bool spare = self->spare_count < CSV_ROWS_SPARE;
    if (spare) {
        self->spare[self->spare_count++] = row;
    }
    generators_lock_leave(&self->lock);
    if (!spare) {
        free_memory(row);
    }
    if (converted != NULL) {
        for (uint32_t i = 0; i < self->converted_count; i++) {
            Py_DECREF(converted[i]);
        }
        PyMem_Free(converted);
    }
    Py_DECREF((PyObject *)self);
}

/* ---- where a row's fields are ---- */

static void
find_placed(const csv_block *self, const csv_row *row, csv_spans *spans)
{
    const csv_parser *parser = self->parser;
    spans->units = csv_parser_units(parser, &spans->width);
    spans->ends = parser->machine.ends + row->first;
    spans->fields = self->fields;
    spans->start = row->start;
    spans->count = row->count;
    spans->utf8 = parser->machine.dialect.utf8;
}

int
csv_block_find_row(csv_block *self, const csv_row *row, csv_spans *spans)
{
    if (row->state == CSV_ROW_LOST) {
        PyErr_SetString(PyExc_MemoryError, "there was no memory to keep this row");
        return -1;
    }
    spans->dialect = &self->dialect;
    spans->memo = self->parser == NULL ? NULL : self->parser->memo;
    spans->flags = row->flags;
    if (row->state == CSV_ROW_PLACED) {
        find_placed(self, row, spans);
        return 0;
    }
    spans->units = row->u.moved + row->count;
    spans->width = row->width;
    spans->ends = row->u.moved;
    spans->fields = NULL;
    spans->start = 0;
    spans->count = row->count;
    spans->utf8 = row->utf8;
    return 0;
}

/* A copy of the row's ends and units, or NULL if there is no memory. */
static uint32_t *
copy_fields(const csv_spans *spans)
{
    size_t length = spans->ends[spans->count - 1] - spans->start;
    size_t ends_size = spans->count * sizeof(uint32_t);
    size_t width = (size_t)spans->width;
    uint32_t *copy = PyMem_Malloc(ends_size + length * width);
    if (copy != NULL) {
        for (uint32_t i = 0; i < spans->count; i++) {
            copy[i] = spans->ends[i] - spans->start;
        }
        memcpy(copy + spans->count, (const uint8_t *)spans->units + spans->start * width,
               length * width);
    }
    return copy;
}

/* The same for rows that have a layout: only the fields of the row, with a unit between
   them. */
static uint32_t *
copy_chosen(const csv_block *self, const csv_spans *spans)
{
    size_t length = spans->count, width = (size_t)spans->width;
    size_t ends_size = spans->count * sizeof(uint32_t);
    for (int pass = 0;; pass++) {
        uint32_t *copy = pass == 0 ? NULL : PyMem_Calloc(1, ends_size + length * width);
        if (pass == 1 && copy == NULL) {
            return NULL;
        }
        size_t at = 0;
        for (uint32_t i = 0; i < spans->count; i++) {
            uint32_t field = self->fields[i];
            uint32_t start = field == 0 ? spans->start : spans->ends[field - 1] + 1;
            size_t count = self->places[i] < 0 ? spans->ends[field] - start : 0;
            if (pass == 1) {
                memcpy((uint8_t *)(copy + spans->count) + at * width,
                       (const uint8_t *)spans->units + start * width, count * width);
                copy[i] = (uint32_t)(at + count);
            }
            at += count + 1;
        }
        if (pass == 1) {
            return copy;
        }
        length = at;
    }
}

static int
move_row(csv_block *self, csv_row *row)
{
    csv_spans spans;
    find_placed(self, row, &spans);
    uint32_t *moved = self->fields == NULL ? copy_fields(&spans) : copy_chosen(self, &spans);
    if (moved == NULL) {
        return -1;
    }
    unlist(self, row);
    row->u.moved = moved;
    row->width = (uint8_t)spans.width;
    row->utf8 = spans.utf8;
    row->state = CSV_ROW_MOVED;
    return 0;
}

/* ---- for the parser ---- */

void
csv_block_set_names(csv_block *self, csv_names *names)
{
    Py_XSETREF(self->names, (csv_names *)Py_NewRef((PyObject *)names));
}

int
csv_block_set_layout(csv_block *self, const uint32_t *chosen, const bool *converted,
                     uint32_t count)
{
    self->fields = PyMem_Calloc(count + 1, sizeof *self->fields);
    self->places = PyMem_Calloc(count + 1, sizeof *self->places);
    if (self->fields == NULL || self->places == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    self->value_count = count;
    for (uint32_t i = 0; i < count; i++) {
        self->fields[i] = chosen[i];
        self->places[i] = converted[i] ? (int32_t)self->converted_count++ : -1;
    }
    return 0;
}

static int
block_detach(PyObject *op)
{
    csv_block *self = (csv_block *)op;
    int status = 0;
    generators_lock_take(&self->lock);
    while (self->live != NULL && status == 0) {
        status = move_row(self, self->live);
    }
    generators_lock_leave(&self->lock);
    if (status < 0) {
        PyErr_NoMemory();
    }
    return status;
}

static void
block_abandon(PyObject *op)
{
    csv_block *self = (csv_block *)op;
    generators_lock_take(&self->lock);
    while (self->live != NULL) {
        csv_row *row = self->live;
        if (move_row(self, row) < 0) {
            unlist(self, row);
            row->state = CSV_ROW_LOST;
        }
    }
    self->parser = NULL;
    generators_lock_leave(&self->lock);
}

static const csv_borrower_kind block_borrower_kind = {block_detach, block_abandon};

int
csv_block_open(generators_state *state, csv_parser *parser)
{
    csv_block *self = PyObject_New(csv_block, state->csv_block_type);
    if (self == NULL) {
        return -1;
    }
    memset(&self->lock, 0, sizeof self->lock);
    self->state = state;
    self->parser = parser;
    self->live = NULL;
    self->spare_count = 0;
    self->names = NULL;
    self->fields = NULL;
    self->places = NULL;
    self->value_count = 0;
    self->converted_count = 0;
    self->dialect = parser->dialect;
    parser->borrower_kind = &block_borrower_kind;
    parser->borrower = (PyObject *)self;
    return 0;
}

/* ---- the type ---- */

static void
block_dealloc(PyObject *op)
{
    csv_block *self = (csv_block *)op;
    PyTypeObject *type = Py_TYPE(op);
    while (self->spare_count > 0) {
        free_memory(self->spare[--self->spare_count]);
    }
    Py_XDECREF((PyObject *)self->names);
    PyMem_Free(self->fields);
    PyMem_Free(self->places);
    type->tp_free(op);
    Py_DECREF(type);
}

static PyType_Slot block_slots[] = {
    {Py_tp_doc, (char *)"What the rows of one reader share."},
    {Py_tp_dealloc, block_dealloc},
    {0, NULL},
};

PyType_Spec csv_block_spec = {
    .name = "native_generators._native._CSVBlock",
    .basicsize = sizeof(csv_block),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = block_slots,
};
