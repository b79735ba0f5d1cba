/* The arguments of DictReader and DictWriter. */
#ifndef GENERATORS_CSV_MODULE_CALL_H
#define GENERATORS_CSV_MODULE_CALL_H

#include "state.h"

#define CSV_CALL_OWN 5 /* arguments; `f` is the first, `dialect` the last */

typedef struct {
    PyObject *values[CSV_CALL_OWN]; /* owned: the arguments; NULL for one that was not given */
    PyObject *dialect;              /* owned: as given, or 'excel' */
    PyObject *rest;                 /* owned: a tuple of the other positional arguments */
    PyObject *keywords;             /* owned: a dict of the other keyword arguments */
} csv_call;

/* Read the arguments of these names, which end with NULL.  The first `required` of them must
   be given.  0, or -1 with nothing held. */
int csv_call_bind(csv_call *call, const char *type, const char *const *names, int required,
                  PyObject *args, PyObject *kwargs);
void csv_call_free(csv_call *call);

/* Call callable(f, dialect, *rest, **keywords) and return the result. */
PyObject *csv_call_onward(const csv_call *call, PyObject *callable);

/* The given fieldnames, as a list if they are an iterator; None for None: a new reference, or
   NULL. */
PyObject *csv_fieldnames(PyObject *given);

#endif
