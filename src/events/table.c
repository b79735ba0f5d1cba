/* Which handlers a type of event has.
 *
 * A dict gives the topic of a type, and a topic its handlers, as a tuple that is
 * replaced and never changed.  A topic goes when its last handler does.  Topics found
 * of late are remembered under their types where those are exact strs, since most
 * events have one of few.
 *
 * User code: a lookup in the dict runs __hash__ and __eq__ of types, and an allocation may
 * run the collector, so that handlers come and go meanwhile.  What is found is held by a
 * reference of its own, and what was read before is read again.
 *
 * Threads: all is done in the dispatcher's critical section.
 */
#include "events/table.h"

#include "events/events.h"

#include "runtime/raising.h"

#include <stdlib.h>

/* ---- topics ---- */

static event_topic *
new_topic(generators_state *state)
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
    PyObject_GC_Track(topic);
    return topic;
}

/* The handlers with `item` last, or without the one at `removed` if `item` is NULL: a new
   tuple, or NULL. */
static PyObject *
changed_handlers(PyObject *handlers, handler *item, Py_ssize_t removed)
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

/* Replace `expected`, the handlers that were read, by `handlers` (stolen).  False where
   others have taken their place meanwhile. */
static bool
topic_replace(event_topic *topic, PyObject *expected, PyObject *handlers)
{
    if (topic->handlers != expected) {
        Py_DECREF(handlers);
        return false;
    }
    bool is_async = false;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(handlers); i++) {
        is_async |= handler_is_async((handler *)PyTuple_GET_ITEM(handlers, i));
    }
    topic->is_async = is_async;
    topic->handlers = handlers;
    Py_DECREF(expected); /* the caller has a reference too */
    return true;
}

static int
topic_add(event_topic *topic, handler *item)
{
    for (bool is_done = false; !is_done;) {
        PyObject *handlers = Py_NewRef(topic->handlers);
        PyObject *changed = changed_handlers(handlers, item, -1);
        is_done = changed == NULL || topic_replace(topic, handlers, changed);
        Py_DECREF(handlers);
        if (changed == NULL) {
            return -1;
        }
    }
    return 0;
}

static Py_ssize_t
index_of(PyObject *handlers, handler *item)
{
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(handlers); i++) {
        if (PyTuple_GET_ITEM(handlers, i) == (PyObject *)item) {
            return i;
        }
    }
    return -1;
}

/* 1 where it was there, 0, or -1. */
static int
topic_remove(event_topic *topic, handler *item)
{
    for (bool is_done = false; !is_done;) {
        PyObject *handlers = Py_NewRef(topic->handlers);
        Py_ssize_t at = index_of(handlers, item);
        PyObject *changed = at < 0 ? NULL : changed_handlers(handlers, NULL, at);
        is_done = changed == NULL || topic_replace(topic, handlers, changed);
        Py_DECREF(handlers);
        if (changed == NULL) {
            return at < 0 ? 0 : -1;
        }
    }
    return 1;
}

static int
topic_traverse(PyObject *op, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(op));
    Py_VISIT(((event_topic *)op)->handlers);
    return 0;
}

static int
topic_clear(PyObject *op)
{
    Py_CLEAR(((event_topic *)op)->handlers);
    return 0;
}

static void
topic_dealloc(PyObject *op)
{
    PyTypeObject *type = Py_TYPE(op);
    PyObject_GC_UnTrack(op);
    topic_clear(op);
    type->tp_free(op);
    Py_DECREF(type);
}

static PyType_Slot topic_slots[] = {
    {Py_tp_traverse, topic_traverse},
    {Py_tp_clear, topic_clear},
    {Py_tp_dealloc, topic_dealloc},
    {0, NULL},
};

PyType_Spec event_topic_spec = {
    .name = "generators._native._EventTopic",
    .basicsize = sizeof(event_topic),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE |
             Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = topic_slots,
};

/* ---- the table ---- */

int
event_table_open(event_table *self, generators_state *state)
{
    self->topics = PyDict_New();
    self->errors = new_topic(state);
    self->fallback = new_topic(state);
    if (self->topics == NULL || self->errors == NULL || self->fallback == NULL) {
        return -1;
    }
    return PyDict_SetItem(self->topics, state->str_error, (PyObject *)self->errors);
}

static void
forget(event_table *self)
{
    for (size_t i = 0; i < EVENT_TYPES_FOUND; i++) {
        PyObject *type = self->found[i].type;
        event_topic *topic = self->found[i].topic;
        self->found[i].type = NULL;
        self->found[i].topic = NULL;
        Py_XDECREF(type);
        Py_XDECREF((PyObject *)topic);
    }
}

static void
remember(event_table *self, size_t place, PyObject *type, event_topic *topic)
{
    PyObject *earlier_type = self->found[place].type;
    event_topic *earlier_topic = self->found[place].topic;
    self->found[place].type = Py_NewRef(type);
    self->found[place].topic = (event_topic *)Py_NewRef((PyObject *)topic);
    Py_XDECREF(earlier_type);
    Py_XDECREF((PyObject *)earlier_topic);
}

/* The topic of a type, a new reference; NULL where there is none, or with an exception. */
static event_topic *
topic_of(event_table *self, PyObject *type)
{
#if PY_VERSION_HEX >= 0x030D0000
    PyObject *topic;
    (void)PyDict_GetItemRef(self->topics, type, &topic);
#else
    PyObject *topic = Py_XNewRef(PyDict_GetItemWithError(self->topics, type));
#endif
    return (event_topic *)topic;
}

