/* What calls raise when nobody is to be given their results any more.
 *
 * A stream that ends cancels its calls, or waits for those that run.  What such a call raises
 * is a note of the exception that ended the stream or, where there is none, is raised itself.
 *
 * Owned: a list, of an exception and the text of its note in turn.  User code runs in the
 * repr() of an exception, and in its add_note().
 */
#include "tasks/late.h"

#include "runtime/raising.h"

/* The text of a note on the exception that is raised first. */
static PyObject *
late_text(PyObject *exception, Py_ssize_t index, const char *when)
{
    PyObject *text =
        PyUnicode_FromFormat("the call with item %zd raised %R %s", index, exception, when);
    if (text == NULL && raising_forgive_answer() == 0) {
        text = PyUnicode_FromFormat("the call with item %zd raised %s %s", index,
                                    Py_TYPE(exception)->tp_name, when);
    }
    return text;
}

int
late_add(PyObject **late, Py_ssize_t index, const char *when)
{
    PyObject *exception = PyErr_GetRaisedException();
    PyObject *text = late_text(exception, index, when);
    if (text == NULL || (*late == NULL && (*late = PyList_New(0)) == NULL) ||
        PyList_Append(*late, exception) < 0 || PyList_Append(*late, text) < 0) {
        Py_XDECREF(text);
        raising_chain(exception);
        return -1;
    }
    Py_DECREF(text);
    Py_DECREF(exception);
    return 0;
}

int
late_tell(PyObject **late, PyObject *failure, PyObject **alone)
{
    PyObject *all = *late;
    *late = *alone = NULL;
    if (all == NULL) {
        return 0;
    }
    bool is_alone = failure == NULL;
    failure = Py_NewRef(is_alone ? PyList_GET_ITEM(all, 0) : failure);
    int status = 0;
    for (Py_ssize_t i = is_alone ? 2 : 0; i + 1 < PyList_GET_SIZE(all) && status == 0;
         i += 2) {
        status = raising_add_note(failure, Py_NewRef(PyList_GET_ITEM(all, i + 1)));
    }
    Py_DECREF(all);
    if (status == 0 && is_alone) {
        *alone = failure;
        return 0;
    }
    Py_DECREF(failure);
    return status;
}
