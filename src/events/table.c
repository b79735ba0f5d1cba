/* Which handlers a type of event has.
 *
 * A dict gives the topic of a type, and a topic its handlers, as a tuple that is
 * replaced and never changed.  A topic goes when its last handler does.  Topics found
 * of late are remembered under their types where those are exact strs, since most
 * events have one of few.
 *
 * Threads: all is done in the dispatcher's critical section.  Looking into the dict can
 * run __hash__ and __eq__ of a type, and with them anything; what is done after that
 * relies on nothing read before.
 */
#include "events/table.h"

#include "events/events.h"

#include <stdlib.h>

/* ---- topics ---- */

static event_topic *
new_topic(generators_state *state)
{
    event_topic *topic = PyObject_GC_New(event_topic, state->event_topic_type);
    if (topic == NULL) {
        return NULL;
    }
    topic->handlers = Py_NewRef(state->empty_tuple);
    topic->is_async = false;
    PyObject_GC_Track(topic);
    return topic;
}

static void
set_handlers(event_topic *topic, PyObject *handlers)
{
    bool is_async = false;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(handlers); i++) {
        is_async |= handler_is_async((handler *)PyTuple_GET_ITEM(handlers, i));
    }
    topic->is_async = is_async;
    Py_SETREF(topic->handlers, handlers);
}

static int
topic_add(event_topic *topic, handler *item)
{
    Py_ssize_t count = PyTuple_GET_SIZE(topic->handlers);
    PyObject *handlers = PyTuple_New(count + 1);
    if (handlers == NULL) {
        return -1;
    }
    for (Py_ssize_t i = 0; i < count; i++) {
        PyTuple_SET_ITEM(handlers, i, Py_NewRef(PyTuple_GET_ITEM(topic->handlers, i)));
    }
    PyTuple_SET_ITEM(handlers, count, Py_NewRef((PyObject *)item));
    set_handlers(topic, handlers);
    return 0;
}

/* 1 where it was there, 0, or -1. */
static int
topic_remove(event_topic *topic, handler *item)
{
    Py_ssize_t count = PyTuple_GET_SIZE(topic->handlers), at = 0;
    while (at < count && PyTuple_GET_ITEM(topic->handlers, at) != (PyObject *)item) {
        at++;
    }
    if (at == count) {
        return 0;
    }
    PyObject *handlers = PyTuple_New(count - 1);
    if (handlers == NULL) {
        return -1;
    }
    for (Py_ssize_t i = 0, to = 0; i < count; i++) {
        if (i != at) {
            PyTuple_SET_ITEM(handlers, to++, Py_NewRef(PyTuple_GET_ITEM(topic->handlers, i)));
        }
    }
    set_handlers(topic, handlers);
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

/* Where a type is remembered: by its address. */
static inline size_t
place_of(PyObject *type)
{
    uintptr_t address = (uintptr_t)type;
    return (size_t)((address >> 4) ^ (address >> 7)) & (EVENT_TYPES_FOUND - 1);
}

static void
forget(event_table *self)
{
    for (size_t i = 0; i < EVENT_TYPES_FOUND; i++) {
        Py_CLEAR(self->found[i].type);
        Py_CLEAR(self->found[i].topic);
    }
}

/* The topic is in the dict too, so that letting go of one runs no code. */
static void
remember(event_table *self, size_t place, PyObject *type, event_topic *topic)
{
    Py_XSETREF(self->found[place].type, Py_NewRef(type));
    Py_XSETREF(self->found[place].topic, (event_topic *)Py_NewRef((PyObject *)topic));
}

event_topic *
event_table_topic(event_table *self, PyObject *type)
{
    return (event_topic *)PyDict_GetItemWithError(self->topics, type);
}

event_topic *
event_table_find(event_table *self, PyObject *type)
{
    size_t place = place_of(type);
    if (self->found[place].type == type) {
        return self->found[place].topic;
    }
    event_topic *topic = event_table_topic(self, type);
    if (topic == NULL && PyErr_Occurred()) {
        return NULL;
    }
    if (topic == NULL || PyTuple_GET_SIZE(topic->handlers) == 0) {
        topic = self->fallback;
        return PyTuple_GET_SIZE(topic->handlers) == 0 ? NULL : topic;
    }
    if (PyUnicode_CheckExact(type)) {
        remember(self, place, type, topic);
    }
    return topic;
}

/* The topic of a type, made if need be: a new reference. */
static event_topic *
demand_topic(event_table *self, generators_state *state, PyObject *type)
{
    event_topic *topic = new_topic(state);
    if (topic == NULL) {
        return NULL;
    }
    PyObject *found = PyDict_SetDefault(self->topics, type, (PyObject *)topic);
    Py_XINCREF(found);
    Py_DECREF(topic);
    return (event_topic *)found;
}

int
event_table_add(event_table *self, generators_state *state, handler *item)
{
    event_topic *topic = self->fallback;
    Py_INCREF(topic);
    if (item->type != NULL) {
        Py_SETREF(topic, demand_topic(self, state, item->type));
        if (topic == NULL) {
            return -1;
        }
    }
    int status = topic_add(topic, item);
    Py_DECREF(topic);
    forget(self);
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
        return -1;
    }
    /* A handler that __eq__ of a type added to it meanwhile is not lost. */
    return PyTuple_GET_SIZE(topic->handlers) == 0
               ? 0
               : PyDict_SetItem(self->topics, type, (PyObject *)topic);
}

int
event_table_remove(event_table *self, handler *item)
{
    event_topic *topic = self->fallback;
    if (item->type != NULL) {
        topic = event_table_topic(self, item->type);
        if (topic == NULL) {
            return PyErr_Occurred() ? -1 : 0;
        }
    }
    Py_INCREF(topic);
    int status = topic_remove(topic, item);
    forget(self);
    if (status > 0 && item->type != NULL) {
        status = drop_topic(self, item->type, topic);
    }
    Py_DECREF(topic);
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
