/* What CPython 3.11 to 3.15 name differently, under the newest name. */
#ifndef GENERATORS_COMPAT_H
#define GENERATORS_COMPAT_H

#include <Python.h>
#include <frameobject.h>
#include <stdbool.h>
#include <stdint.h>

#if PY_VERSION_HEX >= 0x030C0000
/* No text without its data since 3.12. */
#undef PyUnicode_READY
#define PyUnicode_READY(op) ((void)(op), 0)
#undef PyUnicode_IS_READY
#define PyUnicode_IS_READY(op) ((void)(op), 1)
#else
#include <structmember.h>
#define Py_T_PYSSIZET T_PYSSIZET
#define Py_T_OBJECT_EX T_OBJECT_EX
#define Py_READONLY READONLY

static inline PyObject *
PyErr_GetRaisedException(void)
{
    PyObject *type, *value, *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    if (type == NULL) {
        return NULL;
    }
    PyErr_NormalizeException(&type, &value, &traceback);
    if (traceback != NULL) {
        PyException_SetTraceback(value, traceback);
    }
    Py_DECREF(type);
    Py_XDECREF(traceback);
    return value;
}

static inline void
PyErr_SetRaisedException(PyObject *exception)
{
    PyErr_Restore(Py_NewRef((PyObject *)Py_TYPE(exception)), exception,
                  PyException_GetTraceback(exception));
}
#endif

/* Attributes of futures and tasks by which asyncio's own parts speak with one another. */
#define COMPAT_FUTURE_BLOCKING "_asyncio_future_blocking"
#define COMPAT_LOG_DESTROY_PENDING "_log_destroy_pending"

/* What sys.get_coroutine_origin_tracking_depth() gives, which is asked for each coroutine. */
static inline int
compat_origin_depth(void)
{
#ifndef GENERATORS_PORTABLE
    return PyThreadState_Get()->coroutine_origin_tracking_depth;
#else
    PyObject *get = PySys_GetObject("get_coroutine_origin_tracking_depth"); /* borrowed */
    PyObject *depth = get == NULL ? NULL : PyObject_CallNoArgs(get);
    int value = depth == NULL ? 0 : (int)PyLong_AsLong(depth);
    Py_XDECREF(depth);
    PyErr_Clear();
    return value;
#endif
}

/* A new frame object of that code, which never runs. */
static inline PyObject *
compat_new_frame(PyCodeObject *code)
{
    PyObject *globals = PyDict_New();
    if (globals == NULL) {
        return NULL;
    }
#ifndef GENERATORS_PORTABLE
    PyObject *frame = (PyObject *)PyFrame_New(PyThreadState_Get(), code, globals, NULL);
#else
    (void)code;
    PyObject *frame = NULL;
    PyObject *generator = PyRun_String("(lambda: (yield))()", Py_eval_input, globals, globals);
    if (generator != NULL) {
        frame = PyObject_GetAttrString(generator, "gi_frame");
        Py_DECREF(generator);
    }
#endif
    Py_DECREF(globals);
    return frame;
}

/* Whether an async generator waits at a `yield`: 1, 0, or -1 with an exception set. */
static inline int
compat_asyncgen_is_suspended(PyObject *generator)
{
#if PY_VERSION_HEX >= 0x030C0000
    PyObject *value = PyObject_GetAttrString(generator, "ag_suspended");
    int is = value == NULL ? -1 : PyObject_IsTrue(value);
    Py_XDECREF(value);
    return is;
#elif !defined(GENERATORS_PORTABLE)
    return ((PyAsyncGenObject *)generator)->ag_frame_state == -1; /* FRAME_SUSPENDED */
#else
    /* The last instruction of one that has not begun is the one that made it. */
    static const char expression[] =
        "g.ag_frame is not None and not g.ag_running and g.ag_code.co_code[g.ag_frame.f_lasti]"
        " != __import__('opcode').opmap['RETURN_GENERATOR']";
    PyObject *names = Py_BuildValue("{sO}", "g", generator);
    PyObject *value =
        names == NULL ? NULL : PyRun_String(expression, Py_eval_input, names, names);
    int is = value == NULL ? -1 : PyObject_IsTrue(value);
    Py_XDECREF(value);
    Py_XDECREF(names);
    return is;
#endif
}

