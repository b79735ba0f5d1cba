/* Where in an object the value of an attribute is.
 *
 * What the interpreter does for `object.name` in Python code that has run before, for
 * code in C: the type's version, which changes with the type and with each of its bases,
 * says that the attribute is where it was.  It is known for slots, for fields of named
 * tuples, and for what a class keeps in its objects without a dict.
 *
 * The last is in no public header.  This file alone is compiled as a part of the
 * interpreter, for versions whose layout is known (see place.h); what is found there
 * is compared with what the attribute is before the place is believed in.
 *
 * Nothing here is owned, and no user code runs.
 */
#define Py_BUILD_CORE_MODULE 1

#include "events/place.h"

#if PLACES_ARE_KNOWN

#ifdef __GNUC__
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-parameter"
#endif
#include "internal/pycore_dict.h"
#include "internal/pycore_object.h"
#ifdef __GNUC__
#pragma GCC diagnostic pop
#endif

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

/* ---- values in lieu of a dict ---- */

PyObject **
place_values(PyObject *op)
{
#if PY_VERSION_HEX >= 0x030D0000
    PyDictValues *values = _PyObject_InlineValues(op);
    return values->valid ? values->values : NULL;
#elif PY_VERSION_HEX >= 0x030C0000
    PyDictOrValues either = *_PyObject_DictOrValuesPointer(op);
    return _PyDictOrValues_IsValues(either) ? _PyDictOrValues_GetValues(either)->values : NULL;
#else
    PyDictValues *values = *_PyObject_ValuesPointer(op);
    return values == NULL ? NULL : values->values;
#endif
}

#if PY_VERSION_HEX >= 0x030D0000
#define HAS_VALUES Py_TPFLAGS_INLINE_VALUES
#else
#define HAS_VALUES Py_TPFLAGS_MANAGED_DICT
#endif

/* The index of the attribute's value, or -1.  A name's index stays as it is for as long
   as the type lives. */
static Py_ssize_t
index_of_field(PyTypeObject *type, PyObject *name)
{
    if (!PyType_HasFeature(type, Py_TPFLAGS_HEAPTYPE) ||
        !PyType_HasFeature(type, HAS_VALUES)) {
        return -1;
    }
    PyDictKeysObject *keys = ((PyHeapTypeObject *)type)->ht_cached_keys;
    if (keys == NULL || keys->dk_kind != DICT_KEYS_SPLIT) {
        return -1;
    }
    for (Py_ssize_t i = 0; i < keys->dk_nentries; i++) {
        if (DK_UNICODE_ENTRIES(keys)[i].me_key == name) {
            return i;
        }
    }
    return -1;
}

/* ---- finding ---- */

/* Whether an object's own attribute comes before what its class has, now and ever. */
static bool
is_overridden(PyObject *descriptor)
{
    return descriptor == NULL ||
           (Py_TYPE(descriptor)->tp_descr_set == NULL &&
            PyType_HasFeature(Py_TYPE(descriptor), Py_TPFLAGS_IMMUTABLETYPE));
}

static void
find(attribute_place *self, PyObject *op, PyObject *name)
{
    PyTypeObject *type = Py_TYPE(op);
    PyObject *descriptor = _PyType_Lookup(type, name); /* borrowed from the type */
    self->version = type->tp_version_tag;
    if (is_overridden(descriptor)) {
        self->at = index_of_field(type, name);
        self->kind = self->at < 0 ? PLACE_NONE : PLACE_FIELD;
    }
    else if (Py_IS_TYPE(descriptor, &PyMemberDescr_Type)) {
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
