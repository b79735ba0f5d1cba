/* LeakSanitizer, told where CPython's threads have their frames.
 *
 * It takes what no memory points to for leaked, and looks for pointers in the C stacks, in
 * globals and in what malloc() gave.  The frames of Python functions are in none of these:
 * each thread has them in chunks that come from mmap().  So what only a frame holds, a number
 * in a local variable or the object that stands for a frame that runs, would be found as a
 * leak.
 */
#include <Python.h>
#include <stddef.h>

void __lsan_register_root_region(const void *, size_t);
void __lsan_unregister_root_region(const void *, size_t);
int __lsan_do_recoverable_leak_check(void);

typedef void (*told)(const void *, size_t);

/* Tell it of the frames of all threads, which hold still: the caller has the GIL. */
static void
tell(told of)
{
    PyInterpreterState *interpreter = PyInterpreterState_Get();
    for (PyThreadState *thread = PyInterpreterState_ThreadHead(interpreter); thread != NULL;
         thread = PyThreadState_Next(thread)) {
        for (_PyStackChunk *chunk = thread->datastack_chunk; chunk != NULL;
             chunk = chunk->previous) {
            of(chunk, chunk->size);
        }
    }
}

static PyObject *
check(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(ignored))
{
    tell(__lsan_register_root_region);
    int found = __lsan_do_recoverable_leak_check();
    tell(__lsan_unregister_root_region);
    return PyBool_FromLong(found);
}

static PyMethodDef methods[] = {
    {"check", check, METH_NOARGS, NULL},
    {NULL},
};

static struct PyModuleDef module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "lsan",
    .m_size = -1,
    .m_methods = methods,
};

PyMODINIT_FUNC
PyInit_lsan(void)
{
    return PyModule_Create(&module);
}
