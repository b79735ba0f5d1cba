/* Dispatcher.emit_threadsafe(): an event of another thread goes to async handlers.
 *
 * The coroutine of aemit() becomes a task of the event loop in which the dispatcher was last
 * used, by asyncio.run_coroutine_threadsafe().
 *
 * Nothing is owned.
 *
 * User code: the methods of the event loop.
 *
 * Threads: the loop is read in the critical section of the dispatcher.
 */
#include "events/emit_threadsafe.h"

#include "aio/coroutine.h"
#include "events/event_coroutine.h"
#include "runtime/raising.h"

const char dispatcher_emit_threadsafe_doc[] = PyDoc_STR(
    "emit_threadsafe($self, type, data=None, /)\n"
    "--\n\n"
    "Emit an event from any thread, also to async handlers.  Its handlers run in the\n"
    "event loop in which the dispatcher was last used: where it was made, where a handler\n"
    "was registered or awaited, or where `async with` or arun() began.\n"
    "\n"
    "Return a concurrent.futures.Future with the result or exception of aemit().\n"
    "RuntimeError is raised if the dispatcher was not used in an event loop, or if that\n"
    "loop is closed.");

/* The loop: a new reference, or NULL with RuntimeError. */
static PyObject *
dispatcher_find_loop(dispatcher *owner)
{
    PyObject *loop;
    Py_BEGIN_CRITICAL_SECTION(owner);
    loop = Py_XNewRef(owner->loop);
    Py_END_CRITICAL_SECTION();
    if (loop == NULL) {
        PyErr_SetString(PyExc_RuntimeError,
                        "emit_threadsafe() needs an event loop, and the dispatcher was not "
                        "used in one: enter `async with dispatcher` first, or call emit() if "
                        "all handlers are sync");
    }
    return loop;
}

PyObject *
dispatcher_emit_threadsafe(PyObject *op, PyObject *const *args, Py_ssize_t count)
{
    dispatcher *owner = (dispatcher *)op;
    if (count < 1 || count > 2) {
        PyErr_Format(PyExc_TypeError, "emit_threadsafe expected 1 or 2 arguments, got %zd",
                     count);
        return NULL;
    }
    if (dispatcher_is_closing(owner)) {
        dispatcher_refuse_closed();
        return NULL;
    }
    PyObject *loop = dispatcher_find_loop(owner);
    PyObject *tasks = loop == NULL ? NULL : PyImport_ImportModule("asyncio.tasks");
    PyObject *call = tasks == NULL ? NULL
                                   : event_coroutine_new(owner, METHOD_AEMIT, args[0],
                                                         count > 1 ? args[1] : Py_None);
    PyObject *future = call == NULL ? NULL
                                    : PyObject_CallMethod(tasks, "run_coroutine_threadsafe",
                                                          "(OO)", call, loop);
    PyObject *raised = PyErr_GetRaisedException();
    if (raised != NULL && call != NULL) {
        coroutine_give_up((coroutine *)call); /* it is not to be awaited */
    }
    Py_XDECREF(loop);
    Py_XDECREF(tasks);
    Py_XDECREF(call);
    if (raised != NULL) {
        PyErr_SetRaisedException(raised);
    }
    return future;
}
