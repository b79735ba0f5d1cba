/* The text of one field: what convert.c and shape.c build rows of.
 *
 * What a record's flags rule out is not looked at again: most records have
 * no quote and no unit above 0x7F, and their fields are copied as they stand.
 * No user code runs here.
 */
#ifndef GENERATORS_CSV_ROW_FIELD_H
#define GENERATORS_CSV_ROW_FIELD_H

#include <string.h>

#include "core/units.h"
#include "core/utf8.h"
#include "csv/parse/parser.h"
#include "csv/row/memo.h"
#include "csv/row/spans.h"
#include "csv/parse/dialect.h"

/* What all fields of a record have in common. */
typedef struct {
    generators_state *state;
    csv_memo *memo;
    const csv_dialect *dialect;
    const void *units;
    int width;
    uint32_t flags;
    bool utf8;
} field_context;

/* Field by field: a struct copied whole stalls on its own stores, a record. */
INLINE void
set_context(field_context *c, const csv_parser *parser, generators_state *state,
            const fields_record *record)
{
    c->state = state;
    c->memo = parser->memo;
    c->dialect = &parser->dialect;
    c->units = csv_parser_units(parser, &c->width);
    c->flags = record->flags;
    c->utf8 = parser->machine.dialect.utf8;
}

/* ---- plain text ---- */

/* memcpy for lengths that are mostly short: two overlapping words. */
INLINE void
copy_short(uint8_t *to, const uint8_t *from, size_t count)
{
    if (count > 16) {
        memcpy(to, from, count);
    }
    else if (count >= 8) {
        uint64_t head, tail;
        memcpy(&head, from, 8);
        memcpy(&tail, from + count - 8, 8);
        memcpy(to, &head, 8);
        memcpy(to + count - 8, &tail, 8);
    }
    else if (count >= 4) {
        uint32_t head, tail;
        memcpy(&head, from, 4);
        memcpy(&tail, from + count - 4, 4);
        memcpy(to, &head, 4);
        memcpy(to + count - 4, &tail, 4);
    }
    else {
        to[0] = from[0];
        to[count >> 1] = from[count >> 1];
        to[count - 1] = from[count - 1];
    }
}

INLINE PyObject *
new_ascii_text(PyObject *model, const uint8_t *bytes, size_t count)
{
    PyObject *text = generators_new_ascii(model, (Py_ssize_t)count);
    if (text != NULL) {
        copy_short(PyUnicode_1BYTE_DATA(text), bytes, count);
    }
    return text;
}

INLINE PyObject *
ascii_text(const field_context *c, uint32_t column, const uint8_t *bytes, size_t count)
{
    if (count <= 1) {
        return Py_NewRef(count == 0 ? c->state->empty_text : c->state->latin1[bytes[0]]);
    }
    if (c->memo == NULL) {
        return new_ascii_text(c->state->ascii_model, bytes, count);
    }
    return csv_memo_text(c->memo, c->state->ascii_model, column, bytes, count, new_ascii_text);
}

/* Valid UTF-8, as most fields of most files without any other unit are ASCII. */
static PyObject *
utf8_text(const field_context *c, uint32_t column, const uint8_t *bytes, size_t count)
{
    uint8_t highest;
    size_t length = utf8_count(bytes, count, &highest);
    if (highest < 0x80) {
        return ascii_text(c, column, bytes, count);
    }
    Py_UCS4 most = highest < 0xC4 ? 0xFF : highest < 0xF0 ? 0xFFFF : 0x10FFFF;
    PyObject *text = PyUnicode_New((Py_ssize_t)length, most);
    if (text != NULL) {
        utf8_decode(bytes, count, PyUnicode_DATA(text), (int)PyUnicode_KIND(text));
    }
    return text;
}

/* The units from `start` up to `end` as they stand. */
INLINE PyObject *
plain_text(const field_context *c, uint32_t column, const void *units, uint32_t start,
           uint32_t end)
{
    size_t count = end - start;
    if (c->width == 1) {
        const uint8_t *bytes = (const uint8_t *)units + start;
        if (!(c->flags & FIELDS_HIGH)) {
            return ascii_text(c, column, bytes, count);
        }
        if (c->utf8) {
            return utf8_text(c, column, bytes, count);
        }
    }
    const uint8_t *from = (const uint8_t *)units + (size_t)start * (size_t)c->width;
    return PyUnicode_FromKindAndData(c->width, from, (Py_ssize_t)count);
}

