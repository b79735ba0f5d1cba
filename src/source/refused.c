/* Objects that are given as a source and are none: see refused.h.
 *
 * Responses are known by the methods of their class, so that no library is imported here.
 * There is no state.  User code runs in the attributes of a class or of a file.
 */
#include "source/refused.h"

#include "runtime/attributes.h"

/* ---- responses ---- */

static const struct {
    const char *method; /* that the class has */
    const char *other;  /* that it has too, or NULL */
    const char *advice; /* for a sync reader, and for an async one */
    const char *async_advice;
} responses[] = {
    {"iter_content", NULL, "pass response.iter_content(65536), of a request with stream=True",
     "it is a sync one: pass to_async(response.iter_content(65536))"},
    {"iter_bytes", NULL, "pass response.iter_bytes(), within client.stream()",
     "pass response.aiter_bytes(), within client.stream()"},
    {"release", "get_encoding",
     "it is an async one: use acsv_rows() or another async reader, and pass response.content",
     "pass response.content"}, /* aiohttp */
};

/* Whether the class is that of such a response.  1, 0 or -1. */
static int
refused_is_response(PyObject *type, size_t i)
{
    int has = attributes_has(type, responses[i].method);
    return has > 0 && responses[i].other != NULL ? attributes_has(type, responses[i].other)
                                                 : has;
}

int
refused_check_response(PyObject *source, bool is_async)
{
    PyObject *type = (PyObject *)Py_TYPE(source);
    if (PyList_CheckExact(source) || PyTuple_CheckExact(source) || PyGen_CheckExact(source) ||
        PyAsyncGen_CheckExact(source)) {
        return 0;
    }
    for (size_t i = 0; i < Py_ARRAY_LENGTH(responses); i++) {
        int is = refused_is_response(type, i);
        if (is < 0) {
            return -1;
        }
        if (is) {
            PyErr_Format(PyExc_TypeError,
                         "source must not be the response itself, a '%.200s': %s",
                         Py_TYPE(source)->tp_name,
                         is_async ? responses[i].async_advice : responses[i].advice);
            return -1;
        }
    }
    return 0;
}

/* The number that an attribute is: 0 if it is none, or -1. */
static int64_t
refused_number(PyObject *file, const char *name)
{
    PyObject *value = PyObject_GetAttrString(file, name);
    if (value == NULL) {
        return raising_forgive_answer();
    }
    int64_t number = PyLong_CheckExact(value) ? PyLong_AsLongLong(value) : 0;
    Py_DECREF(value);
    return number < 0 && PyErr_Occurred() ? raising_forgive_answer() : number < 0 ? 0 : number;
}

int64_t
refused_missing_bytes(PyObject *file)
{
    PyObject *type = (PyObject *)Py_TYPE(file);
    int has = attributes_has(type, "supports_chunked_reads"); /* urllib3 */
    if (has != 0) {
        return has < 0 ? -1 : refused_number(file, "length_remaining");
    }
    has = attributes_has(type, "getheader"); /* http.client */
    return has > 0 ? refused_number(file, "length") : has;
}

/* ---- paths ---- */

void
refused_explain_path(PyObject *path)
{
    const Py_ssize_t length = PyUnicode_GET_LENGTH(path);
    Py_ssize_t end = PyUnicode_FindChar(path, '\n', 0, length, 1);
    end = end < 0 ? PyUnicode_FindChar(path, '\r', 0, length, 1) : end;
    if (end < 0 || (!PyErr_ExceptionMatches(PyExc_OSError) &&
                    !PyErr_ExceptionMatches(PyExc_ValueError))) {
        return;
    }
    PyObject *cause = PyErr_GetRaisedException();
    PyErr_SetString(PyExc_ValueError, "source is a str with line ends, which is no path: pass "
                                      "io.StringIO(text) or text.encode()");
    PyObject *error = PyErr_GetRaisedException();
    PyException_SetCause(error, cause);
    PyErr_SetRaisedException(error);
}

int
refused_check_path(PyObject *source, const char *who)
{
    int is = PyUnicode_Check(source) ? 1 : attributes_has(source, "__fspath__");
    if (is > 0) {
        PyErr_Format(
            PyExc_TypeError,
            "source must be an async iterable of str or bytes, not a path: use %s(path), or "
            "to_async(%s(path)) on an event loop",
            who + (who[0] == 'a'), who + (who[0] == 'a'));
    }
    return is == 0 ? 0 : -1;
}

/* ---- coroutines ---- */

void
refused_raise_coroutine(PyObject *coroutine, const char *who)
{
    PyObject *closed = PyObject_CallMethod(coroutine, "close", NULL);
    if (closed != NULL) {
        Py_DECREF(closed);
        PyErr_Format(PyExc_TypeError,
                     "read() should have returned bytes or str, not a coroutine: the source "
                     "is an async one, use a%s()",
                     who);
    }
}
