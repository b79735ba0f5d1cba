/* What differs between CPython 3.11 and 3.15, and what none of them promises.
 *
 * What they name differently is here under its newest name.
 *
 * This is the only file with names and layouts of CPython that are not documented, or not
 * promised for the next release; `tools/lint_c.py` finds them anywhere else.  Each has a
 * public way beside it, which may be slower; with -DGENERATORS_PORTABLE there are those alone.
 */
#ifndef GENERATORS_COMPAT_H
#define GENERATORS_COMPAT_H

#include <Python.h>
#include <frameobject.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#if defined(Py_GIL_DISABLED) && defined(GENERATORS_PORTABLE)
#include <stdatomic.h>
#endif

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
    if (exception == NULL) {
        PyErr_Restore(NULL, NULL, NULL);
        return;
    }
    PyErr_Restore(Py_NewRef((PyObject *)Py_TYPE(exception)), exception,
                  PyException_GetTraceback(exception));
}
#endif

#if PY_VERSION_HEX < 0x030D0000
/* The value of a key: 1 and a new reference; 0 and NULL if there is none; -1 and NULL. */
static inline int
PyDict_GetItemRef(PyObject *dict, PyObject *key, PyObject **value)
{
    *value = Py_XNewRef(PyDict_GetItemWithError(dict, key));
    return *value != NULL ? 1 : PyErr_Occurred() ? -1 : 0;
}

static inline PyObject *
PyList_GetItemRef(PyObject *list, Py_ssize_t index)
{
    return Py_XNewRef(PyList_GetItem(list, index));
}
#endif

/* ---- modules of the standard library ---- */

/* The protocol between a future and the task that awaits it, in every build: isfuture() looks
   for the attribute, and loops that are not asyncio's own have it. */
#define COMPAT_FUTURE_BLOCKING "_asyncio_future_blocking"

/* Clear it, and a task that is dropped while it waits is not logged.  A task may lack it; then
   it is logged. */
#define COMPAT_LOG_DESTROY_PENDING "_log_destroy_pending"

/* The attribute that inspect.markcoroutinefunction() sets, in every build: what is set is
   asked of that function. */
#define COMPAT_COROUTINE_MARK "_is_coroutine_marker"

/* Of asyncio.tasks: enters one task and leaves another in one call.  The public way is
   _leave_task() and _enter_task(). */
#if PY_VERSION_HEX >= 0x030C0000 && !defined(GENERATORS_PORTABLE)
#define COMPAT_SWAP_CURRENT_TASK "_swap_current_task"
#endif

/* Of asyncio.tasks before that: a dict of the current task of each loop, which those two
 * change. */
#if PY_VERSION_HEX < 0x030C0000 && !defined(GENERATORS_PORTABLE)
#define COMPAT_CURRENT_TASKS "_current_tasks"
#endif

/* Of asyncio.events: gives the loop that runs in this thread.  The public one raises a
   RuntimeError where there is none, the other one returns None. */
#ifndef GENERATORS_PORTABLE
#define COMPAT_RUNNING_LOOP "_get_running_loop"
#else
#define COMPAT_RUNNING_LOOP "get_running_loop"
#endif

/* The C half of the csv module, which is imported faster. */
#ifndef GENERATORS_PORTABLE
#define COMPAT_CSV "_csv"
#else
#define COMPAT_CSV "csv"
#endif

/* The type of csv's dialects, a new reference, or NULL. */
static inline PyObject *
compat_csv_dialect_type(void)
{
    PyObject *csv = PyImport_ImportModule(COMPAT_CSV);
    if (csv == NULL) {
        return NULL;
    }
#ifndef GENERATORS_PORTABLE
    PyObject *type = PyObject_GetAttrString(csv, "Dialect");
#else
    PyObject *excel = PyObject_CallMethod(csv, "get_dialect", "s", "excel");
    PyObject *type = excel == NULL ? NULL : Py_NewRef((PyObject *)Py_TYPE(excel));
    Py_XDECREF(excel);
#endif
    Py_DECREF(csv);
    return type;
}

