/* An executor that a user gives: see executor.h.  User code runs in its attributes. */
#include "runtime/executor.h"

#include "runtime/raising.h"

/* Whether it is an instance of a class of concurrent.futures: 1, 0 (also where the module is
   not imported), or -1. */
static int
is_pool(PyObject *executor, const char *module_name, const char *class_name)
{
    PyObject *name = PyUnicode_FromString(module_name);
    PyObject *module = name == NULL ? NULL : PyImport_GetModule(name);
    Py_XDECREF(name);
    if (module == NULL) {
        return PyErr_Occurred() ? -1 : 0;
    }
    PyObject *class = PyObject_GetAttrString(module, class_name);
    Py_DECREF(module);
    if (class == NULL) {
        return raising_forgive(PyExc_AttributeError);
    }
    int is = PyObject_IsInstance(executor, class);
    Py_DECREF(class);
    return is;
}

/* Refuse executors that run calls outside this interpreter: ours cannot be sent there. */
static int
check_pool(PyObject *executor, const char *who, const char *instead)
{
    static const char *const pools[][3] = {
        {"concurrent.futures.process", "ProcessPoolExecutor", "other processes"},
        {"concurrent.futures.interpreter", "InterpreterPoolExecutor", "other interpreters"},
    };
    for (size_t i = 0; i < Py_ARRAY_LENGTH(pools); i++) {
        int is = is_pool(executor, pools[i][0], pools[i][1]);
        if (is > 0) {
            PyErr_Format(PyExc_TypeError,
                         "%s cannot use a %s, which runs calls in %s: %s, or pass a "
                         "ThreadPoolExecutor",
                         who, pools[i][1], pools[i][2], instead);
        }
        if (is != 0) {
            return -1;
        }
    }
    return 0;
}

int
executor_check(PyObject *executor, const char *who, const char *instead)
{
    if (check_pool(executor, who, instead) < 0) {
        return -1;
    }
    PyObject *submit = PyObject_GetAttrString(executor, "submit");
    if (submit == NULL) {
        if (raising_forgive(PyExc_AttributeError) == 0) {
            PyErr_Format(PyExc_TypeError,
                         "executor must have a submit() method, and '%.200s' has none",
                         Py_TYPE(executor)->tp_name);
        }
        return -1;
    }
    Py_DECREF(submit);
    return 0;
}
