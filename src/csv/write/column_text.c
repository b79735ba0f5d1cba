/* Strings and bytes of a column as CSV fields.
 *
 * Strings with offsets stand one after the other.  So all special characters of many of them
 * are found at once, by the kernels of core/scan.h, as one bit for each byte.  A string
 * without such a bit is a field as it is.  Views are looked at one by one, and so are all
 * strings if the dialect has special characters that the kernels do not look for.  Bytes are
 * spelled as repr() does first.
 *
 * No user code runs here.
 */
#include "csv/write/column_text.h"

#include <string.h>

#include "core/spell_bytes.h"
#include "core/units.h"

#define GROUPS 8

static void
refuse_bytes(void)
{
    PyErr_SetString(PyExc_ValueError, "Arrow data are wrong: bytes outside of their buffer");
}

/* ---- special characters ---- */

/* Set a bit for each special character of the text, and a word of zeros after them.  Returns
   whether there is any, or -1. */
static int
find_specials(csv_column *self, const uint8_t *text, size_t count)
{
    const quoter *finder = self->cells.style->quoter;
    size_t words = count / SCAN_GROUP + 2;
    if (words > self->special_room) {
        self->special_room = 0;
        PyMem_RawFree(self->specials);
        self->specials = PyMem_RawMalloc(words * sizeof *self->specials);
        if (self->specials == NULL) {
            PyErr_NoMemory();
            return -1;
        }
        self->special_room = words;
    }
    scan_masks masks[GROUPS];
    uint64_t all = 0;
    size_t word = 0, whole = count / SCAN_GROUP;
    while (word < whole) {
        size_t groups = whole - word < GROUPS ? whole - word : GROUPS;
        scan_units(finder->kernel, text + word * SCAN_GROUP, groups, 1, &finder->dialect.set,
                   masks);
        for (size_t i = 0; i < groups; i++, word++) {
            uint64_t any =
                masks[i].delimiter | masks[i].quote | masks[i].escape | masks[i].end;
            self->specials[word] = any;
            all |= any;
        }
    }
    uint64_t rest = 0;
    for (size_t i = whole * SCAN_GROUP; i < count; i++) {
        rest |= (uint64_t)finder->special[text[i]] << (i % SCAN_GROUP);
    }
    self->specials[whole] = rest;
    self->specials[whole + 1] = 0;
    return (all | rest) != 0;
}

/* Whether a part of the text has a special character. */
static inline bool
has_special(const uint64_t *specials, size_t start, size_t count)
{
    size_t word = start / SCAN_GROUP, shift = start % SCAN_GROUP;
    uint64_t bits = specials[word] >> shift;
    if (shift + count <= SCAN_GROUP) {
        return count > 0 && bits << (SCAN_GROUP - count) != 0;
    }
    if (bits != 0) {
        return true;
    }
    size_t left = count - (SCAN_GROUP - shift);
    for (word++; left >= SCAN_GROUP; word++, left -= SCAN_GROUP) {
        if (specials[word] != 0) {
            return true;
        }
    }
    return left > 0 && specials[word] << (SCAN_GROUP - left) != 0;
}

/* ---- strings with offsets ---- */

/* The offset of the string at `index`. */
static inline int64_t
offset_at(const csv_column *self, int64_t index)
{
    const void *offsets = self->array->buffers[1];
    return self->type->kind == ARROW_LARGE_UTF8 ? ARROW_LOAD(int64_t, offsets, index)
                                                : ARROW_LOAD(int32_t, offsets, index);
}

/* Set the cells to the strings.  Returns how many; fewer than `count` if they are long, or
   with *wrong set if offsets are wrong. */
static size_t
set_strings(csv_column *self, int64_t index, size_t count, bool *wrong)
{
    const uint8_t *bytes = self->array->buffers[2];
    int64_t first = offset_at(self, index), start = first;
    size_t i = 0;
    *wrong = first < 0;
    for (; i < count && !*wrong; i++) {
        int64_t end = offset_at(self, index + (int64_t)i + 1);
        *wrong = end < start || (bytes == NULL && end > start);
        if (*wrong || (!self->whole && i > 0 && end - first > (int64_t)CSV_COLUMN_BYTES)) {
            break;
        }
        const uint8_t *text = bytes == NULL ? self->cells.style->quotes : bytes + start;
        self->cells.cells[i] = (csv_cell){text, (size_t)(end - start)};
        start = end;
    }
    return i;
}

/* ---- fields ---- */

