/* The parameters of a NamedTuple or a dataclass. */
#ifndef GENERATORS_CSV_ROW_CLASSES_H
#define GENERATORS_CSV_ROW_CLASSES_H

#include "state.h"

/* One parameter of a class, in the order of its constructor. */
typedef struct {
    PyObject *name;  /* owned: an exact str */
    PyObject *hint;  /* owned: its annotation, or NULL */
    bool optional;   /* it has a default */
    bool keyword;    /* it must be passed by name */
    PyObject *value; /* owned: the default, if it is known, or NULL */
} csv_parameter;

typedef struct {
    csv_parameter *items; /* owned */
    Py_ssize_t count;
} csv_signature;

/* Read the parameters that a class is called with.  *direct is set if the tuple may be made
   without calling the class; *init (new, or NULL) is an __init__ that may be called directly.
   0 or -1. */
int csv_signature_of_named_tuple(csv_signature *self, PyObject *type, bool *direct);
int csv_signature_of_dataclass(csv_signature *self, PyObject *type, PyObject **init);
void csv_signature_free(csv_signature *self);
int csv_signature_traverse(csv_signature *self, visitproc visit, void *arg);

#endif