/* ---- quotes and escapes ---- */

/* What a field says, without the quotes and escapes that say it. */
typedef struct {
    const void *units; /* of the block, or rewritten */
    uint32_t start, end;
    bool unquoted; /* it does not start with a quote */
    void *own;     /* owned: what was too long for `small`, or NULL */
    uint32_t small[128];
} field_span;

INLINE void
free_span(field_span *s)
{
    if (s->own != NULL) {
        PyMem_Free(s->own);
    }
}

static bool
holds(const field_context *c, uint32_t start, uint32_t end, uint32_t unit)
{
    if (unit == SCAN_ABSENT) {
        return false;
    }
    if (c->width == 1) {
        return unit <= UINT8_MAX &&
               memchr((const uint8_t *)c->units + start, (int)unit, end - start) != NULL;
    }
    for (uint32_t at = start; at < end; at++) {
        if (unit_at(c->units, at, c->width) == unit) {
            return true;
        }
    }
    return false;
}

static bool
must_be_rewritten(const field_context *c, uint32_t start, uint32_t end)
{
    const fields_dialect *d = &c->dialect->fields;
    if (d->skip_space && unit_at(c->units, start, c->width) == ' ') {
        return true;
    }
    return (c->flags & FIELDS_IRREGULAR) &&
           (holds(c, start, end, d->set.quote) || holds(c, start, end, d->set.escape));
}

/* Doubled quotes, escapes, quotes in the middle, blanks to be skipped. */
static int
rewrite_span(const field_context *c, uint32_t start, uint32_t end, field_span *s)
{
    size_t size = (size_t)(end - start) * (size_t)c->width;
    void *out = s->small;
    if (size > sizeof s->small) {
        out = s->own = PyMem_Malloc(size);
        if (out == NULL) {
            PyErr_NoMemory();
            return -1;
        }
    }
    s->units = out;
    s->start = 0;
    s->end = (uint32_t)fields_content(&c->dialect->fields, c->units, c->width, start, end, out,
                                      &s->unquoted);
    return 0;
}

/* 0, or -1 with nothing to be freed. */
INLINE int
read_span(const field_context *c, uint32_t start, uint32_t end, field_span *s)
{
    s->units = c->units;
    s->start = start;
    s->end = end;
    s->unquoted = true;
    s->own = NULL;
    if (start == end) {
        return 0;
    }
    if (must_be_rewritten(c, start, end)) {
        return rewrite_span(c, start, end, s);
    }
    uint32_t quote = c->dialect->fields.set.quote;
    if ((c->flags & FIELDS_QUOTED) && unit_at(c->units, start, c->width) == quote) {
        if ((c->flags & FIELDS_DOUBLED) && holds(c, start + 1, end - 1, quote)) {
            return rewrite_span(c, start, end, s);
        }
        s->unquoted = false;
        s->start = start + 1;
        s->end = end - 1;
    }
    return 0;
}

INLINE PyObject *
span_text(const field_context *c, uint32_t column, const field_span *s)
{
    return plain_text(c, column, s->units, s->start, s->end);
}

/* The text of a field, and whether it did not start with a quote. */
INLINE PyObject *
field_text(const field_context *c, uint32_t column, uint32_t start, uint32_t end,
           bool *unquoted)
{
    field_span s;
    if (read_span(c, start, end, &s) < 0) {
        return NULL;
    }
    *unquoted = s.unquoted;
    PyObject *text = span_text(c, column, &s);
    free_span(&s);
    return text;
}

/* What `quoting` makes of it: 3.13's rule for QUOTE_NONNUMERIC, QUOTE_STRINGS and
   QUOTE_NOTNULL. */
static PyObject *
quoting_value(const field_context *c, PyObject *text, bool unquoted)
{
    int quoting = c->dialect->quoting;
    if (text == NULL || !unquoted) {
        return text;
    }
    bool empty = PyUnicode_GET_LENGTH(text) == 0;
    if (empty && (quoting == CSV_QUOTE_NOTNULL || quoting == CSV_QUOTE_STRINGS)) {
        Py_DECREF(text);
        return Py_NewRef(Py_None);
    }
    if (!empty && (quoting == CSV_QUOTE_NONNUMERIC || quoting == CSV_QUOTE_STRINGS)) {
        Py_SETREF(text, PyFloat_FromString(text));
    }
    return text;
}

#endif
