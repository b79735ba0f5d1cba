/* Records as lists and tuples of all their fields. */
#ifndef GENERATORS_CSV_ROW_CONVERT_H
#define GENERATORS_CSV_ROW_CONVERT_H

#include "csv/parse/parser.h"

/* A record as a list or a tuple: a new reference, or NULL.  *bad is the index of the field
   that could not be converted, or -1 for any other failure. */
PyObject *csv_record_list(const csv_parser *parser, generators_state *state,
                          const fields_record *record, Py_ssize_t *bad);
PyObject *csv_record_tuple(const csv_parser *parser, generators_state *state,
                           const fields_record *record, Py_ssize_t *bad);

/* Put the first `count` fields, as in a list, into an array.  0, or -1 with no reference left
   in it. */
int csv_record_fields(const csv_parser *parser, generators_state *state,
                      const fields_record *record, uint32_t count, PyObject **items,
                      Py_ssize_t *bad);

/* An array of values that is used again for each record. */
typedef struct {
    PyObject **items; /* owned, and the values too; NULL for one that was moved out */
    size_t count;
    size_t capacity;
} csv_values;

/* Put all fields, as in a list, into such an array, which is empty.  0 or -1. */
int csv_record_values(const csv_parser *parser, generators_state *state,
                      const fields_record *record, csv_values *values, Py_ssize_t *bad);

/* Drop the values, and keep the memory. */
static inline void
csv_values_drop(csv_values *values)
{
    size_t count = values->count;
    values->count = 0;
    for (size_t i = 0; i < count; i++) {
        Py_XDECREF(values->items[i]);
    }
}

/* Convert and drop the fields of the record under way that have ended, from *checked on, which
   is increased: a field that is not a number is an error in its own line.  0 or -1. */
int csv_check_open_fields(const csv_parser *parser, generators_state *state,
                          uint32_t *checked);

/* The text of one field, whatever `quoting` makes of it. */
PyObject *csv_field_text(const csv_parser *parser, generators_state *state,
                         const fields_record *record, uint32_t index);

#endif
