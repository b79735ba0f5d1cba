/* The text of one field, for convert.c, spans.c and shape.c.
 *
 * Most functions are inlined, because they run for every field.  What the flags of a record
 * rule out is not checked again: most records have no quote and no unit above 0x7F, and their
 * fields are copied as they are.  No user code runs here.
 */
#ifndef GENERATORS_CSV_ROW_FIELD_H
#define GENERATORS_CSV_ROW_FIELD_H

#include <string.h>

#include "core/units.h"
#include "core/utf8.h"
#include "csv/parse/parser.h"
#include "csv/parse/dialect.h"
#include "csv/parse/memo.h"

/* What all fields of a record have in common; all borrowed. */
typedef struct {
    generators_state *state;
    csv_memo *memo; /* or NULL */
    const csv_dialect *dialect;
    const void *units;
    int width;
    uint32_t flags;
    bool utf8;
} field_context;

/* Set member by member: copying a whole struct would stall on its own stores, for each
   record. */
INLINE void
field_set_context(field_context *c, const csv_parser *parser, generators_state *state,
                  const fields_record *record)
{
    c->state = state;
    c->memo = parser->memo;
    c->dialect = &parser->dialect;
    c->units = csv_parser_units(parser, &c->width);
    c->flags = record->flags;
    c->utf8 = parser->machine.dialect.utf8;
}

/* ---- in field.c ---- */

/* The units of a field without its quotes and escapes. */
typedef struct {
    const void *units; /* the record's, or rewritten ones */
    uint32_t start, end;
    bool unquoted; /* the field does not start with a quote */
    void *own;     /* owned: rewritten units that do not fit into `small`, or NULL */
    uint32_t small[128];
} field_span;

/* Make the text of bytes that are valid UTF-8. */
PyObject *field_utf8_text(const field_context *c, uint32_t column, const uint8_t *bytes,
                          size_t count);

/* Whether one of the units from `start` up to `end` is `unit`. */
bool field_holds(const field_context *c, uint32_t start, uint32_t end, uint32_t unit);

/* Rewrite a field that has doubled quotes, escapes, quotes in the middle, or spaces to skip.
   0, or -1 with nothing to free. */
int field_span_rewrite(const field_context *c, uint32_t start, uint32_t end, field_span *s);

/* The value of a field under QUOTE_NONNUMERIC, QUOTE_STRINGS and QUOTE_NOTNULL, by the rule of
   CPython 3.13.  `text` (or NULL, which is returned) is stolen. */
PyObject *field_quoting_value(const field_context *c, PyObject *text, bool unquoted);

/* ---- plain text ---- */

/* memcpy() for mostly short lengths: two words that overlap. */
INLINE void
field_copy_short(uint8_t *to, const uint8_t *from, size_t count)
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
field_new_ascii(PyObject *model, const uint8_t *bytes, size_t count)
{
    PyObject *text = generators_new_ascii(model, (Py_ssize_t)count);
    if (text != NULL) {
        field_copy_short(PyUnicode_1BYTE_DATA(text), bytes, count);
    }
    return text;
}

INLINE PyObject *
field_ascii_text(const field_context *c, uint32_t column, const uint8_t *bytes, size_t count)
{
    if (count <= 1) {
        return Py_NewRef(count == 0 ? c->state->empty_text : c->state->latin1[bytes[0]]);
    }
    if (c->memo == NULL) {
        return field_new_ascii(c->state->ascii_model, bytes, count);
    }
    return csv_memo_text(c->memo, c->state->ascii_model, column, bytes, count,
                         field_new_ascii);
}

/* Make a text of the units from `start` up to `end` as they are. */
INLINE PyObject *
field_plain_text(const field_context *c, uint32_t column, const void *units, uint32_t start,
                 uint32_t end)
{
    size_t count = end - start;
    if (c->width == 1) {
        const uint8_t *bytes = (const uint8_t *)units + start;
        if (!(c->flags & FIELDS_HIGH)) {
            return field_ascii_text(c, column, bytes, count);
        }
        if (c->utf8) {
            return field_utf8_text(c, column, bytes, count);
        }
    }
    const uint8_t *from = (const uint8_t *)units + (size_t)start * (size_t)c->width;
    return PyUnicode_FromKindAndData(c->width, from, (Py_ssize_t)count);
}

/* ---- quotes and escapes ---- */

INLINE void
field_span_free(field_span *s)
{
    if (s->own != NULL) {
        PyMem_Free(s->own);
    }
}

INLINE bool
field_must_be_rewritten(const field_context *c, uint32_t start, uint32_t end)
{
    const fields_dialect *d = &c->dialect->fields;
    if (d->skip_space && unit_at(c->units, start, c->width) == ' ') {
        return true;
    }
    return (c->flags & FIELDS_IRREGULAR) && (field_holds(c, start, end, d->set.quote) ||
                                             field_holds(c, start, end, d->set.escape));
}

/* 0, or -1 with nothing to free. */
INLINE int
field_span_read(const field_context *c, uint32_t start, uint32_t end, field_span *s)
{
    s->units = c->units;
    s->start = start;
    s->end = end;
    s->unquoted = true;
    s->own = NULL;
    if (start == end) {
        return 0;
    }
    if (field_must_be_rewritten(c, start, end)) {
        return field_span_rewrite(c, start, end, s);
    }
    uint32_t quote = c->dialect->fields.set.quote;
    if ((c->flags & FIELDS_QUOTED) && unit_at(c->units, start, c->width) == quote) {
        if ((c->flags & FIELDS_DOUBLED) && field_holds(c, start + 1, end - 1, quote)) {
            return field_span_rewrite(c, start, end, s);
        }
        s->unquoted = false;
        s->start = start + 1;
        s->end = end - 1;
    }
    return 0;
}

INLINE PyObject *
field_span_text(const field_context *c, uint32_t column, const field_span *s)
{
    return field_plain_text(c, column, s->units, s->start, s->end);
}

/* Make the text of a field, and set whether it did not start with a quote. */
INLINE PyObject *
field_text(const field_context *c, uint32_t column, uint32_t start, uint32_t end,
           bool *unquoted)
{
    field_span s;
    if (field_span_read(c, start, end, &s) < 0) {
        return NULL;
    }
    *unquoted = s.unquoted;
    PyObject *text = field_span_text(c, column, &s);
    field_span_free(&s);
    return text;
}

#endif
