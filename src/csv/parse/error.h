/* CSVError, and raising it with its place. */
#ifndef GENERATORS_CSV_PARSE_ERROR_H
#define GENERATORS_CSV_PARSE_ERROR_H

#include "state.h"

PyObject *csv_error_type(void);

/* Where an error is.  All but `message` may be unknown: NULL, -1. */
typedef struct {
    PyObject *path;   /* borrowed */
    int64_t record;   /* from 1; blank records and the header count, too */
    int64_t line;     /* physical, from 1 */
    int64_t byte;     /* from 0 */
    PyObject *column; /* borrowed: a name, or an index from 0 */
    PyObject *text;   /* borrowed: the wrong text, or NULL */
} csv_place;

/* Raise CSVError.  If an exception is set, it becomes the cause. */
void csv_raise(generators_state *state, const csv_place *place, const char *format, ...);

#endif
