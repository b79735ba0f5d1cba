/* _EventTopic: the handlers of one type of event.
 *
 * Owned: the tuple of handlers.
 *
 * User code: making a tuple may run the garbage collector, which may add and remove handlers.
 * Therefore the tuple is read again after each allocation.
 *
 * Threads: the caller holds the critical section of the dispatcher.
 */
#include "events/topic.h"

event_topic *
event_topic_new(generators_state *state)
{
    if (state->event_topic_type == NULL) {
        PyErr_SetString(PyExc_RuntimeError, "the module is being unloaded");
        return NULL;
    }
    event_topic *topic = PyObject_GC_New(event_topic, state->event_topic_type);
    if (topic == NULL) {
        return NULL;
    }
    topic->handlers = Py_NewRef(state->empty_tuple);
    topic->is_async = false;
    topic->is_plain = true;
    PyObject_GC_Track(topic);
    return topic;
}

/* A new tuple: the handlers followed by `item` or, if `item` is NULL, the handlers without the
   one at the index `removed`.  NULL with an exception. */
static PyObject *
handlers_changed(PyObject *handlers, handler *item, Py_ssize_t removed)
{
    Py_ssize_t count = PyTuple_GET_SIZE(handlers), to = 0;
    PyObject *changed = PyTuple_New(item != NULL ? count + 1 : count - 1);
    if (changed == NULL) {
        return NULL;
    }
    for (Py_ssize_t i = 0; i < count; i++) {
        if (item != NULL || i != removed) {
            PyTuple_SET_ITEM(changed, to++, Py_NewRef(PyTuple_GET_ITEM(handlers, i)));
        }
    }
    if (item != NULL) {
        PyTuple_SET_ITEM(changed, to, Py_NewRef((PyObject *)item));
    }
    return changed;
}

/* Replace the handlers if they are still `expected`, which the caller holds too.  `handlers`
   is stolen.  Return whether that was done. */
static bool
event_topic_replace(event_topic *topic, PyObject *expected, PyObject *handlers)
{
    if (topic->handlers != expected) {
        Py_DECREF(handlers);
        return false;
    }
    bool is_async = false, is_plain = true;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(handlers); i++) {
        handler *item = (handler *)PyTuple_GET_ITEM(handlers, i);
        is_async |= handler_is_async(item);
        is_plain &= handler_is_plain(item);
    }
    topic->is_async = is_async;
    topic->is_plain = is_plain;
    topic->handlers = handlers;
    Py_DECREF(expected); /* the caller holds it too */
    return true;
}

int
event_topic_add(event_topic *topic, handler *item)
{
    for (bool is_done = false; !is_done;) {
        PyObject *handlers = Py_NewRef(topic->handlers);
        PyObject *changed = handlers_changed(handlers, item, -1);
        is_done = changed == NULL || event_topic_replace(topic, handlers, changed);
        Py_DECREF(handlers);
        if (changed == NULL) {
            return -1;
        }
    }
    return 0;
}

/* The index of a handler, or -1. */
static Py_ssize_t
handlers_index_of(PyObject *handlers, handler *item)
{
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(handlers); i++) {
        if (PyTuple_GET_ITEM(handlers, i) == (PyObject *)item) {
            return i;
        }
    }
    return -1;
}

int
event_topic_remove(event_topic *topic, handler *item)
{
    for (bool is_done = false; !is_done;) {
        PyObject *handlers = Py_NewRef(topic->handlers);
        Py_ssize_t at = handlers_index_of(handlers, item);
        PyObject *changed = at < 0 ? NULL : handlers_changed(handlers, NULL, at);
        is_done = changed == NULL || event_topic_replace(topic, handlers, changed);
        Py_DECREF(handlers);
        if (changed == NULL) {
            return at < 0 ? 0 : -1;
        }
    }
    return 1;
}

/* ---- the type ---- */

static int
event_topic_traverse(PyObject *op, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(op));
    Py_VISIT(((event_topic *)op)->handlers);
    return 0;
}

static int
event_topic_clear(PyObject *op)
{
    Py_CLEAR(((event_topic *)op)->handlers);
    return 0;
}

static void
event_topic_dealloc(PyObject *op)
{
    PyTypeObject *type = Py_TYPE(op);
    PyObject_GC_UnTrack(op);
    event_topic_clear(op);
    type->tp_free(op);
    Py_DECREF(type);
}

static PyType_Slot event_topic_slots[] = {
    {Py_tp_traverse, event_topic_traverse},
    {Py_tp_clear, event_topic_clear},
    {Py_tp_dealloc, event_topic_dealloc},
    {0, NULL},
};

PyType_Spec event_topic_spec = {
    .name = "native_generators._native._EventTopic",
    .basicsize = sizeof(event_topic),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE |
             Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = event_topic_slots,
};