/* Whether `encoding`, which codecs.lookup() answered with `info`, is for text: 1, 0 or, with
   an exception set, -1. */
static inline int
compat_is_text_encoding(PyObject *info, PyObject *encoding)
{
#ifndef GENERATORS_PORTABLE
    (void)encoding;
    PyObject *is = PyObject_GetAttrString(info, "_is_text_encoding");
    if (is == NULL) {
        if (!PyErr_ExceptionMatches(PyExc_AttributeError)) {
            return -1;
        }
        PyErr_Clear();
        return 1;
    }
    bool is_not = is == Py_False;
    Py_DECREF(is);
    return !is_not;
#else
    (void)info;
    PyObject *empty = PyUnicode_FromStringAndSize(NULL, 0);
    PyObject *bytes =
        empty == NULL ? NULL : PyObject_CallMethod(empty, "encode", "O", encoding);
    Py_XDECREF(empty);
    if (bytes == NULL) {
        /* Any other fault is one of the codec, which is told when it is used. */
        bool is_text = !PyErr_ExceptionMatches(PyExc_LookupError);
        if (PyErr_ExceptionMatches(PyExc_MemoryError) ||
            !PyErr_ExceptionMatches(PyExc_Exception)) {
            return -1;
        }
        PyErr_Clear();
        return is_text;
    }
    Py_DECREF(bytes);
    return 1;
#endif
}

/* Call `callback` when the interpreter ends, before it joins its threads: 0 or -1.  atexit is
   too late for that.  What is public is that an idle executor's threads end in time, and that
   what is local to a thread goes with it; a child of a fork has no such thread, and 3.11 does
   not destroy a subinterpreter that has one. */
static inline int
compat_watch_exit(PyObject *callback)
{
#ifndef GENERATORS_PORTABLE
    PyObject *threading = PyImport_ImportModule("threading");
    PyObject *done = threading == NULL
                         ? NULL
                         : PyObject_CallMethod(threading, "_register_atexit", "(O)", callback);
    Py_XDECREF(threading);
#else
    static const char program[] =
        "import atexit, concurrent.futures, threading\n"
        "class Watch:\n"
        "    def __init__(self, callback):\n"
        "        self.callback = callback\n"
        "        self.executor = concurrent.futures.ThreadPoolExecutor(1)\n"
        "        local = threading.local()\n"
        "        self.executor.submit(setattr, local, 'watch', self).result()\n"
        "        atexit.register(id, local)  # so that it is held until then\n"
        "    def __del__(self):\n"
        "        self.callback()\n";
    PyObject *names = PyDict_New();
    PyObject *done = names == NULL ? NULL : PyRun_String(program, Py_file_input, names, names);
    if (done != NULL) {
        PyObject *watch = PyMapping_GetItemString(names, "Watch");
        Py_SETREF(done, watch == NULL ? NULL : PyObject_CallOneArg(watch, callback));
        Py_XDECREF(watch);
    }
    Py_XDECREF(names);
#endif
    Py_XDECREF(done);
    return done == NULL ? -1 : 0;
}

/* Whether that function is the __new__() that collections.namedtuple() wrote: 1, 0 or -1.  It
   has tuple.__new__ among its globals.  Where that is not known it is called, which is slower.
 */
static inline int
compat_is_new_of_named_tuple(PyObject *function)
{
#ifndef GENERATORS_PORTABLE
    PyObject *key = PyUnicode_FromString("_tuple_new");
    if (key == NULL) {
        return -1;
    }
    PyObject *own = PyDict_GetItemWithError(PyFunction_GetGlobals(function), key);
    Py_DECREF(key);
    if (own == NULL) {
        return PyErr_Occurred() ? -1 : 0;
    }
    Py_INCREF(own);
    PyObject *standard = PyObject_GetAttrString((PyObject *)&PyTuple_Type, "__new__");
    bool is = own == standard;
    Py_DECREF(own);
    Py_XDECREF(standard);
    return standard == NULL ? -1 : is;
#else
    (void)function;
    return 0;
#endif
}

