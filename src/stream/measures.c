/* Attributes for metrics: see measures.h.
 *
 * Nothing here has a state.  A reader fills the struct while it has the stream's section.
 * What is made of the numbers is made here, without it, and no user code runs: a source is
 * named by its type or, if it is a generator, by the name of its function.
 */
#include "stream/measures.h"

#include "runtime/frame.h"

static measures
measures_read(PyObject *op, const void *reader)
{
    measures all = {.held_bytes = MEASURES_UNBOUNDED};
    ((const measures_reader *)reader)->read(op, &all);
    return all;
}

/* The same where the source does not matter. */
static measures
measures_read_numbers(PyObject *op, const void *reader)
{
    measures all = measures_read(op, reader);
    Py_CLEAR(all.source);
    return all;
}

PyObject *
measures_get_items(PyObject *op, void *reader)
{
    return PyLong_FromUnsignedLongLong(measures_read_numbers(op, reader).items);
}

PyObject *
measures_get_held(PyObject *op, void *reader)
{
    return PyLong_FromSsize_t(measures_read_numbers(op, reader).held);
}

PyObject *
measures_get_held_bytes(PyObject *op, void *reader)
{
    Py_ssize_t bytes = measures_read_numbers(op, reader).held_bytes;
    return bytes == MEASURES_UNBOUNDED ? Py_NewRef(Py_None) : PyLong_FromSsize_t(bytes);
}

PyObject *
measures_get_running(PyObject *op, void *reader)
{
    return PyLong_FromSsize_t(measures_read_numbers(op, reader).running);
}

PyObject *
measures_get_errors(PyObject *op, void *reader)
{
    return PyLong_FromUnsignedLongLong(measures_read_numbers(op, reader).errors);
}

PyObject *
measures_get_closed(PyObject *op, void *reader)
{
    return PyBool_FromLong(measures_read_numbers(op, reader).is_closed);
}

PyObject *
measures_get_waits_for(PyObject *op, void *reader)
{
    const char *what = measures_read_numbers(op, reader).waits_for;
    return what == NULL ? Py_NewRef(Py_None) : PyUnicode_FromString(what);
}

/* ---- repr() ---- */

PyObject *
measures_source_name(PyObject *source)
{
    if (PyUnicode_CheckExact(source)) {
        return Py_NewRef(source);
    }
    if (PyGen_CheckExact(source) || PyAsyncGen_CheckExact(source)) {
        return PyObject_GetAttrString(source, "__qualname__");
    }
    return PyUnicode_FromString(frame_type_name(source));
}

/* " of NAME" or " of 3 sources", or an empty text. */
static PyObject *
measures_source_text(PyObject *source, Py_ssize_t count)
{
    if (source == NULL) {
        return count > 0 ? PyUnicode_FromFormat(" of %zd sources", count)
                         : PyUnicode_FromString("");
    }
    PyObject *name = measures_source_name(source);
    if (name == NULL) {
        return NULL;
    }
    PyObject *text = PyUnicode_FromFormat(" of %U", name);
    Py_DECREF(name);
    return text;
}

PyObject *
measures_repr(PyObject *op, const measures_reader *reader)
{
    measures all = measures_read(op, reader);
    PyObject *source = measures_source_text(all.source, all.sources);
    Py_XDECREF(all.source);
    if (source == NULL) {
        return NULL;
    }
    const char *state = all.is_closed           ? ", closed"
                        : all.waits_for != NULL ? ", waits_for="
                                                : "";
    PyObject *text = PyUnicode_FromFormat(
        "<%s%U: items=%llu, held=%zd, running=%zd, errors=%llu%s%s>", Py_TYPE(op)->tp_name,
        source, (unsigned long long)all.items, all.held, all.running,
        (unsigned long long)all.errors, state, all.waits_for == NULL ? "" : all.waits_for);
    Py_DECREF(source);
    return text;
}
