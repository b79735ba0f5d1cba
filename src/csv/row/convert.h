/* Records as lists and tuples of all their fields. */
#ifndef GENERATORS_CSV_ROW_CONVERT_H
#define GENERATORS_CSV_ROW_CONVERT_H

#include "csv/parse/parser.h"

/* A record as a list or a tuple: a new reference, or NULL. *bad is the index of
   the field that could not be converted, where it is that. */
PyObject *csv_record_list(const csv_parser *parser, generators_state *state,
                          const fields_record *record, Py_ssize_t *bad);
PyObject *csv_record_tuple(const csv_parser *parser, generators_state *state,
                           const fields_record *record, Py_ssize_t *bad);

/* The first `count` fields as they are in a list, into an array.  0, or -1 with nothing in
   it that is owned. */
int csv_record_fields(const csv_parser *parser, generators_state *state,
                      const fields_record *record, uint32_t count, PyObject **items,
                      Py_ssize_t *bad);

/* The same into an array that is used again.  0 or -1. */
typedef struct {
    PyObject **items; /* owned, the values too; NULL for one not made */
    size_t count;
    size_t capacity;
} csv_values;

int csv_record_values(const csv_parser *parser, generators_state *state,
                      const fields_record *record, csv_values *values, Py_ssize_t *bad);

/* Let go of the values, and keep the room. */
static inline void
csv_values_drop(csv_values *values)
{
    size_t count = values->count;
    values->count = 0;
    for (size_t i = 0; i < count; i++) {
        Py_XDECREF(values->items[i]);
    }
}

/* Convert and drop what has ended of the record under way, from field *checked on,
   which is moved on: a number that is none is an error in its own line.  0 or -1. */
int csv_check_open_fields(const csv_parser *parser, generators_state *state,
                          uint32_t *checked);

/* The text of one field, whatever `quoting` makes of it. */
PyObject *csv_field_text(const csv_parser *parser, generators_state *state,
                         const fields_record *record, uint32_t index);

#endif
