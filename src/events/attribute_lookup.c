/* Where the objects of a type store an attribute.
 *
 * The interpreter remembers this for `object.name` in Python code that has run before; here it
 * is done for C.  A type has a version, which changes with the type and with each of its
 * bases: while it is the same, the attribute is where it was.  Slots and the fields of named
 * tuples are known.  An attribute in an object's __dict__ is looked up each time, since its
 * place there is internal to the interpreter.  A place that was found is used only if it holds
 * what the attribute is.
 *
 * Nothing is owned.  User code: the __reduce__() of a descriptor that calls itself
 * _tuplegetter, and __eq__ of keys in a class.
 */
#include "events/attribute_lookup.h"

#include "runtime/raising.h"

#if COMPAT_TYPE_VERSIONS

#include <string.h>

/* ---- named tuples ---- */

static bool
is_field_of_tuple(PyObject *descriptor)
{
    const char *name = Py_TYPE(descriptor)->tp_name, *dot = strrchr(name, '.');
    return dot != NULL && strcmp(dot + 1, "_tuplegetter") == 0;
}

/* The index of a named tuple's field, as its descriptor is pickled: 1 and *index; 0 where it
   does not tell; or -1 with an exception that must pass. */
static int
find_index(PyObject *descriptor, Py_ssize_t *index)
{
    PyObject *reduced = PyObject_CallMethod(descriptor, "__reduce__", NULL);
    const char *doc;
    int found = reduced != NULL && PyTuple_Check(reduced) && PyTuple_GET_SIZE(reduced) == 2 &&
                PyArg_ParseTuple(PyTuple_GET_ITEM(reduced, 1), "nz", index, &doc);
    if (!found && PyErr_Occurred()) {
        found = raising_forgive_answer();
    }
    Py_XDECREF(reduced);
    return found > 0 && *index < 0 ? 0 : found;
}

/* ---- finding ---- */

/* 0 or -1. */
static int
find(attribute_lookup *self, PyObject *op, PyObject *descriptor)
{
    if (Py_IS_TYPE(descriptor, &PyMemberDescr_Type)) {
        PyMemberDef *member = ((PyMemberDescrObject *)descriptor)->d_member;
        if (member->type == Py_T_OBJECT_EX && member->offset > 0 && member->flags == 0) {
            self->at = member->offset;
            self->kind = LOOKUP_SLOT;
        }
    }
    else if (PyTuple_Check(op) && is_field_of_tuple(descriptor)) {
        int found = find_index(descriptor, &self->at);
        self->kind = found > 0 ? LOOKUP_ITEM : LOOKUP_ORDINARY;
        return found < 0 ? -1 : 0;
    }
    return 0;
}

int
attribute_lookup_find(attribute_lookup *self, PyObject *op, PyObject *name, PyObject *value)
{
    PyTypeObject *type = Py_TYPE(op);
    *self = (attribute_lookup){0};
    if (type->tp_getattro != PyObject_GenericGetAttr) {
        return 0;
    }
    PyObject *descriptor = compat_type_lookup(type, name);
    self->version = compat_type_version(type);
    int status = descriptor == NULL ? 0 : find(self, op, descriptor);
    Py_XDECREF(descriptor);
    /* User code may have changed the type meanwhile. */
    if (status < 0 || Py_TYPE(op) != type || self->version != compat_type_version(type)) {
        *self = (attribute_lookup){0};
        return status;
    }
    PyObject *found = attribute_lookup_read(self, op);
    if (found != value) {
        self->kind = LOOKUP_ORDINARY;
    }
    Py_XDECREF(found);
    return 0;
}

#endif
