/* Attributes of objects of the user, and getters of our own. */
#ifndef GENERATORS_RUNTIME_ATTRIBUTES_H
#define GENERATORS_RUNTIME_ATTRIBUTES_H

#include "runtime/raising.h"

/* The method of a type that annotations can subscribe. */
#define ATTRIBUTES_GENERIC                                                          \
    {                                                                               \
        "__class_getitem__", Py_GenericAlias, METH_O | METH_CLASS,                  \
            "__class_getitem__($type, item, /)\n--\n\nReturn a generic alias, for " \
            "annotations."                                                          \
    }

/* Whether it has the attribute: 1, 0 or, with an exception set, -1. */
static inline int
attributes_has(PyObject *op, const char *name)
{
    PyObject *value = PyObject_GetAttrString(op, name);
    if (value == NULL) {
        return raising_forgive(PyExc_AttributeError);
    }
    Py_DECREF(value);
    return 1;
}

/* Getters of a number, and of a flag, that change in the object's critical section; the
   closure is where in it. */
static inline PyObject *
attributes_get_count(PyObject *op, void *offset)
{
    uint64_t count;
    Py_BEGIN_CRITICAL_SECTION(op);
    count = *(uint64_t *)((char *)op + (size_t)offset);
    Py_END_CRITICAL_SECTION();
    return PyLong_FromUnsignedLongLong(count);
}

static inline PyObject *
attributes_get_flag(PyObject *op, void *offset)
{
    bool flag;
    Py_BEGIN_CRITICAL_SECTION(op);
    flag = *(bool *)((char *)op + (size_t)offset);
    Py_END_CRITICAL_SECTION();
    return PyBool_FromLong(flag);
}

#endif
