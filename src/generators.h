/* The map of the extension: what the module holds, a spec for each type, and
 * the helpers that all rooms share.
 */
#ifndef GENERATORS_H
#define GENERATORS_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdbool.h>

#include "compat.h"
#include "core/scan.h"

/* State of one copy of the module; every reference is owned. */
typedef struct {
    const scan_kernel *kernel; /* chosen at import, borrowed for ever */
    PyTypeObject *stream_type;
    PyTypeObject *csv_rows_type;
    PyTypeObject *csv_row_type;
    PyTypeObject *csv_block_type;
    PyTypeObject *csv_names_type;
    PyObject *generator_abc; /* collections.abc.Generator */
    PyObject *csv_error;     /* CSVError */
    PyObject *csv_dialect;   /* _csv.Dialect */
    PyObject *io;            /* the module */
    PyObject *str_read;
    PyObject *str_decode;
    PyObject *empty_text;
    PyObject *ascii_model; /* see generators_new_ascii() */
    PyObject *latin1[256]; /* the texts of one character */
} generators_state;

extern struct PyModuleDef generators_module;

extern PyType_Spec stream_spec;
extern PyType_Spec csv_rows_spec;
extern PyType_Spec csv_row_spec;
extern PyType_Spec csv_block_spec;
extern PyType_Spec csv_names_spec;

/* For an object of one of this module's types; not in traverse or dealloc.  None
   of them can be subclassed, so the object's own type is the module's. */
static inline generators_state *
generators_state_of(PyObject *op)
{
    /* What PyType_GetModuleState() does, with one call less for each row. */
    return PyModule_GetState(((PyHeapTypeObject *)Py_TYPE(op))->ht_module);
}

#endif
