/* Records as lists and tuples of all their fields.  No user code runs here. */
#include "csv/row/convert.h"

#include <string.h>

#include "csv/row/field.h"

/* Make fields of ASCII without a quote or an escape: most records of most files. */
INLINE int
make_plain_fields(const csv_parser *parser, generators_state *state, const uint8_t *bytes,
                  const fields_record *record, uint32_t count, PyObject **items)
{
    const field_context c = {.state = state, .memo = parser->memo};
    const uint32_t *ends = parser->machine.ends + record->first;
    uint32_t start = record->start;
    for (uint32_t i = 0; i < count; i++) {
        items[i] = field_ascii_text(&c, i, bytes + start, ends[i] - start);
        if (items[i] == NULL) {
            return -1;
        }
        start = ends[i] + 1;
    }
    return 0;
}

/* The same if some fields are quoted, but no field must be rewritten otherwise. */
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
        items[i] = field_ascii_text(&c, i, bytes + start + inner, end - start - 2 * inner);
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
    field_set_context(&c, parser, state, record);
    for (uint32_t i = 0; i < count; i++) {
        bool unquoted = true;
        items[i] = field_text(&c, i, start, ends[i], &unquoted);
        if (!text_only) {
            items[i] = field_quoting_value(&c, items[i], unquoted);
        }
        if (items[i] == NULL) {
            *bad = PyErr_ExceptionMatches(PyExc_ValueError) ? (Py_ssize_t)i : -1;
            return -1;
        }
        start = ends[i] + 1;
    }
    return 0;
}

/* Make the first `count` fields and put them into `items`.  0, or -1 with *bad set. */
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
csv_record_list(const csv_parser *parser, generators_state *state, const fields_record *record,
                Py_ssize_t *bad)
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
csv_record_fields(const csv_parser *parser, generators_state *state,
                  const fields_record *record, uint32_t count, PyObject **items,
                  Py_ssize_t *bad)
{
    *bad = -1;
    memset(items, 0, count * sizeof *items);
    if (make_fields(parser, state, record, count, items, bad) == 0) {
        return 0;
    }
    for (uint32_t i = 0; i < count; i++) {
        Py_XDECREF(items[i]);
    }
    return -1;
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
    field_set_context(&c, parser, state, &record);
    for (uint32_t i = *checked; i < open; i++) {
        bool unquoted = true;
        PyObject *text = field_text(&c, i, fields_start(machine, &record, i),
                                    fields_end(machine, &record, i), &unquoted);
        PyObject *value = field_quoting_value(&c, text, unquoted);
        if (value == NULL) {
            return -1;
        }
        Py_DECREF(value);
    }
    *checked = open;
    return 0;
}

PyObject *
csv_field_text(const csv_parser *parser, generators_state *state, const fields_record *record,
               uint32_t index)
{
    field_context c;
    field_set_context(&c, parser, state, record);
    c.memo = NULL; /* other threads may use it to read rows: see block.c */
    bool unquoted = true;
    return field_text(&c, index, fields_start(&parser->machine, record, index),
                      fields_end(&parser->machine, record, index), &unquoted);
}