/* Whether all cells but nulls can stay as they are if they have no special character. */
static bool
stays(const csv_style *style, bool quoted)
{
    return !quoted && !style->escape_formulas && style->marked.start == NULL &&
           style->empty.result == CSV_WRITTEN && style->empty.cell.length == 0;
}

/* Make fields of texts that stand one after the other.  `readable`: where the memory ends in
   which they are; NULL if it goes on. */
static size_t
quote_texts(csv_column *self, size_t count, bool quoted, const uint8_t *readable)
{
    csv_cells *cells = &self->cells;
    const csv_style *style = cells->style;
    bool scanned = style->ascii && style->quoter->scans && count > 0, found = true;
    const uint8_t *first = scanned ? cells->cells[0].start : NULL;
    if (scanned) {
        const csv_cell *last = &cells->cells[count - 1];
        int answer = find_specials(self, first, (size_t)(last->start - first) + last->length);
        if (answer < 0) {
            cells->result = CSV_RAISED;
            return 0;
        }
        found = answer > 0;
        bool edge = readable != NULL && last->start + CSV_CELL_ROOM > readable;
        if (!found && !edge && stays(style, quoted)) {
            return csv_cells_set_nulls(cells, count);
        }
    }
    for (size_t i = 0; i < count; i++) {
        const csv_cell *cell = &cells->cells[i];
        bool plain =
            scanned && (!found || !has_special(self->specials, (size_t)(cell->start - first),
                                               cell->length));
        bool edge = readable != NULL && cell->start + CSV_CELL_ROOM > readable;
        bool marked = quoted || csv_style_marks(style, cell->start, cell->length);
        cells->flags[i] |= (uint8_t)((marked ? CELL_QUOTED : 0) | (edge ? CELL_EDGE : 0) |
                                     (plain     ? CELL_PLAIN
                                      : scanned ? CELL_SPECIAL
                                                : 0));
    }
    return csv_cells_quote(cells, count);
}

/* Append the texts of strings that have no offsets, or of bytes.  Returns how many; fewer than
   `count` if they are long, or with *failed set and an exception. */
static size_t
add_texts(csv_column *self, int64_t index, size_t count, bool is_text, bool *failed)
{
    csv_cells *cells = &self->cells;
    size_t i = 0;
    csv_cells_begin_texts(cells);
    for (; i < count; i++) {
        if (cells->flags[i] & CELL_NULL) {
            continue;
        }
        if (!self->whole && i > 0 && cells->texts.length > CSV_COLUMN_BYTES) {
            break;
        }
        const uint8_t *start;
        int64_t length;
        if (!arrow_bytes(self->type, self->array, index + (int64_t)i, &start, &length)) {
            refuse_bytes();
            *failed = true;
            break;
        }
        size_t size = (size_t)length;
        size_t room = is_text ? size : size < BUFFER_LIMIT / 5 ? 4 * size + 3 : BUFFER_LIMIT;
        uint8_t *text = csv_cells_text_room(cells, room);
        if (text == NULL) {
            *failed = true;
            break;
        }
        if (is_text) {
            memcpy(text, start, size);
        }
        else {
            size = spell_bytes(start, size, (char *)text);
        }
        csv_cells_add_text(cells, i, size);
    }
    csv_cells_end_texts(cells, i);
    return i;
}

size_t
csv_column_fill_text(csv_column *self, int64_t first, size_t count)
{
    const csv_style *style = self->cells.style;
    arrow_kind kind = self->type->kind;
    int64_t index = self->offset + first;
    bool failed = false, placed = kind == ARROW_UTF8 || kind == ARROW_LARGE_UTF8;
    bool is_text = placed || kind == ARROW_UTF8_VIEW;
    const uint8_t *readable = NULL;
    size_t set;
    if (placed && count > 0) {
        set = set_strings(self, index, count, &failed);
        const uint8_t *bytes = self->array->buffers[2];
        int64_t end = offset_at(self, self->array->offset + self->array->length);
        readable = bytes == NULL || end < 0 ? NULL : bytes + end;
        if (failed) {
            refuse_bytes();
        }
    }
    else {
        set = add_texts(self, index, count, is_text, &failed);
    }
    PyObject *raised = failed ? PyErr_GetRaisedException() : NULL;
    size_t written =
        quote_texts(self, set, is_text ? style->quotes_text : style->quotes_other, readable);
    if (failed && written == set) {
        self->cells.result = CSV_RAISED;
        PyErr_SetRaisedException(raised);
    }
    else {
        Py_XDECREF(raised);
    }
    return written;
}
