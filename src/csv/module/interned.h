/* The names of attributes and methods that this room looks up, interned; and one value. */
#ifndef GENERATORS_CSV_MODULE_INTERNED_H
#define GENERATORS_CSV_MODULE_INTERNED_H

#include "state.h"

typedef enum {
    CSV_NAME_FIELDNAMES,
    CSV_NAME_OWN_FIELDNAMES, /* _fieldnames */
    CSV_NAME_RESTKEY,
    CSV_NAME_RESTVAL,
    CSV_NAME_READER,
    CSV_NAME_DIALECT,
    CSV_NAME_LINE_NUM,
    CSV_NAME_EXTRASACTION,
    CSV_NAME_WRITER,
    CSV_NAME_WRITEROW,
    CSV_NAME_WRITEROWS,
    CSV_NAME_DICT_TO_LIST, /* _dict_to_list */
    CSV_NAME_RAISE,
    CSV_NAME_COUNT,
} csv_name;

/* Make a tuple of all of them, for the module's state: a new reference, or NULL. */
PyObject *csv_interned_new(void);

/* One of them: borrowed from the state. */
static inline PyObject *
csv_interned(const generators_state *state, csv_name name)
{
    return PyTuple_GET_ITEM(state->csv_interned, name);
}

#endif
