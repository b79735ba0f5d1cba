/* Records as lists and tuples of all their fields.  No user code runs here. */
#include "csv/csv.h"

#include "csv/field.h"

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
