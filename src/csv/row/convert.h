/* Records as lists and tuples of all their fields. */
#ifndef GENERATORS_CSV_ROW_CONVERT_H
#define GENERATORS_CSV_ROW_CONVERT_H

#include "csv/parse/parser.h"

/* Make a list or a tuple of a record: a new reference, or NULL. *bad is the index of the field
   that could not be converted, or -1 for any other failure. */
PyObject *csv_record_list(const csv_parser *parser, generators_state *state,
                          const fields_record *record, Py_ssize_t *bad);
PyObject *csv_record_tuple(const csv_parser *parser, generators_state *state,
                           const fields_record *record, Py_ssize_t *bad);

/* Put the first `count` fields, made as for a list, into an array.  0, or -1 with no reference
   left in it. */
int csv_record_fields(const csv_parser *parser, generators_state *state,
                      const fields_record *record, uint32_t count, PyObject **items,
                      Py_ssize_t *bad);

/* An array of values that is used again for each record. */
typedef struct {
    PyObject **items; /* owned, like the values; NULL for a value that was moved out */
    size_t count;
    size_t capacity;
} csv_values;

/* Put all fields, made as for a list, into such an array, which must be empty.  0 or -1. */
int csv_record_values(const csv_parser *parser, generators_state *state,
                      const fields_record *record, csv_values *values, Py_ssize_t *bad);

/* Drop the values and keep the memory. */
static inline void
csv_values_drop(csv_values *values)
{
    size_t count = values->count;
    values->count = 0;
    for (size_t i = 0; i < count; i++) {
        Py_XDECREF(values->items[i]);
    }
}

/* Convert and drop the fields that have ended in the record in progress, from *checked on, and
   increase *checked.  A field that is not a number is then an error on its own line.  0 or
   -1. */
int csv_check_open_fields(const csv_parser *parser, generators_state *state,
                          uint32_t *checked);

/* The text of one field, whatever `quoting` would make of it. */
PyObject *csv_field_text(const csv_parser *parser, generators_state *state,
                         const fields_record *record, uint32_t index);

#endif
