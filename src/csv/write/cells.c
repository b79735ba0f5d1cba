/* csv_cells: the fields of one column, for some rows.
 *
 * A column first sets the text of each cell: in place in the Arrow data, in slots or in
 * `texts`.  Then the texts become fields: quotes and escapes are added where they are needed,
 * in `quoted`.  A text that needs none stays where it is.
 *
 * The line's writer copies CSV_CELL_ROOM bytes of each cell, because that is faster than to
 * copy as many as there are.  So a text at the end of memory that is not ours is copied, too.
 *
 * No user code runs here.
 */
#include "csv/write/cells.h"

#include <string.h>

#include "core/utf8.h"
#include "csv/write/formula.h"

void
csv_cells_init(csv_cells *self, const csv_style *style)
{
    *self = (csv_cells){.style = style};
    buffer_init(&self->texts);
    buffer_init(&self->quoted);
    buffer_init(&self->wide);
}

void
csv_cells_free(csv_cells *self)
{
    PyMem_RawFree(self->cells);
    PyMem_RawFree(self->flags);
    PyMem_RawFree(self->slots);
    buffer_free(&self->texts);
    buffer_free(&self->quoted);
    buffer_free(&self->wide);
    csv_cells_init(self, self->style);
}

int
csv_cells_reserve(csv_cells *self, size_t count)
{
    if (count > self->capacity) {
        if (count > SIZE_MAX / 2 / sizeof *self->cells) {
            PyErr_NoMemory();
            return -1;
        }
        self->capacity = 0;
        PyMem_RawFree(self->cells);
        PyMem_RawFree(self->flags);
        self->cells = PyMem_RawMalloc(count * sizeof *self->cells);
        self->flags = PyMem_RawMalloc(count);
        if (self->cells == NULL || self->flags == NULL) {
            PyErr_NoMemory();
            return -1;
        }
        self->capacity = count;
    }
    if (count > 0) {
        memset(self->flags, 0, count);
    }
    return 0;
}

int
csv_cells_status(buffer_status status)
{
    if (status == BUFFER_NO_MEMORY) {
        PyErr_NoMemory();
    }
    else if (status == BUFFER_TOO_LONG) {
        PyErr_SetString(PyExc_OverflowError, "a row of 4 GiB or more");
    }
    return status == BUFFER_OK ? 0 : -1;
}

/* ---- texts ---- */

uint8_t *
csv_cells_slots(csv_cells *self, size_t count, size_t room)
{
    size_t needed = count * room + CSV_CELL_ROOM;
    if (needed > self->slot_room) {
        self->slot_room = 0;
        PyMem_RawFree(self->slots);
        self->slots = PyMem_RawMalloc(needed);
        if (self->slots == NULL) {
            PyErr_NoMemory();
            return NULL;
        }
        self->slot_room = needed;
    }
    return self->slots;
}

void
csv_cells_begin_texts(csv_cells *self)
{
    buffer_cut(&self->texts, 0);
}

uint8_t *
csv_cells_text_room(csv_cells *self, size_t room)
{
    if (room > BUFFER_LIMIT - CSV_CELL_ROOM) {
        csv_cells_status(BUFFER_TOO_LONG);
        return NULL;
    }
    if (csv_cells_status(buffer_reserve(&self->texts, room + CSV_CELL_ROOM, 1)) < 0) {
        return NULL;
    }
    return self->texts.data + self->texts.length;
}

void
csv_cells_add_text(csv_cells *self, size_t index, size_t length)
{
    self->cells[index].length = length;
    self->texts.length += length;
}

/* The texts stand one after the other, and have moved as their buffer grew. */
void
csv_cells_end_texts(csv_cells *self, size_t count)
{
    const uint8_t *at = self->texts.data;
    for (size_t i = 0; i < count; i++) {
        if (self->flags[i] & CELL_NULL) {
            self->cells[i].length = 0;
        }
        self->cells[i].start = at;
        at += self->cells[i].length;
    }
}

/* ---- fields ---- */

