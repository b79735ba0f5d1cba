/* Where in an object the value of an attribute is.
 *
 * What the interpreter does for `object.name` in Python code that has run before, for
 * code in C: the type's version, which changes with the type and with each of its bases,
 * says that the attribute is where it was.  It is known for slots and for fields of named
 * tuples; what a class keeps in its objects' dicts is asked for, since where it stands is
 * the interpreter's own affair.  What is found is compared with what the attribute is
 * before the place is believed in.
 *
 * Nothing here is owned, and no user code runs.
 */
#include "events/place.h"

#if PLACES_ARE_KNOWN

#include <string.h>

/* ---- named tuples ---- */

static bool
is_field_of_tuple(PyObject *descriptor)
{
    const char *name = Py_TYPE(descriptor)->tp_name, *dot = strrchr(name, '.');
    return dot != NULL && strcmp(dot + 1, "_tuplegetter") == 0;
}

/* The index of a named tuple's field, whose descriptor tells it to copiers; -1 where it
   does not. */
static Py_ssize_t
index_of_item(PyObject *descriptor)
{
    PyObject *reduced = PyObject_CallMethod(descriptor, "__reduce__", NULL);
    Py_ssize_t index = -1;
    const char *doc;
    if (reduced == NULL || !PyTuple_Check(reduced) || PyTuple_GET_SIZE(reduced) != 2 ||
        !PyArg_ParseTuple(PyTuple_GET_ITEM(reduced, 1), "nz", &index, &doc)) {
        PyErr_Clear(); /* then it is asked for its value each time */
        index = -1;
    }
    Py_XDECREF(reduced);
    return index;
}

/* ---- finding ---- */

static void
find(attribute_place *self, PyObject *op, PyObject *name)
{
    PyTypeObject *type = Py_TYPE(op);
    PyObject *descriptor = _PyType_Lookup(type, name); /* borrowed from the type */
    self->version = type->tp_version_tag;
    if (descriptor == NULL) {
        return;
    }
    if (Py_IS_TYPE(descriptor, &PyMemberDescr_Type)) {
        PyMemberDef *member = ((PyMemberDescrObject *)descriptor)->d_member;
        if (member->type == Py_T_OBJECT_EX && member->offset > 0 && member->flags == 0) {
            self->at = member->offset;
            self->kind = PLACE_SLOT;
        }
    }
    else if (PyTuple_Check(op) && is_field_of_tuple(descriptor)) {
        self->at = index_of_item(descriptor);
        self->kind = self->at < 0 ? PLACE_NONE : PLACE_ITEM;
    }
}

void
place_find(attribute_place *self, PyObject *op, PyObject *name, PyObject *value)
{
    *self = (attribute_place){0};
    if (Py_TYPE(op)->tp_getattro == PyObject_GenericGetAttr) {
        find(self, op, name);
    }
    PyObject *found = place_read(self, op);
    if (found != value) {
        self->kind = PLACE_NONE;
    }
    Py_XDECREF(found);
}

#endif
