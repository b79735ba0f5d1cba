/* What is raised where a generator would raise it: see raising.h.
 *
 * Nothing here holds state.  User code that runs: an exception's add_note(), and the
 * calling of the class given to throw().
 */
#include "runtime/raising.h"

#define NOTE_START "while reading "
#define NOTE_LENGTH ((Py_ssize_t)sizeof(NOTE_START) - 1)

/* ---- chains ---- */

void
raising_convert(PyObject *stop, const char *who)
{
    if (!PyErr_ExceptionMatches(stop)) {
        return;
    }
    PyObject *raised = PyErr_GetRaisedException();
    PyErr_Format(PyExc_RuntimeError, "%s raised %s", who, ((PyTypeObject *)stop)->tp_name);
    PyObject *error = PyErr_GetRaisedException();
    PyException_SetContext(error, Py_NewRef(raised));
    PyException_SetCause(error, raised);
    PyErr_SetRaisedException(error);
}

#define LONGEST_CHAIN 1000 /* a longer one may be a circle that somebody else made */

/* Whether `exception` is `first` or one of its contexts. */
static bool
chain_has(PyObject *first, PyObject *exception)
{
    for (int i = 0; i < LONGEST_CHAIN && first != NULL; i++) {
        if (first == exception) {
            return true;
        }
        PyObject *context = PyException_GetContext(first);
        Py_XDECREF(context); /* `first` holds it */
        first = context;
    }
    return false;
}

/* The exception at the end of a chain of contexts, borrowed; NULL where it has no end. */
static PyObject *
chain_end(PyObject *exception)
{
    for (int i = 0; i < LONGEST_CHAIN; i++) {
        PyObject *context = PyException_GetContext(exception);
        if (context == NULL) {
            return exception;
        }
        Py_DECREF(context); /* the exception holds it */
        exception = context;
    }
    return NULL;
}

/* End the chain of `exception` before it reaches `first` or one of its contexts. */
static void
chain_cut(PyObject *exception, PyObject *first)
{
    for (int i = 0; i < LONGEST_CHAIN; i++) {
        PyObject *context = PyException_GetContext(exception);
        if (context == NULL) {
            return;
        }
        bool is_circle = chain_has(first, context);
        Py_DECREF(context); /* the exception holds it */
        if (is_circle) {
            PyException_SetContext(exception, NULL);
            return;
        }
        exception = context;
    }
}

void
raising_chain_to(PyObject *error, PyObject *earlier)
{
    PyObject *last = earlier == NULL || chain_has(error, earlier) ? NULL : chain_end(error);
    if (last != NULL) {
        chain_cut(earlier, error);
        PyException_SetContext(last, earlier);
    }
    else {
        Py_XDECREF(earlier);
    }
}

void
raising_chain(PyObject *earlier)
{
    PyObject *error = PyErr_GetRaisedException();
    raising_chain_to(error, earlier);
    PyErr_SetRaisedException(error);
}

/* ---- notes ---- */

/* What failed while a note was made is ignored, if it is an Exception: 0.  Ctrl-C and its
   like, and MemoryError, are raised instead of `exception`, which becomes the context: -1. */
static int
note_failed(PyObject *exception)
{
    if (raising_forgive_answer() == 0) {
        return 0;
    }
    raising_chain(Py_NewRef(exception));
    return -1;
}

/* Whether a stage further in has told where it arose: 1, 0, or -1. */
static int
has_place(PyObject *exception)
{
    PyObject *notes = PyObject_GetAttrString(exception, "__notes__");
    if (notes == NULL) {
        return note_failed(exception);
    }
    int found = 0;
    if (PyList_Check(notes)) {
        for (Py_ssize_t i = 0; i < PyList_GET_SIZE(notes) && !found; i++) {
            PyObject *note = PyList_GET_ITEM(notes, i);
            found = PyUnicode_Check(note) && PyUnicode_GET_LENGTH(note) >= NOTE_LENGTH;
            for (Py_ssize_t k = 0; found && k < NOTE_LENGTH; k++) {
                found = PyUnicode_READ_CHAR(note, k) == (Py_UCS4)NOTE_START[k];
            }
        }
    }
    Py_DECREF(notes);
    return found;
}

int
raising_add_note(PyObject *exception, PyObject *text)
{
    PyObject *done =
        text == NULL ? NULL : PyObject_CallMethod(exception, "add_note", "(O)", text);
    int status = done == NULL ? note_failed(exception) : 0;
    Py_XDECREF(text);
    Py_XDECREF(done);
    return status;
}

