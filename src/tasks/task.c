/* task: a generator function made a coroutine function.
 *
 * Calling it calls the function and returns a drive of the generator.  It stands for the
 * function as a wrapper of functools.wraps() does.  inspect and asyncio take it for a
 * coroutine function by its code, which is the function's with another flag, and from 3.12 on
 * by the mark of inspect.markcoroutinefunction() too.  The mark is an attribute of the type,
 * and not in __dict__, from where functools.wraps() would copy it to a plain function.
 *
 * Owned: the function, and a dict of attributes.  Nothing changes after it was made.
 */
#include "tasks/task.h"

#include <stddef.h>

#include "runtime/attributes.h"
#include "runtime/raising.h"
#include "tasks/drive.h"

typedef struct {
    PyObject_HEAD
    PyObject *function;   /* owned */
    PyObject *attributes; /* owned: __dict__ */
    PyObject *weak_references;
    vectorcallfunc vectorcall;
} task;

/* ---- calling ---- */

static PyObject *
task_vectorcall(PyObject *op, PyObject *const *args, size_t count, PyObject *names)
{
    PyObject *function = Py_NewRef(((task *)op)->function);
    PyObject *generator = PyObject_Vectorcall(function, args, count, names);
    PyObject *made = NULL;
    if (generator != NULL) {
        made = drive_of(generators_state_of(op), generator, function);
        Py_DECREF(generator);
    }
    Py_DECREF(function);
    return made;
}

static PyObject *
task_descr_get(PyObject *op, PyObject *object, PyObject *Py_UNUSED(type))
{
    return object == NULL || object == Py_None ? Py_NewRef(op) : PyMethod_New(op, object);
}

/* ---- making one ---- */

long
task_code_flags(PyObject *function)
{
    PyObject *code = PyObject_GetAttrString(function, "__code__");
    if (code == NULL) {
        return raising_forgive(PyExc_AttributeError);
    }
    long flags = PyCode_Check(code) ? compat_code_flags(code) : 0;
    Py_DECREF(code);
    return flags;
}

/* Refuse what surely makes no generator.  The rest is checked when it is called. */
static int
check_function(PyObject *function)
{
    if (!PyCallable_Check(function) || PyType_Check(function)) {
        PyErr_Format(PyExc_TypeError, "task() takes a generator function, not %R", function);
        return -1;
    }
    long flags = task_code_flags(function);
    if (flags < 0) {
        return -1;
    }
    if (flags & (CO_COROUTINE | CO_ASYNC_GENERATOR)) {
        PyErr_Format(PyExc_TypeError,
                     "task() takes a generator function, not %R, which is asynchronous "
                     "already",
                     function);
        return -1;
    }
    return 0;
}

/* functools.update_wrapper(). */
static int
copy_attributes(PyObject *self, PyObject *function)
{
    PyObject *functools = PyImport_ImportModule("functools");
    PyObject *done = NULL;
    if (functools != NULL) {
        done = PyObject_CallMethod(functools, "update_wrapper", "OO", self, function);
        Py_DECREF(functools);
    }
    Py_XDECREF(done);
    return done == NULL ? -1 : 0;
}

static PyObject *
task_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"", NULL};
    PyObject *function;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O:task", keywords, &function) ||
        check_function(function) < 0) {
        return NULL;
    }
    task *self = (task *)type->tp_alloc(type, 0);
    if (self == NULL) {
        return NULL;
    }
    self->function = Py_NewRef(function);
    self->vectorcall = task_vectorcall;
    if (copy_attributes((PyObject *)self, function) < 0) {
        Py_DECREF(self);
        return NULL;
    }
    return (PyObject *)self;
}

/* ---- memory ---- */

static int
task_traverse(PyObject *op, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(op));
    Py_VISIT(((task *)op)->function);
    Py_VISIT(((task *)op)->attributes);
    return 0;
}

static int
task_clear(PyObject *op)
{
    task *self = (task *)op;
    PyObject *function = self->function;
    self->function = Py_NewRef(Py_None); /* never NULL: a finalizer may still call it */
    Py_XDECREF(function);
    Py_CLEAR(self->attributes);
    return 0;
}

static void
task_dealloc(PyObject *op)
{
    PyTypeObject *type = Py_TYPE(op);
    PyObject_GC_UnTrack(op);
    if (((task *)op)->weak_references != NULL) {
        PyObject_ClearWeakRefs(op);
    }
    task_clear(op);
    Py_CLEAR(((task *)op)->function);
    type->tp_free(op);
    Py_DECREF(type);
}

/* ---- attributes ---- */

static PyObject *
get_from_function(PyObject *op, void *closure)
{
    return PyObject_GetAttrString(((task *)op)->function, closure);
}

static PyObject *
get_code(PyObject *op, void *Py_UNUSED(closure))
{
    PyObject *code = PyObject_GetAttrString(((task *)op)->function, "__code__");
    if (code == NULL || !PyCode_Check(code)) {
        return code;
    }
    long flags = compat_code_flags(code);
    if (flags < 0) {
        Py_DECREF(code);
        return NULL;
    }
    flags = (flags & ~CO_GENERATOR) | CO_COROUTINE;
    PyObject *replace = PyObject_GetAttrString(code, "replace");
    PyObject *keywords = replace == NULL ? NULL : Py_BuildValue("{sl}", "co_flags", flags);
    PyObject *none = keywords == NULL ? NULL : PyTuple_New(0);
    PyObject *changed = none == NULL ? NULL : PyObject_Call(replace, none, keywords);
    Py_XDECREF(none);
    Py_XDECREF(keywords);
    Py_XDECREF(replace);
    Py_DECREF(code);
    return changed;
}