/* ---- types, code and frames ---- */

/* The module that a heap type was made for; borrowed.  What PyType_GetModule() does, with one
   call less. */
static inline PyObject *
compat_type_module(PyTypeObject *type)
{
#ifndef GENERATORS_PORTABLE
    return ((PyHeapTypeObject *)type)->ht_module;
#else
    return PyType_GetModule(type);
#endif
}

/* The flags of a code object, as its co_flags.  -1 with an exception set. */
static inline long
compat_code_flags(PyObject *code)
{
#ifndef GENERATORS_PORTABLE
    return ((PyCodeObject *)code)->co_flags;
#else
    PyObject *flags = PyObject_GetAttrString(code, "co_flags");
    long value = flags == NULL ? -1 : PyLong_AsLong(flags);
    Py_XDECREF(flags);
    return value;
#endif
}

/* A new (file, line, name) of where that frame is; or NULL. */
static inline PyObject *
compat_frame_place(PyFrameObject *frame)
{
    PyCodeObject *code = PyFrame_GetCode(frame);
#ifndef GENERATORS_PORTABLE
    PyObject *place =
        Py_BuildValue("OiO", code->co_filename, PyFrame_GetLineNumber(frame), code->co_name);
#else
    PyObject *place = NULL;
    PyObject *file = PyObject_GetAttrString((PyObject *)code, "co_filename");
    PyObject *name = PyObject_GetAttrString((PyObject *)code, "co_name");
    if (file != NULL && name != NULL) {
        place = Py_BuildValue("OiO", file, PyFrame_GetLineNumber(frame), name);
    }
    Py_XDECREF(file);
    Py_XDECREF(name);
#endif
    Py_DECREF(code);
    return place;
}

/* The flags of the code of what is exactly a generator. */
static inline long
compat_generator_flags(PyObject *generator)
{
#if PY_VERSION_HEX >= 0x030C0000
    PyObject *code = (PyObject *)PyGen_GetCode((PyGenObject *)generator);
#elif !defined(GENERATORS_PORTABLE)
    PyObject *code = Py_NewRef((PyObject *)((PyGenObject *)generator)->gi_code);
#else
    PyObject *code = PyObject_GetAttrString(generator, "gi_code");
#endif
    long flags = code == NULL ? -1 : compat_code_flags(code);
    Py_XDECREF(code);
    if (flags < 0) { /* there is no memory for a number */
        PyErr_WriteUnraisable(generator);
        return 0;
    }
    return flags;
}

/* What sys.get_coroutine_origin_tracking_depth() gives, which is asked for each coroutine.  -1
   with an exception set. */