void
stream_note(const char *format, ...)
{
    /* GeneratorExit, CancelledError and KeyboardInterrupt are no Exceptions. */
    if (!PyErr_ExceptionMatches(PyExc_Exception)) {
        return;
    }
    PyObject *exception = PyErr_GetRaisedException();
    int status = has_place(exception);
    if (status == 0) {
        va_list arguments;
        va_start(arguments, format);
        PyObject *text = PyUnicode_FromFormatV(format, arguments);
        va_end(arguments);
        status = raising_add_note(exception, text);
    }
    if (status < 0) {
        Py_DECREF(exception);
    }
    else {
        PyErr_SetRaisedException(exception);
    }
}

/* ---- throw() and the end ---- */

/* The exception that those arguments mean, as generators read them. */
static PyObject *
read_thrown(PyObject *type, PyObject *value, PyObject *traceback)
{
    if (traceback != NULL && traceback != Py_None && !PyTraceBack_Check(traceback)) {
        PyErr_SetString(PyExc_TypeError, "throw() third argument must be a traceback object");
        return NULL;
    }
    PyObject *exception;
    if (PyExceptionClass_Check(type)) {
        if (value == NULL || value == Py_None) {
            exception = PyObject_CallNoArgs(type);
        }
        else if (PyObject_TypeCheck(value, (PyTypeObject *)type)) {
            exception = Py_NewRef(value);
        }
        else if (PyTuple_Check(value)) {
            exception = PyObject_CallObject(type, value);
        }
        else {
            exception = PyObject_CallOneArg(type, value);
        }
        if (exception != NULL && !PyExceptionInstance_Check(exception)) {
            PyErr_Format(
                PyExc_TypeError,
                "calling %R should have returned an instance of BaseException, not %s", type,
                Py_TYPE(exception)->tp_name);
            Py_CLEAR(exception);
        }
    }
    else if (PyExceptionInstance_Check(type)) {
        if (value != NULL && value != Py_None) {
            PyErr_SetString(PyExc_TypeError,
                            "instance exception may not have a separate value");
            return NULL;
        }
        exception = Py_NewRef(type);
    }
    else {
        PyErr_Format(PyExc_TypeError,
                     "exceptions must be classes or instances deriving from BaseException, "
                     "not %s",
                     Py_TYPE(type)->tp_name);
        return NULL;
    }
    if (exception != NULL && traceback != NULL && traceback != Py_None &&
        PyException_SetTraceback(exception, traceback) < 0) {
        Py_CLEAR(exception);
    }
    return exception;
}

PyObject *
raising_thrown(const char *method, PyObject *const *args, Py_ssize_t count)
{
    if (count < 1 || count > 3) {
        PyErr_Format(PyExc_TypeError, "%s expected 1 to 3 arguments, got %zd", method, count);
        return NULL;
    }
#if PY_VERSION_HEX >= 0x030C0000
    if (count > 1 && PyErr_WarnFormat(PyExc_DeprecationWarning, 1,
                                      "the (type, exc, tb) signature of %s() is deprecated, "
                                      "use the single-arg signature instead.",
                                      method) < 0) {
        return NULL;
    }
#endif
    return read_thrown(args[0], count > 1 ? args[1] : NULL, count > 2 ? args[2] : NULL);
}

void
raising_stop(PyObject *value)
{
    if (value == Py_None) {
        return;
    }
    if (!PyTuple_Check(value) && !PyExceptionInstance_Check(value)) {
        PyErr_SetObject(PyExc_StopIteration, value);
        return;
    }
    /* Those mean something else to PyErr_SetObject(). */
    PyObject *stop = PyObject_CallOneArg(PyExc_StopIteration, value);
    if (stop != NULL) {
        PyErr_SetRaisedException(stop);
    }
}

void
raising_shut_down(void)
{
    PyErr_SetString(PyExc_RuntimeError, "the interpreter is shutting down");
}

/* ---- what nobody can be told ---- */

#define ROOM_TO_REPORT (1 << 14) /* bytes */

/* Where there is no memory to report that there was none, CPython (seen in 3.13) may call
   itself without end. */
void
raising_unraisable(PyObject *where)
{
    void *room = PyMem_Malloc(ROOM_TO_REPORT);
    if (room != NULL) {
        PyMem_Free(room);
        PyErr_WriteUnraisable(where);
        return;
    }
    PyObject *lost = PyErr_GetRaisedException();
    if (lost != NULL) {
        fprintf(stderr, "generators: no memory to report a %s\n", Py_TYPE(lost)->tp_name);
        Py_DECREF(lost);
    }
}
