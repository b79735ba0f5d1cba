/* Memory that runs out for those threads, and at those moments, that say so: what
 * _testcapi.set_nomemory() does for all at once, which no event loop and no thread that
 * begins survives.
 *
 * fail(start, stop) counts anew, from 1, the allocations of threads that are `on`; those from
 * start to stop - 1 fail, and for stop = 0 all from start on.  turn(True) and turn(False)
 * say what the thread is, and give what it was; run(function, *arguments) calls it `on`.
 * None of these allocates anything.
 */
#include <Python.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdbool.h>

static PyMemAllocatorEx before[3];
static const PyMemAllocatorDomain domains[3] = {PYMEM_DOMAIN_RAW, PYMEM_DOMAIN_MEM,
                                                PYMEM_DOMAIN_OBJ};
static _Thread_local bool on;
static atomic_long count, first = LONG_MAX, last, failed;

static bool
fails(void)
{
    if (!on) {
        return false;
    }
    long now = atomic_fetch_add(&count, 1) + 1;
    if (now < first || (last != 0 && now >= last)) {
        return false;
    }
    atomic_fetch_add(&failed, 1);
    return true;
}

static void *
hooked_malloc(void *of, size_t size)
{
    PyMemAllocatorEx *a = of;
    return fails() ? NULL : a->malloc(a->ctx, size);
}

static void *
hooked_calloc(void *of, size_t n, size_t size)
{
    PyMemAllocatorEx *a = of;
    return fails() ? NULL : a->calloc(a->ctx, n, size);
}

static void *
hooked_realloc(void *of, void *block, size_t size)
{
    PyMemAllocatorEx *a = of;
    return fails() ? NULL : a->realloc(a->ctx, block, size);
}

static void
hooked_free(void *of, void *block)
{
    PyMemAllocatorEx *a = of;
    a->free(a->ctx, block);
}

static PyObject *
fail(PyObject *Py_UNUSED(module), PyObject *args)
{
    long start, stop;
    if (!PyArg_ParseTuple(args, "ll", &start, &stop)) {
        return NULL;
    }
    count = failed = 0;
    first = start;
    last = stop;
    Py_RETURN_NONE;
}

static PyObject *
turn(PyObject *Py_UNUSED(module), PyObject *to)
{
    bool was = on;
    on = to == Py_True;
    return Py_NewRef(was ? Py_True : Py_False);
}

static PyObject *
run(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t count)
{
    bool was = on;
    on = true;
    PyObject *result = PyObject_Vectorcall(args[0], args + 1, (size_t)count - 1, NULL);
    on = was;
    return result;
}

static PyObject *
failures(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(ignored))
{
    return PyLong_FromLong(failed);
}

static PyMethodDef methods[] = {
    {"fail", fail, METH_VARARGS, NULL},
    {"turn", turn, METH_O, NULL},
    {"run", (PyCFunction)(void (*)(void))run, METH_FASTCALL, NULL},
    {"failures", failures, METH_NOARGS, NULL},
    {NULL},
};

static struct PyModuleDef module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "out_of_memory",
    .m_size = -1,
    .m_methods = methods,
};

PyMODINIT_FUNC
PyInit_out_of_memory(void)
{
    for (int i = 0; i < 3; i++) {
        PyMem_GetAllocator(domains[i], &before[i]);
        PyMemAllocatorEx hooked = {&before[i], hooked_malloc, hooked_calloc, hooked_realloc,
                                   hooked_free};
        PyMem_SetAllocator(domains[i], &hooked);
    }
    return PyModule_Create(&module);
}