/* The way to a topic: 1, or 0 where it has no handlers. */
static inline int
set_route(event_route *route, event_table *self, event_topic *topic)
{
    route->handlers = Py_NewRef(topic->handlers);
    route->is_async = topic->is_async;
    route->is_error = topic == self->errors;
    route->is_default = topic == self->fallback;
    if (PyTuple_GET_SIZE(route->handlers) > 0) {
        return 1;
    }
    Py_CLEAR(route->handlers);
    return 0;
}

int
event_table_look_up(event_table *self, PyObject *type, event_route *route)
{
    route->handlers = NULL;
    event_topic *topic = topic_of(self, type);
    if (topic == NULL) {
        return PyErr_Occurred() ? -1 : set_route(route, self, self->fallback);
    }
    int found = set_route(route, self, topic);
    if (found == 0) {
        found = set_route(route, self, self->fallback);
    }
    else if (PyUnicode_CheckExact(type)) {
        remember(self, event_table_place(type), type, topic);
    }
    Py_DECREF((PyObject *)topic);
    return found;
}

int
event_table_find_errors(event_table *self, event_route *route)
{
    return set_route(route, self, self->errors);
}

PyObject *
event_table_handlers(event_table *self, generators_state *state, PyObject *type)
{
    event_topic *topic = topic_of(self, type);
    if (topic == NULL) {
        return PyErr_Occurred() ? NULL : Py_NewRef(state->empty_tuple);
    }
    PyObject *handlers = Py_NewRef(topic->handlers);
    Py_DECREF((PyObject *)topic);
    return handlers;
}

/* The topic of a type, made if need be: a new reference, or NULL. */
static event_topic *
demand_topic(event_table *self, generators_state *state, PyObject *type)
{
    event_topic *topic = new_topic(state);
    if (topic == NULL) {
        return NULL;
    }
#if PY_VERSION_HEX >= 0x030D0000
    PyObject *found;
    (void)PyDict_SetDefaultRef(self->topics, type, (PyObject *)topic, &found);
#else
    PyObject *found = Py_XNewRef(PyDict_SetDefault(self->topics, type, (PyObject *)topic));
#endif
    Py_DECREF((PyObject *)topic);
    return (event_topic *)found;
}

/* After each change: no way that was found before holds any more. */
static void
settle(event_table *self)
{
    self->errors_are_async = self->errors->is_async;
    forget(self);
}

int
event_table_add(event_table *self, generators_state *state, handler *item)
{
    event_topic *topic = item->type == NULL
                             ? (event_topic *)Py_NewRef((PyObject *)self->fallback)
                             : demand_topic(self, state, item->type);
    if (topic == NULL) {
        return -1;
    }
    int status = topic_add(topic, item);
    Py_DECREF((PyObject *)topic);
    settle(self);
    return status;
}

/* Take an empty topic out of the dict.  0 or -1. */
static int
drop_topic(event_table *self, PyObject *type, event_topic *topic)
{
    if (topic == self->errors || topic == self->fallback ||
        PyTuple_GET_SIZE(topic->handlers) > 0) {
        return 0;
    }
    if (PyDict_DelItem(self->topics, type) < 0) {
        return raising_forgive(PyExc_KeyError); /* __eq__ of a type has done so */
    }
    /* A handler that __eq__ of a type added to it meanwhile is not lost. */
    return PyTuple_GET_SIZE(topic->handlers) == 0
               ? 0
               : PyDict_SetItem(self->topics, type, (PyObject *)topic);
}

int
event_table_remove(event_table *self, handler *item)
{
    event_topic *topic = item->type == NULL
                             ? (event_topic *)Py_NewRef((PyObject *)self->fallback)
                             : topic_of(self, item->type);
    if (topic == NULL) {
        return PyErr_Occurred() ? -1 : 0;
    }
    int status = topic_remove(topic, item);
    if (status > 0 && item->type != NULL) {
        status = drop_topic(self, item->type, topic);
    }
    Py_DECREF((PyObject *)topic);
    settle(self);
    return status < 0 ? -1 : 0;
}

/* ---- all of them ---- */

static int
by_serial(const void *a, const void *b)
{
    const handler *one = *(handler *const *)a, *other = *(handler *const *)b;
    return (one->serial > other->serial) - (one->serial < other->serial);
}

static int
list_topic(PyObject *list, event_topic *topic)
{
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(topic->handlers); i++) {
        if (PyList_Append(list, PyTuple_GET_ITEM(topic->handlers, i)) < 0) {
            return -1;
        }
    }
    return 0;
}

PyObject *
event_table_list(event_table *self)
{
    PyObject *list = PyList_New(0), *type, *topic;
    if (list == NULL || list_topic(list, self->fallback) < 0) {
        Py_XDECREF(list);
        return NULL;
    }
    Py_ssize_t place = 0;
    while (PyDict_Next(self->topics, &place, &type, &topic)) {
        if (list_topic(list, (event_topic *)topic) < 0) {
            Py_DECREF(list);
            return NULL;
        }
    }
    /* An empty one has no array, and qsort() wants one. */
    if (PyList_GET_SIZE(list) > 0) {
        qsort(((PyListObject *)list)->ob_item, (size_t)PyList_GET_SIZE(list),
              sizeof(PyObject *), by_serial);
    }
    return list;
}

void
event_table_clear(event_table *self)
{
    forget(self);
    Py_CLEAR(self->topics);
    Py_CLEAR(self->errors);
    Py_CLEAR(self->fallback);
}

int
event_table_traverse(event_table *self, visitproc visit, void *arg)
{
    Py_VISIT(self->topics);
    for (size_t i = 0; i < EVENT_TYPES_FOUND; i++) {
        Py_VISIT(self->found[i].topic);
    }
    Py_VISIT(self->errors);
    Py_VISIT(self->fallback);
    return 0;
}