static inline int
compat_origin_depth(void)
{
#ifndef GENERATORS_PORTABLE
    return PyThreadState_Get()->coroutine_origin_tracking_depth;
#else
    PyObject *sys = PyImport_ImportModule("sys");
    PyObject *depth =
        sys == NULL ? NULL
                    : PyObject_CallMethod(sys, "get_coroutine_origin_tracking_depth", NULL);
    int value = depth == NULL ? -1 : (int)PyLong_AsLong(depth);
    Py_XDECREF(sys);
    Py_XDECREF(depth);
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

/* Whether a descriptor of a type is that of a slot which is an object, and *offset where that
   is in each object of the type. */
static inline bool
compat_slot_offset(PyObject *descriptor, Py_ssize_t *offset)
{
    if (!Py_IS_TYPE(descriptor, &PyMemberDescr_Type)) {
        return false;
    }
    PyMemberDef *member = ((PyMemberDescrObject *)descriptor)->d_member;
    if (member->type != Py_T_OBJECT_EX || member->offset <= 0 || member->flags != 0) {
        return false;
    }
    *offset = member->offset;
    return true;
}

/* Whether a descriptor of a type calls itself the field of a named tuple. */
static inline bool
compat_is_named_tuple_field(PyObject *descriptor)
{
    const char *name = Py_TYPE(descriptor)->tp_name, *dot = strrchr(name, '.');
    return dot != NULL && strcmp(dot + 1, "_tuplegetter") == 0;
}

/* An object without a dict of its own has the values of its attributes in an array.  The index
   of an attribute is the same for all objects of a type, and an array has room for each index
   that was ever given.  *order is the indexes of the attributes that the object has, `count`
   of them.  NULL if it has no such array. */
static inline PyObject **
compat_attribute_values(PyObject *op, const uint8_t **order, Py_ssize_t *step, size_t *count)
{
#if PY_VERSION_HEX >= 0x030D0000
    typedef struct {
        uint8_t capacity, size, embedded, valid;
        PyObject *values[1];
    } inline_values;
    PyTypeObject *type = Py_TYPE(op);
    if (!(type->tp_flags & Py_TPFLAGS_INLINE_VALUES) ||
        type->tp_basicsize != (Py_ssize_t)sizeof(PyObject)) {
        return NULL;
    }
    inline_values *self = (inline_values *)(op + 1);
    if (!self->valid) {
        return NULL;
    }
    *order = (const uint8_t *)&self->values[self->capacity];
    *step = 1;
    *count = self->size;
    return self->values;
#else
    if (!(Py_TYPE(op)->tp_flags & Py_TPFLAGS_MANAGED_DICT)) {
        return NULL;
    }
#if PY_VERSION_HEX >= 0x030C0000
    uintptr_t tagged = ((uintptr_t *)op)[-3];
    PyObject **values = tagged & 1 ? (PyObject **)(tagged + 1) : NULL;
#else
    PyObject **values = ((PyObject ***)op)[-4];
#endif
    if (values != NULL) {
        *order = (const uint8_t *)values - 3;
        *step = -1;
        *count = ((const uint8_t *)values)[-2];
    }
    return values;
#endif
}
#else
#define COMPAT_TYPE_VERSIONS 0
#endif

/* ---- objects ---- */

/* Py_INCREF() for an object whose reference count is read soon after.  In 3.12 and 3.13
   Py_INCREF() stores half of the count.  A processor that loads the whole count then, as
   Py_DECREF() does, waits until the store has reached the cache. */
static inline void
compat_incref_whole(PyObject *op)
{
#if PY_VERSION_HEX >= 0x030C0000 && PY_VERSION_HEX < 0x030E0000 && \
    !defined(Py_GIL_DISABLED) && !defined(Py_REF_DEBUG)
    Py_SET_REFCNT(op, Py_REFCNT(op) + 1);
#else
    Py_INCREF(op);
#endif
}

/* What a StopIteration carries: a new reference, or NULL. */
static inline PyObject *
compat_stop_value(PyObject *stop)
{
#ifndef GENERATORS_PORTABLE
    PyObject *value = ((PyStopIterationObject *)stop)->value;
    return Py_NewRef(value == NULL ? Py_None : value);
#else
    return PyObject_GetAttrString(stop, "value");
#endif
}

/* For stop.c, which uses a StopIteration again once nobody holds it.  Its public way is a new
   one for each. */
#ifndef GENERATORS_PORTABLE
typedef PyStopIterationObject compat_stop;
#endif

/* Make an object again of its memory, which still owns a reference to its type. */
static inline void
compat_renew(PyObject *op)
{
#ifndef GENERATORS_PORTABLE
    _Py_NewReference(op);
#else
    PyTypeObject *type = Py_TYPE(op);
    PyObject_Init(op, type);
    Py_DECREF(type);
#endif
}

/* As PyUnicode_New(length, 127) for a length of 2 or more, of which making the
   text of a short field mostly consists: here it is inlined.  `model` is a text that
   PyUnicode_New made, whose state the new one is given, whatever that holds in the
   version in use.  A version that is not known yet is asked the ordinary way. */
static inline PyObject *
generators_new_ascii(PyObject *model, Py_ssize_t length)
{
#if PY_VERSION_HEX < 0x03100000 && !defined(Py_DEBUG) && !defined(GENERATORS_PORTABLE)
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

/* ---- threads ---- */

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
#if defined(Py_GIL_DISABLED) && defined(GENERATORS_PORTABLE)
typedef atomic_uchar generators_flag;
#else
typedef uint8_t generators_flag;
#endif

static inline bool
generators_flag_get(const generators_flag *flag)
{
#if defined(Py_GIL_DISABLED) && !defined(GENERATORS_PORTABLE)
    return _Py_atomic_load_uint8(flag) != 0;
#else
    return *flag != 0;
#endif
}

/* Set it: what it was. */
static inline bool
generators_flag_exchange(generators_flag *flag, bool value)
{
#if defined(Py_GIL_DISABLED) && !defined(GENERATORS_PORTABLE)
    return _Py_atomic_exchange_uint8(flag, value) != 0;
#elif defined(Py_GIL_DISABLED)
    return atomic_exchange(flag, value) != 0;
#else
    bool before = *flag != 0;
    *flag = value;
    return before;
#endif
}

/* A count that one thread at a time changes, and others read, where no section covers both. */
#if defined(Py_GIL_DISABLED) && defined(GENERATORS_PORTABLE)
typedef _Atomic(uint64_t) generators_count;
#else
typedef uint64_t generators_count;
#endif

static inline uint64_t
generators_count_get(const generators_count *count)
{
#if defined(Py_GIL_DISABLED) && !defined(GENERATORS_PORTABLE)
    return _Py_atomic_load_uint64_relaxed(count);
#else
    return *count;
#endif
}

static inline void
generators_count_set(generators_count *count, uint64_t value)
{
#if defined(Py_GIL_DISABLED) && !defined(GENERATORS_PORTABLE)
    _Py_atomic_store_uint64_relaxed(count, value);
#else
    *count = value;
#endif
}

static inline void
generators_count_add(generators_count *count)
{
    generators_count_set(count, generators_count_get(count) + 1);
}

/* Before 3.13 the GIL is the lock. */
#ifndef Py_BEGIN_CRITICAL_SECTION
#define Py_BEGIN_CRITICAL_SECTION(op) {
#define Py_END_CRITICAL_SECTION() }
#define Py_BEGIN_CRITICAL_SECTION2(a, b) {
#define Py_END_CRITICAL_SECTION2() }
#endif

/* The thread state that is attached to this thread, or NULL.  What is public before 3.13 knows
   the main interpreter only. */
static inline PyThreadState *
compat_attached_thread(void)
{
#if PY_VERSION_HEX >= 0x030D0000
    return PyThreadState_GetUnchecked();
#elif !defined(GENERATORS_PORTABLE)
    return _PyThreadState_UncheckedGet();
#else
    return PyGILState_Check() ? PyGILState_GetThisThreadState() : NULL;
#endif
}

/* Whether the interpreter is ending, so that no other thread can enter it any more. */
static inline bool
compat_is_finalizing(void)
{
#if PY_VERSION_HEX >= 0x030D0000
    return Py_IsFinalizing();
#elif !defined(GENERATORS_PORTABLE)
    return _Py_IsFinalizing();
#else
    return false;
#endif
}

/* Whether nobody but the caller can reach an object that it holds one reference to. */
static inline bool
generators_is_unique(PyObject *op)
{
#if PY_VERSION_HEX >= 0x030E0000 && !defined(GENERATORS_PORTABLE)
    return PyUnstable_Object_IsUniquelyReferenced(op);
#elif PY_VERSION_HEX >= 0x030E0000 || defined(Py_GIL_DISABLED)
    (void)op;
    return false; /* others may hold it without having counted, or count elsewhere */
#else
    return Py_REFCNT(op) == 1;
#endif
}

#endif
