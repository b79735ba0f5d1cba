/* What a Dispatcher holds.
 *
 * States: open; closing, when it takes no more events, but a dispatch is running, which closes
 * the handlers at its end; closed.
 *
 * Owned: the table owns the handlers, and the queue owns the events that wait.  A dispatch and
 * a call that waits own what they use.
 *
 * The files of this room, each of which uses those before it:
 *
 *   attribute_lookup.c        where the objects of a type store an attribute
 *   reader.c                  the type and the data of an event
 *   handler_object.c          what an object is that is registered
 *   mailbox.c                 the events and the task of a background handler
 *   handler.c                 one handler
 *   topic.c                   the handlers of one type of event
 *   table.c                   the handlers of all types
 *   queue.c                   events that wait
 *   dispatcher.c              what a Dispatcher holds
 *   post.c                    an event goes to a background handler
 *   register.c                on() and off()
 *   once.c                    an event goes to wait_for()
 *   subscribe.c               subscribe(), and an event goes to its stream
 *   waiters.c                 async calls that wait for the current dispatch to end
 *   dispatch.c                what a dispatch holds
 *   failure.c                 what goes wrong in a dispatch
 *   deliver.c                 an event goes to one handler
 *   dispatch_advance.c        a dispatch, up to what must be awaited
 *   dispatch_start.c          who may dispatch
 *   queue_task.c              the queue of a dispatch that was cancelled
 *   event_coroutine_step.c    aemit(), adispatch(), arun() and aclose()
 *   event_coroutine.c         the type of their coroutines
 *   mailbox_task.c            the task of a background handler
 *   wait_for.c                wait_for()
 *   emit_threadsafe.c         emit_threadsafe()
 *   dispatcher_methods.c      the type Dispatcher, and emit(), dispatch(), run() and close()
 *
 * User code: none runs here but that of objects that are dropped.
 *
 * Threads: all that several calls change is changed in the critical section of the dispatcher.
 */
#include "events/dispatcher.h"

#include "aio/loop.h"
#include "runtime/raising.h"

void
dispatcher_refuse_closed(void)
{
    PyErr_SetString(PyExc_RuntimeError, "the dispatcher is closed");
}

/* ---- who calls ---- */

/* The value of the context variable: borrowed from the context, only to be compared; or NULL.
 */
static PyObject *
dispatcher_variable_value(dispatcher *self)
{
    PyObject *value = NULL;
    if (self->variable != NULL && PyContextVar_Get(self->variable, NULL, &value) < 0) {
        raising_unraisable(self->variable);
        return NULL;
    }
    Py_XDECREF(value);
    return value;
}

dispatcher_caller
dispatcher_find_caller(dispatcher *self)
{
    PyObject *value = dispatcher_variable_value(self);
    if (value == NULL) {
        return CALLER_OUTSIDE;
    }
    return value == self->token                                 ? CALLER_HANDLER
           : Py_IS_TYPE(value, self->state->event_handler_type) ? CALLER_BACKGROUND
                                                                : CALLER_OUTSIDE;
}

bool
dispatcher_is_called_by(dispatcher *self, handler *item)
{
    return dispatcher_variable_value(self) == (PyObject *)item;
}

int
dispatcher_make_variable(dispatcher *self)
{
    if (self->variable != NULL) { /* it is never replaced */
        return 0;
    }
    PyObject *variable = PyContextVar_New("generators.Dispatcher", NULL);
    if (variable == NULL) {
        return -1;
    }
    Py_BEGIN_CRITICAL_SECTION(self);
    if (self->variable == NULL) {
        self->variable = variable;
        variable = NULL;
    }
    Py_END_CRITICAL_SECTION();
    Py_XDECREF(variable);
    return 0;
}

int
dispatcher_keep_loop(dispatcher *self)
{
    PyObject *loop, *earlier;
    int running = loop_running(self->state, &loop);
    if (running <= 0) { /* a loop that was used before may run again */
        return running;
    }
    Py_BEGIN_CRITICAL_SECTION(self);
    earlier = self->loop;
    self->loop = loop;
    Py_END_CRITICAL_SECTION();
    Py_XDECREF(earlier);
    return 0;
}

/* ---- memory ---- */

int
dispatcher_traverse(PyObject *op, visitproc visit, void *arg)
{
    dispatcher *self = (dispatcher *)op;
    Py_VISIT(Py_TYPE(op));
    Py_VISIT(self->removed);
    Py_VISIT(self->ending);
    Py_VISIT(self->variable);
    Py_VISIT(self->loop);
    int status = event_table_traverse(&self->table, visit, arg);
    if (status == 0) {
        status = event_queue_traverse(&self->queue, visit, arg);
    }
    if (status == 0) {
        status = event_reader_traverse(&self->key, visit, arg);
    }
    return status != 0 ? status : event_reader_traverse(&self->data, visit, arg);
}

int
dispatcher_clear(PyObject *op)
{
    dispatcher *self = (dispatcher *)op;
    self->closing = self->closed = true; /* later calls are refused */
    event_table_clear(&self->table);
    event_queue_clear(&self->queue);
    event_reader_clear(&self->key);
    event_reader_clear(&self->data);
    Py_CLEAR(self->removed);
    Py_CLEAR(self->ending);
    Py_CLEAR(self->variable);
    Py_CLEAR(self->loop);
    return 0;
}

void
dispatcher_dealloc(PyObject *op)
{
    PyTypeObject *type = Py_TYPE(op);
    PyObject_GC_UnTrack(op);
    if (((dispatcher *)op)->weak_references != NULL) {
        PyObject_ClearWeakRefs(op);
    }
    dispatcher_clear(op);
    type->tp_free(op);
    Py_DECREF(type);
}
