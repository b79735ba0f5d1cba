/* The capsules of the Arrow PyCapsule interface: see capsule.h.  No user code runs here. */
#include "arrow/capsule.h"

/* A destructor for each struct: it is released, if nobody moved it out, and freed. */
#define DESTRUCTOR(function, type, name)                         \
    static void function(PyObject *capsule)                      \
    {                                                            \
        struct type *held = PyCapsule_GetPointer(capsule, name); \
        if (held->release != NULL) {                             \
            held->release(held);                                 \
        }                                                        \
        PyMem_Free(held);                                        \
    }

DESTRUCTOR(free_schema, ArrowSchema, ARROW_SCHEMA_CAPSULE)
DESTRUCTOR(free_array, ArrowArray, ARROW_ARRAY_CAPSULE)
DESTRUCTOR(free_stream, ArrowArrayStream, ARROW_STREAM_CAPSULE)

/* A capsule of zeroed memory, whose struct has nothing to release yet. */
static PyObject *
new_capsule(size_t size, const char *name, PyCapsule_Destructor finish, void **held)
{
    *held = PyMem_Calloc(1, size);
    if (*held == NULL) {
        return PyErr_NoMemory();
    }
    PyObject *capsule = PyCapsule_New(*held, name, finish);
    if (capsule == NULL) {
        PyMem_Free(*held);
    }
    return capsule;
}

static PyObject *
finished(PyObject *capsule, bool filled)
{
    if (!filled) {
        Py_DECREF(capsule);
        return PyErr_NoMemory();
    }
    return capsule;
}

PyObject *
arrow_capsule_of_fields(arrow_fields *fields_held)
{
    void *held;
    PyObject *capsule =
        new_capsule(sizeof(struct ArrowSchema), ARROW_SCHEMA_CAPSULE, free_schema, &held);
    return capsule == NULL ? NULL : finished(capsule, arrow_export_fields(fields_held, held));
}

PyObject *
arrow_capsule_of_field(arrow_fields *fields_held, size_t index)
{
    void *held;
    PyObject *capsule =
        new_capsule(sizeof(struct ArrowSchema), ARROW_SCHEMA_CAPSULE, free_schema, &held);
    return capsule == NULL ? NULL
                           : finished(capsule, arrow_export_field(fields_held, index, held));
}

/* A pair of them, both stolen; either may be NULL. */
static PyObject *
pair_of(PyObject *schema, PyObject *array)
{
    PyObject *pair = schema == NULL || array == NULL ? NULL : PyTuple_Pack(2, schema, array);
    Py_XDECREF(schema);
    Py_XDECREF(array);
    return pair;
}

PyObject *
arrow_capsules_of_batch(arrow_batch *batch)
{
    void *held;
    PyObject *schema = arrow_capsule_of_fields(batch->fields);
    PyObject *array = schema == NULL ? NULL
                                     : new_capsule(sizeof(struct ArrowArray),
                                                   ARROW_ARRAY_CAPSULE, free_array, &held);
    if (array != NULL) {
        array = finished(array, arrow_export_batch(batch, held));
    }
    return pair_of(schema, array);
}

PyObject *
arrow_capsules_of_column(arrow_batch *batch, size_t index)
{
    void *held;
    PyObject *schema = arrow_capsule_of_field(batch->fields, index);
    PyObject *array = schema == NULL ? NULL
                                     : new_capsule(sizeof(struct ArrowArray),
                                                   ARROW_ARRAY_CAPSULE, free_array, &held);
    if (array != NULL) {
        array = finished(array, arrow_export_column(batch, index, held));
    }
    return pair_of(schema, array);
}

PyObject *
arrow_capsule_of_stream(struct ArrowArrayStream *stream)
{
    void *held;
    PyObject *capsule =
        new_capsule(sizeof(struct ArrowArrayStream), ARROW_STREAM_CAPSULE, free_stream, &held);
    if (capsule == NULL) {
        stream->release(stream);
        return NULL;
    }
    *(struct ArrowArrayStream *)held = *stream;
    stream->release = NULL;
    return capsule;
}

const struct ArrowSchema *
arrow_capsule_schema(PyObject *capsule)
{
    return PyCapsule_GetPointer(capsule, ARROW_SCHEMA_CAPSULE);
}
