/* Calls into the interpreter from functions that other libraries call: see enter.h.
 *
 * A consumer calls from a thread of the interpreter that has released the GIL, or has not, or
 * from a thread of its own that the interpreter has never seen.  PyGILState_Ensure() covers
 * these for the main interpreter.  It knows no subinterpreter, so there a thread must be one
 * of its own.
 */
#include "arrow/enter.h"

/* Whether this thread, which is not attached, can enter the interpreter. */
static bool
may_attach(PyInterpreterState *interpreter)
{
    if (compat_is_finalizing()) {
        return false;
    }
    PyThreadState *own = PyGILState_GetThisThreadState();
    return own == NULL ? interpreter == PyInterpreterState_Main()
                       : PyThreadState_GetInterpreter(own) == interpreter;
}

bool
arrow_enter(arrow_entry *entry, PyInterpreterState *interpreter)
{
    *entry = (arrow_entry){.attached = false};
    if (!Py_IsInitialized()) {
        return false;
    }
    PyThreadState *current = compat_attached_thread();
    if (current != NULL) {
        if (PyThreadState_GetInterpreter(current) != interpreter) {
            return false;
        }
        entry->attached = true;
    }
    else if (may_attach(interpreter)) {
        entry->gil = PyGILState_Ensure();
    }
    else {
        return false;
    }
    /* Also of a thread that has only released the GIL. */
    entry->raised = PyErr_GetRaisedException();
    return true;
}

void
arrow_leave(arrow_entry *entry)
{
    if (entry->raised != NULL) {
        PyErr_SetRaisedException(entry->raised);
    }
    if (!entry->attached) {
        PyGILState_Release(entry->gil);
    }
}