/* A number that changes with a type and its bases, by which something that was found in the
   type can be remembered.  It can be had up to 3.13; without the GIL it must not be read so.
   Elsewhere nothing is remembered. */
#if PY_VERSION_HEX < 0x030E0000 && !defined(Py_GIL_DISABLED) && !defined(GENERATORS_PORTABLE)
#define COMPAT_TYPE_VERSIONS 1

static inline unsigned int
compat_type_version(PyTypeObject *type)
{
    return type->tp_version_tag;
}

/* What the type or one of its bases has under an interned name: a new reference, or NULL
   without an exception. */
static inline PyObject *
compat_type_lookup(PyTypeObject *type, PyObject *name)
{
    return Py_XNewRef(_PyType_Lookup(type, name));
}
#else
#define COMPAT_TYPE_VERSIONS 0
#endif

/* As PyUnicode_New(length, 127) for a length of 2 or more, of which making the
   text of a short field mostly consists: here it is inlined.  `model` is a text that
   PyUnicode_New made, whose state the new one is given, whatever that holds in the
   version in use.  A version that is not known yet is asked the ordinary way. */
static inline PyObject *
generators_new_ascii(PyObject *model, Py_ssize_t length)
{
#if PY_VERSION_HEX < 0x03100000 && !defined(Py_DEBUG)
    PyASCIIObject *text = PyObject_Malloc(sizeof(PyASCIIObject) + (size_t)length + 1);
    if (text == NULL) {
        return PyErr_NoMemory();
    }
    PyObject_Init((PyObject *)text, &PyUnicode_Type);
    text->length = length;
    text->hash = -1;
    text->state = ((PyASCIIObject *)model)->state;
#if PY_VERSION_HEX < 0x030C0000
    text->wstr = NULL;
#endif
    ((char *)(text + 1))[length] = '\0';
    return (PyObject *)text;
#else
    (void)model;
    return PyUnicode_New(length, 127);
#endif
}

/* A lock for what no object's critical section covers; the GIL where there is one. */
#ifdef Py_GIL_DISABLED
typedef PyMutex generators_lock;
#define generators_lock_take(lock) PyMutex_Lock(lock)
#define generators_lock_leave(lock) PyMutex_Unlock(lock)
#else
typedef char generators_lock;
#define generators_lock_take(lock) ((void)(lock))
#define generators_lock_leave(lock) ((void)(lock))
#endif

/* A flag that is set on one thread and read on others, where no section covers both. */
typedef uint8_t generators_flag;

static inline bool
generators_flag_get(const generators_flag *flag)
{
#ifdef Py_GIL_DISABLED
    return _Py_atomic_load_uint8(flag) != 0;
#else
    return *flag != 0;
#endif
}

/* Set it: what it was. */
static inline bool
generators_flag_exchange(generators_flag *flag, bool value)
{
#ifdef Py_GIL_DISABLED
    return _Py_atomic_exchange_uint8(flag, value) != 0;
#else
    bool before = *flag != 0;
    *flag = value;
    return before;
#endif
}

/* Before 3.13 the GIL is the lock. */
#ifndef Py_BEGIN_CRITICAL_SECTION
#define Py_BEGIN_CRITICAL_SECTION(op) {
#define Py_END_CRITICAL_SECTION() }
#define Py_BEGIN_CRITICAL_SECTION2(a, b) {
#define Py_END_CRITICAL_SECTION2() }
#endif

/* Whether nobody but the caller can reach an object that it holds one reference to. */
static inline bool
generators_is_unique(PyObject *op)
{
#if PY_VERSION_HEX >= 0x030E0000
    return PyUnstable_Object_IsUniquelyReferenced(op);
#elif defined(Py_GIL_DISABLED)
    (void)op;
    return false; /* the count is spread over two fields, and not to be asked */
#else
    return Py_REFCNT(op) == 1;
#endif
}

#endif
