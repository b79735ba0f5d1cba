/* Where in an object the value of an attribute is: see place.c. */
#ifndef GENERATORS_EVENTS_PLACE_H
#define GENERATORS_EVENTS_PLACE_H

#include "state.h"

/* A type's version can be had up to 3.13; without the GIL a place can't be read without
   more ado. */
#if PY_VERSION_HEX < 0x030E0000 && !defined(Py_GIL_DISABLED)
#define PLACES_ARE_KNOWN 1
#else
#define PLACES_ARE_KNOWN 0
#endif

typedef enum {
    PLACE_NONE, /* the attribute must be asked for */
    PLACE_SLOT, /* `at` is an offset in the object */
    PLACE_ITEM, /* an index of a tuple */
} place_kind;

typedef struct {
    unsigned int version; /* of the type whose objects have it there; 0 for no type */
    place_kind kind;
    Py_ssize_t at;
} attribute_place;

#if PLACES_ARE_KNOWN

/* Where objects of the type of this one, whose attribute is `value`, have it.  `name` is
   interned. */
void place_find(attribute_place *self, PyObject *op, PyObject *name, PyObject *value);

/* What is there in an object of a type of that version, a new reference; NULL where
   nothing is. */
static inline PyObject *
place_read(const attribute_place *self, PyObject *op)
{
    switch (self->kind) {
    case PLACE_SLOT:
        return Py_XNewRef(*(PyObject **)((char *)op + self->at));
    case PLACE_ITEM:
        return self->at < PyTuple_GET_SIZE(op) ? Py_NewRef(PyTuple_GET_ITEM(op, self->at))
                                               : NULL;
    default:
        return NULL;
    }
}

#endif

#endif
