/* CSVError, and raising it with its place. */
#ifndef GENERATORS_CSV_PARSE_ERROR_H
#define GENERATORS_CSV_PARSE_ERROR_H

#include "source/data_error.h"

/* The class, once DataError and csv.Error are in the state. */
PyObject *csv_error_type(generators_state *state);

/* Raise CSVError.  If an exception is set, it becomes the cause. */
void csv_raise(generators_state *state, const data_place *place, const char *format, ...);

#endif