static csv_written
append_status(quote_status status)
{
    switch (status) {
    case QUOTE_FINE:
        return CSV_WRITTEN;
    case QUOTE_NO_ESCAPE:
        return CSV_NO_ESCAPE;
    default:
        csv_cells_status(status == QUOTE_TOO_LONG ? BUFFER_TOO_LONG : BUFFER_NO_MEMORY);
        return CSV_RAISED;
    }
}

/* Append the field of a text that is UTF-8 to `quoted`, where special characters are not
 * ASCII.
 */
static csv_written
append_wide(csv_cells *self, const uint8_t *text, size_t count, bool quoted)
{
    buffer *wide = &self->wide;
    if (utf8_valid_prefix(text, count) < count) { /* raises UnicodeDecodeError */
        Py_XDECREF(PyUnicode_DecodeUTF8((const char *)text, (Py_ssize_t)count, NULL));
        return CSV_RAISED;
    }
    buffer_cut(wide, 0);
    if (csv_cells_status(count > BUFFER_LIMIT / 4
                             ? BUFFER_TOO_LONG
                             : buffer_reserve(wide, 3 * count + 3, 4)) < 0) {
        return CSV_RAISED;
    }
    /* The units come after the room for the field, which has at most two more than twice. */
    uint8_t highest;
    size_t units = utf8_count(text, count, &highest);
    uint8_t *source = wide->data + 4 * (2 * count + 3);
    utf8_decode(text, count, source, 4);
    csv_written result = append_status(
        quote_append(self->style->quoter, wide, source, units, 4, quoted, false));
    size_t written;
    if (result == CSV_WRITTEN &&
        csv_cells_status(buffer_reserve(&self->quoted, 4 * wide->length, 1)) < 0) {
        result = CSV_RAISED;
    }
    if (result == CSV_WRITTEN) {
        utf8_encode(wide->data, 4, wide->length, self->quoted.data + self->quoted.length,
                    &written);
        self->quoted.length += written;
    }
    return result;
}

/* Append a text as a field to `quoted`. */
static csv_written
append_field(csv_cells *self, const uint8_t *text, size_t count, bool quoted)
{
    if (!self->style->ascii) {
        return append_wide(self, text, count, quoted);
    }
    return append_status(
        quote_append(self->style->quoter, &self->quoted, text, count, 1, quoted, false));
}

/* The text with an apostrophe before it. */
static csv_written
append_defused(csv_cells *self, const uint8_t *text, size_t count, bool quoted)
{
    uint8_t *copy = PyMem_RawMalloc(count + 1);
    if (copy == NULL) {
        PyErr_NoMemory();
        return CSV_RAISED;
    }
    copy[0] = '\'';
    memcpy(copy + 1, text, count);
    csv_written result = append_field(self, copy, count + 1, quoted);
    PyMem_RawFree(copy);
    return result;
}

/* Reserve room for the fields of all cells, so that `quoted` does not move.  A single one may
   move it.  0 or -1. */
static int
reserve_fields(csv_cells *self, size_t count)
{
    size_t each = self->style->ascii ? 2 : 8, total = 0;
    buffer_cut(&self->quoted, 0);
    for (size_t i = 0; i < count; i++) {
        total += self->cells[i].length;
    }
    if (count == 1) {
        return 0;
    }
    if (total > BUFFER_LIMIT / 16) {
        return csv_cells_status(BUFFER_TOO_LONG);
    }
    size_t room = each * total + CSV_CELL_ROOM * (count + 1);
    return csv_cells_status(buffer_reserve(&self->quoted, room, 1));
}

/* Append bytes as they are, with quotes around them or not.  0 or -1. */
static csv_written
append_plain(csv_cells *self, const uint8_t *text, size_t count, bool quoted)
{
    buffer *block = &self->quoted;
    if (csv_cells_status(count > BUFFER_LIMIT / 2
                             ? BUFFER_TOO_LONG
                             : buffer_reserve(block, count + CSV_CELL_ROOM, 1)) < 0) {
        return CSV_RAISED;
    }
    uint8_t *at = block->data + block->length;
    *at = self->style->quotes[0];
    memcpy(at + quoted, text, count);
    at[quoted + count] = self->style->quotes[0];
    block->length += count + 2 * (size_t)quoted;
    return CSV_WRITTEN;
}

