/* Whether gevent or eventlet has replaced threads: see patched.h.
 *
 * Nothing here has a state.  A library is asked only where it was imported.
 */
#include "runtime/patched.h"

#include "runtime/raising.h"

typedef struct {
    const char *library;
    const char *module;
    const char *function;
    const char *names[3]; /* of what it replaces; NULL after the last */
    const char *unpatched;
} library;

static const library libraries[] = {
    {"gevent",
     "gevent.monkey",
     "is_module_patched",
     {"_thread", "threading", NULL},
     "gevent.monkey.patch_all(thread=False)"},
    {"eventlet",
     "eventlet.patcher",
     "is_monkey_patched",
     {"thread", NULL},
     "eventlet.monkey_patch(thread=False)"},
};

/* 1, 0 or -1. */
static int
ask(PyObject *module, const char *function, const char *name)
{
    PyObject *answer = PyObject_CallMethod(module, function, "s", name);
    if (answer == NULL) {
        return raising_forgive(PyExc_AttributeError); /* it is being imported */
    }
    int is = PyObject_IsTrue(answer);
    Py_DECREF(answer);
    return is;
}

/* The same of any name of the library's. */
static int
is_patched(const library *one)
{
    PyObject *name = PyUnicode_FromString(one->module);
    PyObject *module = name == NULL ? NULL : PyImport_GetModule(name);
    Py_XDECREF(name);
    if (module == NULL) {
        return PyErr_Occurred() ? -1 : 0;
    }
    int is = 0;
    for (size_t i = 0; is == 0 && one->names[i] != NULL; i++) {
        is = ask(module, one->function, one->names[i]);
    }
    Py_DECREF(module);
    return is;
}

int
patched_check_threads(const char *who, const char *instead)
{
    for (size_t i = 0; i < Py_ARRAY_LENGTH(libraries); i++) {
        const library *one = &libraries[i];
        int is = is_patched(one);
        if (is > 0) {
            PyErr_Format(PyExc_RuntimeError,
                         "%s needs threads, and %s has replaced them by greenlets: %s, or "
                         "leave threads as they are with %s",
                         who, one->library, instead, one->unpatched);
        }
        if (is != 0) {
            return -1;
        }
    }
    return 0;
}
