/* arrow_source: batches from any object that offers Arrow data.
 *
 * An object offers a stream by __arrow_c_stream__(), or one array with its schema by
 * __arrow_c_array__().  Both give capsules.  The structs are moved out of them, so that this
 * source decides when they are released: each batch when the next one is taken, all the rest
 * when it is closed.
 *
 * States: opened, typed (the schema was read), closed.  User code runs in the object's methods
 * and in the functions of the structs.  The GIL is released while a batch is made, because a
 * query or a file may be read for it.  The owner locks.
 *
 * What a stream holds cannot be visited, so a circle through it is never collected.
 */
#include "arrow/source.h"

#include "arrow/stream.h"

#include <errno.h>
#include <string.h>

#include "runtime/attributes.h"
#include "runtime/raising.h"

/* ---- opening ---- */

int
arrow_source_offers(PyObject *op)
{
    if (PyList_CheckExact(op) || PyTuple_CheckExact(op) || PyDict_CheckExact(op) ||
        PyGen_CheckExact(op) || PyUnicode_CheckExact(op) || PyBytes_CheckExact(op)) {
        return 0;
    }
    int offers = attributes_has(op, "__arrow_c_stream__");
    if (offers == 0) {
        offers = attributes_has(op, "__arrow_c_array__");
    }
    if (offers <= 0) {
        return offers;
    }
    PyObject *dimensions = PyObject_GetAttrString(op, "ndim");
    if (dimensions == NULL) {
        return raising_forgive(PyExc_AttributeError) < 0 ? -1 : 1;
    }
    bool one = PyLong_CheckExact(dimensions) && PyLong_AsLong(dimensions) == 1;
    Py_DECREF(dimensions);
    return PyErr_Occurred() ? raising_forgive(PyExc_OverflowError) < 0 ? -1 : 1 : !one;
}

static void *
capsule_content(PyObject *op, const char *name)
{
    if (!PyCapsule_IsValid(op, name)) {
        PyErr_Format(PyExc_TypeError, "a capsule with an '%s' was expected, not '%.200s'",
                     name, Py_TYPE(op)->tp_name);
        return NULL;
    }
    return PyCapsule_GetPointer(op, name);
}

/* Say that a capsule was used before. */
static int
refuse_released(const char *what)
{
    PyErr_Format(PyExc_ValueError, "the %s was released", what);
    return -1;
}

static int
take_stream(arrow_source *self, PyObject *capsule)
{
    struct ArrowArrayStream *stream = capsule_content(capsule, "arrow_array_stream");
    if (stream == NULL) {
        return -1;
    }
    if (stream->release == NULL) {
        return refuse_released("Arrow stream");
    }
    self->stream = *stream;
    stream->release = NULL;
    return 0;
}

static int
take_array(arrow_source *self, PyObject *pair)
{
    if (!PyTuple_Check(pair) || PyTuple_GET_SIZE(pair) != 2) {
        PyErr_Format(PyExc_TypeError,
                     "__arrow_c_array__() returned '%.200s', not two capsules",
                     Py_TYPE(pair)->tp_name);
        return -1;
    }
    struct ArrowSchema *schema = capsule_content(PyTuple_GET_ITEM(pair, 0), "arrow_schema");
    struct ArrowArray *array =
        schema == NULL ? NULL : capsule_content(PyTuple_GET_ITEM(pair, 1), "arrow_array");
    if (array == NULL) {
        return -1;
    }
    if (schema->release == NULL || array->release == NULL) {
        return refuse_released("Arrow array");
    }
    self->schema = *schema;
    schema->release = NULL;
    self->batch = *array;
    array->release = NULL;
    self->held = true;
    return 0;
}

int
arrow_source_open(arrow_source *self, PyObject *op)
{
    PyObject *method = PyObject_GetAttrString(op, "__arrow_c_stream__");
    bool is_stream = method != NULL;
    if (method == NULL && raising_forgive(PyExc_AttributeError) == 0) {
        method = PyObject_GetAttrString(op, "__arrow_c_array__");
    }
    PyObject *given = method == NULL ? NULL : PyObject_CallNoArgs(method);
    Py_XDECREF(method);
    if (given == NULL) {
        return -1;
    }
    int status = is_stream ? take_stream(self, given) : take_array(self, given);
    Py_DECREF(given);
    return status;
}

/* A batch may be released while an exception is raised, and `release` may run user code. */
static void
release_batch(arrow_source *self)
{
    struct ArrowArray batch = self->batch;
    self->batch.release = NULL;
    if (batch.release != NULL) {
        PyObject *raised = PyErr_GetRaisedException();
        batch.release(&batch);
        PyErr_SetRaisedException(raised);
    }
}