#if PY_VERSION_HEX >= 0x030C0000
static PyObject *
get_mark(PyObject *Py_UNUSED(op), void *name)
{
    PyObject *types = PyImport_ImportModule("types"), *done = NULL, *mark = NULL;
    PyObject *marked =
        types == NULL ? NULL : PyObject_CallMethod(types, "SimpleNamespace", NULL);
    PyObject *inspect = marked == NULL ? NULL : PyImport_ImportModule("inspect");
    if (inspect != NULL) {
        done = PyObject_CallMethod(inspect, "markcoroutinefunction", "(O)", marked);
    }
    if (done != NULL) {
        mark = PyObject_GetAttrString(marked, name);
    }
    Py_XDECREF(types);
    Py_XDECREF(marked);
    Py_XDECREF(inspect);
    Py_XDECREF(done);
    return mark;
}

/* It is marked already. */
static int
set_mark(PyObject *Py_UNUSED(op), PyObject *Py_UNUSED(mark), void *Py_UNUSED(name))
{
    return 0;
}
#endif

static PyObject *
task_repr(PyObject *op)
{
    PyObject *name = PyObject_GetAttrString(op, "__qualname__");
    if (name == NULL && raising_forgive(PyExc_AttributeError) == 0) {
        return PyUnicode_FromFormat("<task of %R>", ((task *)op)->function);
    }
    PyObject *text = name == NULL ? NULL : PyUnicode_FromFormat("<task %S at %p>", name, op);
    Py_XDECREF(name);
    return text;
}

PyDoc_STRVAR(reduce_doc,
             "__reduce__($self, /)\n"
             "--\n\n"
             "Return its qualified name: it is copied and pickled as a function is.");

static PyObject *
task_reduce(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    return PyObject_GetAttrString(op, "__qualname__");
}

static PyMethodDef task_methods[] = {
    {"__reduce__", task_reduce, METH_NOARGS, reduce_doc},
    ATTRIBUTES_GENERIC,
    {NULL},
};

static PyMemberDef task_members[] = {
    {"__dictoffset__", Py_T_PYSSIZET, offsetof(task, attributes), Py_READONLY, NULL},
    {"__weaklistoffset__", Py_T_PYSSIZET, offsetof(task, weak_references), Py_READONLY, NULL},
    {"__vectorcalloffset__", Py_T_PYSSIZET, offsetof(task, vectorcall), Py_READONLY, NULL},
    {NULL},
};

static PyGetSetDef task_getset[] = {
    {"__dict__", PyObject_GenericGetDict, PyObject_GenericSetDict, NULL, NULL},
    {"__code__", get_code, NULL,
     "The code of the function, marked as that of a coroutine function.", NULL},
#if PY_VERSION_HEX >= 0x030C0000
    {COMPAT_COROUTINE_MARK, get_mark, set_mark, "The mark of a coroutine function.",
     COMPAT_COROUTINE_MARK},
#endif
    {"__defaults__", get_from_function, NULL, "The function's.", "__defaults__"},
    {"__kwdefaults__", get_from_function, NULL, "The function's.", "__kwdefaults__"},
#if PY_VERSION_HEX >= 0x030E0000
    {"__annotations__", get_from_function, NULL, "The function's.", "__annotations__"},
#endif
    {NULL},
};

PyDoc_STRVAR(
    task_doc,
    "task(function, /)\n"
    "--\n\n"
    "Make a coroutine function from a generator function.  A call of it returns a drive()\n"
    "of the generator.\n"
    "\n"
    "inspect.iscoroutinefunction() returns True for it, and it may be used as a method.\n"
    "It has the name, docstring, annotations and signature of the function.  TypeError is\n"
    "raised if the argument is not a function or is already asynchronous, and by a call\n"
    "if the function does not return a generator.\n"
    "\n"
    ">>> import asyncio\n"
    ">>> @task\n"
    "... def double(x):\n"
    "...     x = yield asyncio.sleep(0.01, x)\n"
    "...     return 2 * x\n"
    ">>> asyncio.run(double(21))\n"
    "42");

static PyType_Slot task_slots[] = {
    {Py_tp_doc, (char *)task_doc},   {Py_tp_new, task_new},
    {Py_tp_call, PyVectorcall_Call}, {Py_tp_descr_get, task_descr_get},
    {Py_tp_repr, task_repr},         {Py_tp_traverse, task_traverse},
    {Py_tp_clear, task_clear},       {Py_tp_dealloc, task_dealloc},
    {Py_tp_methods, task_methods},   {Py_tp_members, task_members},
    {Py_tp_getset, task_getset},     {0, NULL},
};

PyType_Spec task_spec = {
    .name = "native_generators.task",
    .basicsize = sizeof(task),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE |
             Py_TPFLAGS_HAVE_VECTORCALL | Py_TPFLAGS_METHOD_DESCRIPTOR,
    .slots = task_slots,
};
