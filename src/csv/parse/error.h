/* CSVError, and raising it with its place. */
#ifndef GENERATORS_CSV_PARSE_ERROR_H
#define GENERATORS_CSV_PARSE_ERROR_H

#include "state.h"

PyObject *csv_error_type(void);

/* Where an error is.  All but `message` may be unknown: NULL, -1. */
typedef struct {
    PyObject *path;   /* borrowed */
    int64_t record;   /* from 1 on, blank ones and the header too */
    int64_t line;     /* physical, from 1 on */
    int64_t byte;     /* from 0 on */
    PyObject *column; /* borrowed: a name, or an index from 0 on */
    PyObject *text;   /* borrowed: what was wrong, or NULL */
} csv_place;

/* Raise CSVError, with the exception being raised, if one is, as its cause. */
void csv_raise(generators_state *state, const csv_place *place, const char *format, ...);

#endif
