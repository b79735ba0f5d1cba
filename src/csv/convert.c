/* Spans of a record -> Python objects.
 *
 * What a record's flags rule out is not looked at again: most records have
 * no quote and no unit above 0x7F, and their fields are copied as they stand.
 * No user code runs here.
 */
#include "csv/csv.h"

#include <string.h>

#include "core/units.h"
#include "core/utf8.h"
#include "csv/memo.h"

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

/* Text of a span that has to be rewritten: doubled quotes, escapes, quotes in
   the middle, blanks to be skipped. */
static PyObject *
rewritten_text(const field_context *c, uint32_t column, uint32_t start, uint32_t end,
               bool *unquoted)
{
    uint32_t small[128];
    size_t size = (size_t)(end - start) * (size_t)c->width;
    void *out = size <= sizeof small ? small : PyMem_Malloc(size);
    if (out == NULL) {
        return PyErr_NoMemory();
    }
    size_t count = fields_content(&c->dialect->fields, c->units, c->width, start, end, out,
                                  unquoted);
    PyObject *text = plain_text(c, column, out, 0, (uint32_t)count);
    if (out != small) {
        PyMem_Free(out);
    }
    return text;
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

/* The text of a field, and whether it did not start with a quote. */
INLINE PyObject *
field_text(const field_context *c, uint32_t column, uint32_t start, uint32_t end,
           bool *unquoted)
{
    *unquoted = true;
    if (start == end) {
        return Py_NewRef(c->state->empty_text);
    }
    if (must_be_rewritten(c, start, end)) {
        return rewritten_text(c, column, start, end, unquoted);
    }
    uint32_t quote = c->dialect->fields.set.quote;
    if ((c->flags & FIELDS_QUOTED) && unit_at(c->units, start, c->width) == quote) {
        *unquoted = false;
        if ((c->flags & FIELDS_DOUBLED) && holds(c, start + 1, end - 1, quote)) {
            return rewritten_text(c, column, start, end, unquoted);
        }
        return plain_text(c, column, c->units, start + 1, end - 1);
    }
    return plain_text(c, column, c->units, start, end);
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

/* All units are ASCII and none is a quote or an escape: most records of most files. */
INLINE int
make_plain_fields(const csv_parser *parser, generators_state *state, const uint8_t *bytes,
                  const fields_record *record, uint32_t count, PyObject **items)
{
    const field_context c = {.state = state, .memo = parser->memo};
    const uint32_t *ends = parser->machine.ends + record->first;
    uint32_t start = record->start;
    for (uint32_t i = 0; i < count; i++) {
        items[i] = ascii_text(&c, i, bytes + start, ends[i] - start);
        if (items[i] == NULL) {
            return -1;
        }
        start = ends[i] + 1;
    }
    return 0;
}

/* The same where some fields are quoted, with nothing in the quotes to be looked at. */
INLINE int
make_quoted_fields(const csv_parser *parser, generators_state *state, const uint8_t *bytes,
                   const fields_record *record, uint32_t count, PyObject **items)
{
    const field_context c = {.state = state, .memo = parser->memo};
    const uint32_t *ends = parser->machine.ends + record->first;
    const uint32_t quote = parser->dialect.fields.set.quote;
    uint32_t start = record->start;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t end = ends[i];
        uint32_t inner = start < end && bytes[start] == quote;
        items[i] = ascii_text(&c, i, bytes + start + inner, end - start - 2 * inner);
        if (items[i] == NULL) {
            return -1;
        }
        start = end + 1;
    }
    return 0;
}

static int
make_other_fields(const csv_parser *parser, generators_state *state,
                  const fields_record *record, uint32_t count, PyObject **items,
                  Py_ssize_t *bad)
{
    const uint32_t *ends = parser->machine.ends + record->first;
    const bool text_only = parser->dialect.text_only;
    uint32_t start = record->start;
    field_context c;
    set_context(&c, parser, state, record);
    for (uint32_t i = 0; i < count; i++) {
        bool unquoted;
        items[i] = field_text(&c, i, start, ends[i], &unquoted);
        if (!text_only) {
            items[i] = quoting_value(&c, items[i], unquoted);
        }
        if (items[i] == NULL) {
            *bad = PyErr_ExceptionMatches(PyExc_ValueError) ? (Py_ssize_t)i : -1;
            return -1;
        }
        start = ends[i] + 1;
    }
    return 0;
}

/* Make `count` fields into `items`.  0, or -1 with *bad set. */
INLINE int
make_fields(const csv_parser *parser, generators_state *state, const fields_record *record,
            uint32_t count, PyObject **items, Py_ssize_t *bad)
{
    int width;
    const void *units = csv_parser_units(parser, &width);
    if (record->flags == 0 && width == 1 && parser->dialect.plain) {
        return make_plain_fields(parser, state, units, record, count, items);
    }
    if (record->flags == FIELDS_QUOTED && width == 1 && parser->dialect.plain) {
        return make_quoted_fields(parser, state, units, record, count, items);
    }
    return make_other_fields(parser, state, record, count, items, bad);
}

PyObject *
csv_record_list(const csv_parser *parser, generators_state *state,
                const fields_record *record, Py_ssize_t *bad)
{
    uint32_t count = fields_count(&parser->machine, record);
    PyObject *list = PyList_New(count);
    *bad = -1;
    if (list != NULL && count > 0 &&
        make_fields(parser, state, record, count, &PyList_GET_ITEM(list, 0), bad) < 0) {
        Py_CLEAR(list);
    }
    return list;
}

PyObject *
csv_record_tuple(const csv_parser *parser, generators_state *state,
                 const fields_record *record, Py_ssize_t *bad)
{
    uint32_t count = fields_count(&parser->machine, record);
    PyObject *tuple = PyTuple_New(count);
    *bad = -1;
    if (tuple != NULL && count > 0 &&
        make_fields(parser, state, record, count, &PyTuple_GET_ITEM(tuple, 0), bad) < 0) {
        Py_CLEAR(tuple);
    }
    return tuple;
}

int
csv_record_values(const csv_parser *parser, generators_state *state,
                  const fields_record *record, csv_values *values, Py_ssize_t *bad)
{
    uint32_t count = fields_count(&parser->machine, record);
    *bad = -1;
    if (count > values->capacity) {
        PyObject **items = PyMem_Realloc(values->items, count * sizeof *items);
        if (items == NULL) {
            PyErr_NoMemory();
            return -1;
        }
        values->items = items;
        values->capacity = count;
    }
    for (uint32_t i = 0; i < count; i++) {
        values->items[i] = NULL;
    }
    values->count = count;
    if (count > 0 && make_fields(parser, state, record, count, values->items, bad) < 0) {
        csv_values_drop(values);
        return -1;
    }
    return 0;
}

int
csv_check_open_fields(const csv_parser *parser, generators_state *state, uint32_t *checked)
{
    uint32_t open = fields_open_count(&parser->machine);
    if (*checked >= open || parser->dialect.text_only) {
        return 0;
    }
    const fields *machine = &parser->machine;
    const fields_record record = {.start = machine->record_start,
                                  .first = machine->first,
                                  .last = (uint32_t)machine->ends_length,
                                  .flags = machine->flags};
    field_context c;
    set_context(&c, parser, state, &record);
    for (uint32_t i = *checked; i < open; i++) {
        bool unquoted;
        PyObject *text = field_text(&c, i, fields_start(machine, &record, i),
                                    fields_end(machine, &record, i), &unquoted);
        PyObject *value = quoting_value(&c, text, unquoted);
        if (value == NULL) {
            return -1;
        }
        Py_DECREF(value);
    }
    *checked = open;
    return 0;
}

PyObject *
csv_field_text(const csv_parser *parser, generators_state *state,
               const fields_record *record, uint32_t index)
{
    field_context c;
    set_context(&c, parser, state, record);
    bool unquoted;
    return field_text(&c, index, fields_start(&parser->machine, record, index),
                      fields_end(&parser->machine, record, index), &unquoted);
}

/* ---- fields of a record kept apart from its parser ---- */

INLINE void
set_context_of(field_context *c, const csv_spans *spans, generators_state *state)
{
    c->state = state;
    c->memo = spans->memo;
    c->dialect = spans->dialect;
    c->units = spans->units;
    c->width = spans->width;
    c->flags = spans->flags;
    c->utf8 = spans->utf8;
}

INLINE PyObject *
span_text(const field_context *c, uint32_t column, uint32_t start, uint32_t end)
{
    bool unquoted;
    if (c->flags == 0 && c->width == 1 && c->dialect->plain) {
        return ascii_text(c, column, (const uint8_t *)c->units + start, end - start);
    }
    return field_text(c, column, start, end, &unquoted);
}

PyObject *
csv_spans_text(const csv_spans *spans, generators_state *state, uint32_t index)
{
    field_context c;
    set_context_of(&c, spans, state);
    uint32_t start = index == 0 ? spans->start : spans->ends[index - 1] + 1;
    return span_text(&c, index, start, spans->ends[index]);
}

int
csv_spans_fill(const csv_spans *spans, generators_state *state, PyObject **items)
{
    uint32_t start = spans->start;
    field_context c;
    set_context_of(&c, spans, state);
    for (uint32_t i = 0; i < spans->count; i++) {
        items[i] = span_text(&c, i, start, spans->ends[i]);
        if (items[i] == NULL) {
            return -1;
        }
        start = spans->ends[i] + 1;
    }
    return 0;
}
