/* The parameters of a class that rows are made into. */
#ifndef GENERATORS_CSV_ROW_CLASSES_H
#define GENERATORS_CSV_ROW_CLASSES_H

#include "state.h"

/* One parameter of a class, in the order of its constructor. */
typedef struct {
    PyObject *name;    /* owned: an exact str; NULL: that of `names` which was found */
    PyObject *names;   /* owned: a tuple of those that its column may have; NULL: `name` */
    PyObject *hint;    /* owned: its annotation, or NULL */
    bool loose;        /* the class itself converts text; see CSV_TYPE_LOOSE */
    bool optional;     /* it has a default */
    bool keyword;      /* it must be passed by name */
    PyObject *value;   /* owned: the default, to be passed if there is no column, or NULL */
    PyObject *missing; /* owned: the default, to be passed if a record has no such field, or
                          NULL */
} csv_parameter;

typedef struct {
    csv_parameter *items; /* owned */
    Py_ssize_t count;
    bool by_name; /* each is passed by name */
} csv_signature;

/* Read the parameters that a class is called with.  *direct is set if the tuple may be made
   without calling the class; *init (new, or NULL) is an __init__ that may be called directly.
   0 or -1. */
int csv_signature_of_named_tuple(csv_signature *self, PyObject *type, bool *direct);
int csv_signature_of_dataclass(csv_signature *self, PyObject *type, PyObject **init);

/* Whether a dataclass is called with the fields that its signature names, in that order, and
   nothing else runs: 1, 0 or -1. */
int csv_dataclass_is_plain(PyObject *type);

/* The parameters as native_generators._shapes describes them, a list: all by name.  0 or
   -1. */
int csv_signature_of_description(csv_signature *self, PyObject *list);
void csv_signature_free(csv_signature *self);
int csv_signature_traverse(csv_signature *self, visitproc visit, void *arg);

#endif