void
arrow_source_close(arrow_source *self)
{
    struct ArrowArrayStream stream = self->stream;
    struct ArrowSchema schema = self->schema;
    self->stream.release = NULL;
    self->schema.release = NULL;
    self->held = false;
    release_batch(self);
    if (self->typed) {
        self->typed = false;
        arrow_type_free(&self->type);
    }
    PyObject *raised = PyErr_GetRaisedException();
    if (schema.release != NULL) {
        schema.release(&schema);
    }
    if (stream.release != NULL) {
        stream.release(&stream);
    }
    PyErr_SetRaisedException(raised);
}

/* ---- reading ---- */

/* Raise what a failing stream means: its own exception if it left one, or else its message as
   the exception that its errno stands for. */
static int
raise_failure(arrow_source *self, int code)
{
    if (PyErr_Occurred()) {
        return -1;
    }
    PyObject *exception = arrow_stream_exception(&self->stream);
    if (exception != NULL) {
        PyErr_SetRaisedException(exception);
        return -1;
    }
    if (code == ENOMEM) {
        PyErr_NoMemory();
        return -1;
    }
    const char *message = self->stream.get_last_error == NULL
                              ? NULL
                              : self->stream.get_last_error(&self->stream);
    if (PyErr_Occurred()) {
        return -1;
    }
    message = message == NULL ? strerror(code) : message;
    PyObject *text = PyUnicode_DecodeUTF8(message, (Py_ssize_t)strlen(message), "replace");
    if (text == NULL) {
        return -1;
    }
    if (code == EINVAL) {
        PyErr_SetObject(PyExc_ValueError, text);
    }
    else if (code == ENOSYS) {
        PyErr_SetObject(PyExc_NotImplementedError, text);
    }
    else {
        PyObject *error = PyObject_CallFunction(PyExc_OSError, "iO", code, text);
        if (error != NULL) {
            PyErr_SetObject((PyObject *)Py_TYPE(error), error);
            Py_DECREF(error);
        }
    }
    Py_DECREF(text);
    return -1;
}

static int
raise_type(arrow_status status, const struct ArrowSchema *schema)
{
    switch (status) {
    case ARROW_NO_MEMORY:
        PyErr_NoMemory();
        break;
    case ARROW_RELEASED:
        return refuse_released("Arrow schema");
    case ARROW_UNKNOWN:
        PyErr_SetString(PyExc_NotImplementedError, "the schema has an unknown type");
        break;
    default:
        PyErr_Format(PyExc_ValueError, "the schema is wrong: '%.100s' does not fit its parts",
                     schema->format);
        break;
    }
    return -1;
}

/* Release the GIL while another library works.  A stream of ours would only take it back. */
static PyThreadState *
let_others_run(arrow_source *self)
{
    return arrow_stream_carry(&self->stream) ? NULL : PyEval_SaveThread();
}

static void
come_back(PyThreadState *thread)
{
    if (thread != NULL) {
        PyEval_RestoreThread(thread);
    }
}

int
arrow_source_read_type(arrow_source *self)
{
    if (self->typed) {
        return 0;
    }
    if (self->stream.release != NULL) {
        int code;
        struct ArrowSchema schema = {.release = NULL};
        PyThreadState *thread = let_others_run(self);
        code = self->stream.get_schema(&self->stream, &schema);
        come_back(thread);
        if (code != 0) {
            return raise_failure(self, code);
        }
        self->schema = schema;
    }
    if (self->schema.release == NULL) {
        return refuse_released("Arrow schema");
    }
    self->typed = true;
    arrow_status status = arrow_type_read(&self->type, &self->schema);
    return status == ARROW_OK ? 0 : raise_type(status, &self->schema);
}

static int
check_batch(arrow_source *self)
{
    const char *fault = arrow_check(&self->type, &self->batch);
    self->count++;
    if (fault != NULL) {
        PyErr_Format(PyExc_ValueError, "Arrow data are wrong: %s", fault);
        return -1;
    }
    return 1;
}

int
arrow_source_next(arrow_source *self)
{
    if (arrow_source_read_type(self) < 0) {
        return -1;
    }
    if (self->held) {
        self->held = false;
        return check_batch(self);
    }
    release_batch(self);
    if (self->stream.release == NULL) {
        return 0;
    }
    int code;
    struct ArrowArray batch = {.release = NULL};
    PyThreadState *thread = let_others_run(self);
    code = self->stream.get_next(&self->stream, &batch);
    come_back(thread);
    if (code != 0) {
        return raise_failure(self, code);
    }
    self->batch = batch;
    return batch.release == NULL ? 0 : check_batch(self);
}
