/* Where the objects of a type store an attribute: see attribute_lookup.c. */
#ifndef GENERATORS_EVENTS_ATTRIBUTE_LOOKUP_H
#define GENERATORS_EVENTS_ATTRIBUTE_LOOKUP_H

#include "state.h"

typedef enum {
    LOOKUP_ORDINARY, /* it must be looked up each time */
    LOOKUP_SLOT,     /* `at` is an offset in the object */
    LOOKUP_ITEM,     /* `at` is the index of a tuple */
    LOOKUP_VALUE,    /* `at` is the index of the array of an object's attributes */
} attribute_lookup_kind;

typedef struct {
    unsigned int version; /* of the type to which this applies; 0 for none */
    attribute_lookup_kind kind;
    Py_ssize_t at;
} attribute_lookup;

#if COMPAT_TYPE_VERSIONS

/* Find where objects of the type of `op` store the attribute `name`, which is `value` in `op`.
   `name` is interned.  0, or -1 with an exception that must be raised. */
int attribute_lookup_find(attribute_lookup *self, PyObject *op, PyObject *name,
                          PyObject *value);

static inline PyObject *
attribute_lookup_read_value(const attribute_lookup *self, PyObject *op)
{
    const uint8_t *order;
    Py_ssize_t step;
    size_t count;
    PyObject **values = compat_attribute_values(op, &order, &step, &count);
    return values == NULL ? NULL : Py_XNewRef(values[self->at]);
}

/* Read the attribute of an object whose type has that version: a new reference; NULL without
   an exception if it must be looked up.  Inline because every event is read so. */
static inline PyObject *
attribute_lookup_read(const attribute_lookup *self, PyObject *op)
{
    switch (self->kind) {
    case LOOKUP_SLOT:
        return Py_XNewRef(*(PyObject **)((char *)op + self->at));
    case LOOKUP_ITEM:
        return self->at < PyTuple_GET_SIZE(op) ? Py_NewRef(PyTuple_GET_ITEM(op, self->at))
                                               : NULL;
    case LOOKUP_VALUE:
        return attribute_lookup_read_value(self, op);
    default:
        return NULL;
    }
}

#endif

#endif