/* Append a text with quotes around it, and its own doubled. */
static csv_written
append_doubled(csv_cells *self, const uint8_t *text, size_t count)
{
    const uint8_t quote = self->style->quotes[0];
    const uint8_t *end = text + count, *next = memchr(text, quote, count);
    if (next == NULL) {
        return append_plain(self, text, count, true);
    }
    buffer *block = &self->quoted;
    if (csv_cells_status(count > BUFFER_LIMIT / 2 - CSV_CELL_ROOM
                             ? BUFFER_TOO_LONG
                             : buffer_reserve(block, 2 * count + CSV_CELL_ROOM, 1)) < 0) {
        return CSV_RAISED;
    }
    uint8_t *at = block->data + block->length;
    *at++ = quote;
    while (next != NULL) {
        size_t part = (size_t)(next - text) + 1;
        memcpy(at, text, part);
        at += part;
        *at++ = quote;
        text = next + 1;
        next = memchr(text, quote, (size_t)(end - text));
    }
    memcpy(at, text, (size_t)(end - text));
    at += end - text;
    *at++ = quote;
    block->length = (size_t)(at - block->data);
    return CSV_WRITTEN;
}

static inline bool
is_special(const quoter *finder, const csv_cell *cell, uint8_t flags)
{
    if (flags & (CELL_PLAIN | CELL_SPECIAL)) {
        return (flags & CELL_SPECIAL) != 0;
    }
    return quote_find(finder, cell->start, cell->length, 1) < cell->length;
}

/* Append the field of a cell, unless its text can stay where it is. */
static csv_written
quote_cell(csv_cells *self, csv_cell *cell, uint8_t flags)
{
    const csv_style *style = self->style;
    size_t start = self->quoted.length;
    bool quoted = (flags & CELL_QUOTED) != 0;
    csv_written result = CSV_WRITTEN;
    if (style->escape_formulas && !(flags & CELL_NUMBER) &&
        csv_formula_in_bytes(cell->start, cell->length)) {
        result = append_defused(self, cell->start, cell->length, quoted);
    }
    else if (!style->ascii || is_special(style->quoter, cell, flags)) {
        result = style->doubles ? append_doubled(self, cell->start, cell->length)
                                : append_field(self, cell->start, cell->length, quoted);
    }
    else if (quoted || (flags & CELL_EDGE)) {
        result = append_plain(self, cell->start, cell->length, quoted);
    }
    else {
        return CSV_WRITTEN;
    }
    if (result == CSV_WRITTEN && self->quoted.capacity - self->quoted.length < CSV_CELL_ROOM &&
        csv_cells_status(buffer_reserve(&self->quoted, CSV_CELL_ROOM, 1)) < 0) {
        result = CSV_RAISED;
    }
    *cell = (csv_cell){self->quoted.data + start, self->quoted.length - start};
    return result;
}

size_t
csv_cells_quote(csv_cells *self, size_t count)
{
    self->result = CSV_RAISED;
    if (reserve_fields(self, count) < 0) {
        return 0;
    }
    for (size_t i = 0; i < count; i++) {
        csv_cell *cell = &self->cells[i];
        uint8_t flags = self->flags[i];
        const csv_blank *blank = NULL;
        if (flags & CELL_NULL) {
            blank = &self->style->null;
        }
        else if (cell->length == 0) {
            blank = flags & CELL_QUOTED ? &self->style->quoted_empty : &self->style->empty;
        }
        if (blank != NULL) {
            *cell = blank->cell;
            self->result = blank->result;
        }
        else {
            self->result = quote_cell(self, cell, flags);
        }
        if (self->result != CSV_WRITTEN) {
            return i;
        }
    }
    self->result = CSV_WRITTEN;
    return count;
}

size_t
csv_cells_set_nulls(csv_cells *self, size_t count)
{
    const csv_blank *blank = &self->style->null;
    self->result = blank->result;
    for (size_t i = 0; i < count; i++) {
        if (self->flags[i] & CELL_NULL) {
            if (blank->result != CSV_WRITTEN) {
                return i;
            }
            self->cells[i] = blank->cell;
        }
    }
    self->result = CSV_WRITTEN;
    return count;
}
