/* Where the objects of a type store an attribute.
 *
 * The interpreter caches this for `object.name` in Python code.  Here it is cached for C.  The
 * version of a type changes with the type and with each of its bases.  While it is the same,
 * the attribute is at the same place.  Slots, the fields of named tuples and the attributes of
 * an object that has no dict of its own are cached.  A place is used only if it holds the
 * value of the attribute.  The place of an attribute without a slot is the only one that holds
 * the value; if there are several, the attribute is looked up each time.
 *
 * Nothing is owned.
 *
 * User code: __reduce__() of a descriptor that calls itself a field of a named tuple, and
 * __eq__() of keys in a class.
 *
 * Threads: used only with the GIL.
 */
#include "events/attribute_lookup.h"

#include "runtime/raising.h"

#if COMPAT_TYPE_VERSIONS

/* The index of a named tuple's field, from the arguments with which its descriptor is pickled:
   1 and *index; 0 if they do not tell; or -1 with an exception that must be raised. */
static int
tuple_field_index(PyObject *descriptor, Py_ssize_t *index)
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

/* Find the place that a descriptor tells, if any.  0 or -1. */
static int
attribute_lookup_find_place(attribute_lookup *self, PyObject *op, PyObject *descriptor)
{
    if (compat_slot_offset(descriptor, &self->at)) {
        self->kind = LOOKUP_SLOT;
    }
    else if (PyTuple_Check(op) && compat_is_named_tuple_field(descriptor)) {
        int found = tuple_field_index(descriptor, &self->at);
        self->kind = found > 0 ? LOOKUP_ITEM : LOOKUP_ORDINARY;
        return found < 0 ? -1 : 0;
    }
    return 0;
}

/* Find the value among the attributes of the object, if they are in an array. */
static void
attribute_lookup_find_value(attribute_lookup *self, PyObject *op, PyObject *value)
{
    const uint8_t *order;
    Py_ssize_t step;
    size_t count, found = 0;
    PyObject **values = compat_attribute_values(op, &order, &step, &count);
    for (size_t i = 0; values != NULL && i < count; i++) {
        uint8_t index = order[(Py_ssize_t)i * step];
        if (values[index] == value) {
            self->at = index;
            found++;
        }
    }
    self->kind = found == 1 ? LOOKUP_VALUE : LOOKUP_ORDINARY;
}

/* Whether the attribute of an object comes before what its class has under that name, and will
   while the class is the same. */
static bool
descriptor_never_comes_first(PyObject *descriptor)
{
    return descriptor == NULL ||
           (PyType_HasFeature(Py_TYPE(descriptor), Py_TPFLAGS_IMMUTABLETYPE) &&
            Py_TYPE(descriptor)->tp_descr_set == NULL);
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
    int status = descriptor == NULL ? 0 : attribute_lookup_find_place(self, op, descriptor);
    if (status == 0 && self->kind == LOOKUP_ORDINARY &&
        descriptor_never_comes_first(descriptor)) {
        attribute_lookup_find_value(self, op, value);
    }
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
