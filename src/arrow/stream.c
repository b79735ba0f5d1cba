/* A generator of batches as an ArrowArrayStream: see stream.h.
 *
 * States: open; failed, in which every further call fails in the same way, so that no consumer
 * takes a failure for the end; released.
 *
 * The stream holds its source, and closes it when it is released.  The consumer makes sure
 * that one thread at a time uses it.  User code runs in the source.
 *
 * An exception becomes an errno, and a message which get_last_error() gives: EINVAL for data
 * that can't be read, ENOMEM, EINTR for Ctrl-C, and EIO for any other.  The exception itself
 * is kept for a consumer that can raise it.  For any other, Ctrl-C is raised again when the
 * interpreter next looks for signals, because the consumer makes another error of it.
 */
#include "arrow/stream.h"

#include <errno.h>
#include <string.h>

#include "arrow/enter.h"
#include "arrow/export.h"
#include "core/memory.h"
#include "runtime/raising.h"

typedef struct {
    PyInterpreterState *interpreter; /* borrowed: see enter.h */
    const arrow_source_kind *kind;   /* static */
    PyObject *source;                /* owned */
    PyObject *exception;             /* owned: of the failure, or NULL */
    char *message;                   /* owned: of the failure, or NULL */
    int failure;                     /* errno of the failure, or 0 */
    bool carried;                    /* the consumer raises the exception itself */
} exported_stream;

static const char ended_message[] = "the interpreter that reads this stream has ended, or "
                                    "does not know this thread";

/* ---- failures ---- */

static int
errno_of(PyObject *exception)
{
    if (PyErr_GivenExceptionMatches(exception, PyExc_MemoryError)) {
        return ENOMEM;
    }
    if (PyErr_GivenExceptionMatches(exception, PyExc_KeyboardInterrupt)) {
        return EINTR;
    }
    return PyErr_GivenExceptionMatches(exception, PyExc_ValueError) ? EINVAL : EIO;
}

/* The message of an exception: memory of its own, or NULL with nothing set. */
static char *
message_of(PyObject *exception)
{
    PyObject *text = PyObject_Str(exception);
    if (text != NULL && (PyUnicode_GET_LENGTH(text) == 0 ||
                         !PyErr_GivenExceptionMatches(exception, PyExc_ValueError))) {
        const char *type = Py_TYPE(exception)->tp_name;
        PyObject *both = PyUnicode_FromFormat("%s: %U", type, text);
        Py_SETREF(text, both);
    }
    PyObject *bytes =
        text == NULL ? NULL : PyUnicode_AsEncodedString(text, "utf-8", "backslashreplace");
    Py_XDECREF(text);
    char *message = NULL;
    if (bytes != NULL) {
        size_t size = (size_t)PyBytes_GET_SIZE(bytes) + 1;
        message = CORE_REALLOC(NULL, size);
        if (message != NULL) {
            memcpy(message, PyBytes_AS_STRING(bytes), size);
        }
        Py_DECREF(bytes);
    }
    else if (PyErr_ExceptionMatches(PyExc_KeyboardInterrupt)) {
        PyErr_SetInterrupt();
        PyErr_Clear();
    }
    else {
        raising_unraisable(exception);
    }
    return message;
}

/* Take the exception that is set as the failure of the stream. */
static int
fail(exported_stream *self)
{
    PyObject *exception = PyErr_GetRaisedException();
    self->failure = errno_of(exception);
    self->message = message_of(exception);
    self->exception = exception;
    if (self->failure == EINTR && !self->carried) {
        PyErr_SetInterrupt();
    }
    return self->failure;
}

/* ---- the functions of the stream ---- */

/* Enter the interpreter of a stream that has not failed: 0 or an errno. */
static int
begin(exported_stream *self, arrow_entry *entry)
{
    if (self->failure != 0) {
        return self->failure;
    }
    return arrow_enter(entry, self->interpreter) ? 0 : EIO;
}

static int
get_schema(struct ArrowArrayStream *stream, struct ArrowSchema *out)
{
    exported_stream *self = stream->private_data;
    arrow_entry entry;
    out->release = NULL;
    int status = begin(self, &entry);
    if (status != 0) {
        return status;
    }
    arrow_fields *schema = self->kind->fields(self->source);
    status = schema == NULL ? fail(self) : 0;
    if (status == 0 && !arrow_export_fields(schema, out)) {
        status = ENOMEM;
    }
    arrow_fields_release(schema);
    arrow_leave(&entry);
    return status;
}

static int
get_next(struct ArrowArrayStream *stream, struct ArrowArray *out)
{
    exported_stream *self = stream->private_data;
    arrow_entry entry;
    out->release = NULL;
    int status = begin(self, &entry);
    if (status != 0) {
        return status;
    }
    arrow_batch *batch = NULL;
    if (self->kind->next(self->source, &batch) < 0) {
        status = fail(self);
    }
    else if (batch != NULL && !arrow_export_batch(batch, out)) {
        PyErr_NoMemory();
        status = fail(self); /* the batch is lost, so no other may follow */
    }
    arrow_batch_release(batch);
    arrow_leave(&entry);
    return status;
}

static const char *
get_last_error(struct ArrowArrayStream *stream)
{
    const exported_stream *self = stream->private_data;
    return self->failure == 0 ? ended_message : self->message;
}

static void
release(struct ArrowArrayStream *stream)
{
    if (stream->release == NULL) {
        return;
    }
    exported_stream *self = stream->private_data;
    arrow_entry entry;
    stream->release = NULL;
    stream->private_data = NULL;
    if (arrow_enter(&entry, self->interpreter)) {
        PyObject *source = self->source;
        if (self->kind->close(source) < 0) {
            raising_unraisable(source);
        }
        Py_DECREF(source);
        Py_XDECREF(self->exception);
        arrow_leave(&entry);
    } /* else the source goes with its interpreter */
    CORE_FREE(self->message);
    CORE_FREE(self);
}

int
arrow_export_stream(PyObject *source, const arrow_source_kind *kind,
                    struct ArrowArrayStream *out)
{
    exported_stream *self = CORE_REALLOC(NULL, sizeof *self);
    if (self == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    *self = (exported_stream){
        .interpreter = PyInterpreterState_Get(),
        .kind = kind,
        .source = Py_NewRef(source),
    };
    *out = (struct ArrowArrayStream){get_schema, get_next, get_last_error, release, self};
    return 0;
}

bool
arrow_stream_carry(struct ArrowArrayStream *stream)
{
    if (stream->release != release) {
        return false;
    }
    ((exported_stream *)stream->private_data)->carried = true;
    return true;
}

PyObject *
arrow_stream_exception(const struct ArrowArrayStream *stream)
{
    if (stream->release != release) {
        return NULL;
    }
    return Py_XNewRef(((const exported_stream *)stream->private_data)->exception);
}
