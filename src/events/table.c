/* A table of handlers by the type of event.
 *
 * A dict maps a type to its topic, which has the handlers.  A topic is removed with its last
 * handler.  Topics that were found are cached under the address of their type if that is an
 * exact str.
 *
 * User code: a lookup in the dict calls __hash__() and __eq__() of types, and an allocation
 * may run the garbage collector.  Both may add and remove handlers.  So each object that was
 * found is held by a reference of its own, and what was read before is read again.
 *
 * Threads: the caller holds the critical section of the dispatcher.
 */
#include "events/table.h"

#include "runtime/raising.h"

#include <stdlib.h>

int
event_table_open(event_table *self, generators_state *state)
{
    self->topics = PyDict_New();
    self->errors = event_topic_new(state);
    self->every = event_topic_new(state);
    self->fallback = event_topic_new(state);
    if (self->topics == NULL || self->errors == NULL || self->every == NULL ||
        self->fallback == NULL ||
        PyDict_SetItem(self->topics, Py_None, (PyObject *)self->every) < 0) {
        return -1;
    }
    return PyDict_SetItem(self->topics, state->str_error, (PyObject *)self->errors);
}

/* ---- the cache ---- */

static void
event_table_forget(event_table *self)
{
    for (size_t i = 0; i < EVENT_TYPES_CACHED; i++) {
        PyObject *type = self->cache[i].type;
        event_topic *topic = self->cache[i].topic;
        self->cache[i].type = NULL;
        self->cache[i].topic = NULL;
        Py_XDECREF(type);
        Py_XDECREF((PyObject *)topic);
    }
}

static void
event_table_cache(event_table *self, size_t place, PyObject *type, event_topic *topic)
{
    PyObject *earlier_type = self->cache[place].type;
    event_topic *earlier_topic = self->cache[place].topic;
    self->cache[place].type = Py_NewRef(type);
    self->cache[place].topic = (event_topic *)Py_NewRef((PyObject *)topic);
    Py_XDECREF(earlier_type);
    Py_XDECREF((PyObject *)earlier_topic);
}

/* ---- finding ---- */

/* The topic of a type: a new reference; NULL if there is none, or with an exception. */
static event_topic *
event_table_topic(event_table *self, PyObject *type)
{
    PyObject *topic;
    (void)PyDict_GetItemRef(self->topics, type, &topic);
    return (event_topic *)topic;
}

/* Set *route to the handlers of a topic: 1, or 0 if it has none. */
static inline int
event_route_set(event_route *route, event_table *self, event_topic *topic)
{
    route->handlers = Py_NewRef(topic->handlers);
    route->flags = (topic->is_async ? ROUTE_IS_ASYNC : 0U) |
                   (topic == self->errors ? ROUTE_IS_ERROR : 0U) |
                   (topic == self->fallback || topic == self->every ? ROUTE_IS_WHOLE : 0U) |
                   (topic->is_plain ? 0U : ROUTE_IS_SPECIAL);
    if (PyTuple_GET_SIZE(route->handlers) > 0) {
        return 1;
    }
    Py_CLEAR(route->handlers);
    return 0;
}

/* Add the handlers of all events to a route.  1 or -1. */
static int
event_route_add_every(event_route *route, event_table *self)
{
    PyObject *first = route->handlers;
    event_route every;
    if (event_route_set(&every, self, self->every) == 0) { /* a finalizer has removed them */
        return 1;
    }
    route->handlers = PySequence_Concat(first, every.handlers);
    route->flags |= every.flags;
    Py_DECREF(first);
    Py_DECREF(every.handlers);
    return route->handlers == NULL ? -1 : 1;
}

int
event_table_look_up(event_table *self, PyObject *type, event_route *route)
{
    route->handlers = NULL;
    event_topic *topic = event_table_topic(self, type);
    if (topic == NULL && PyErr_Occurred()) {
        return -1;
    }
    bool has_every = PyTuple_GET_SIZE(self->every->handlers) > 0;
    int found =
        topic == NULL || topic == self->every ? 0 : event_route_set(route, self, topic);
    if (found > 0 && !has_every && PyUnicode_CheckExact(type)) {
        event_table_cache(self, event_table_place(type), type, topic);
    }
    if (found == 0) {
        found = event_route_set(route, self, self->fallback);
    }
    if (has_every) {
        found = found > 0 ? event_route_add_every(route, self)
                          : event_route_set(route, self, self->every);
    }
    Py_XDECREF((PyObject *)topic);
    return found;
}

int
event_table_find_errors(event_table *self, event_route *route)
{
    return event_route_set(route, self, self->errors);
}

PyObject *
event_table_handlers(event_table *self, generators_state *state, PyObject *type)
{
    event_topic *topic = event_table_topic(self, type);
    if (topic == NULL) {
        return PyErr_Occurred() ? NULL : Py_NewRef(state->empty_tuple);
    }
    PyObject *handlers = Py_NewRef(topic->handlers);
    Py_DECREF((PyObject *)topic);
    return handlers;
}

/* ---- changing ---- */

/* The topic of a type, which is made if there is none: a new reference, or NULL. */
static event_topic *
event_table_demand_topic(event_table *self, generators_state *state, PyObject *type)
{
    event_topic *topic = event_topic_new(state);
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

/* Called after each change: the cache is no longer valid. */
static void
event_table_settle(event_table *self)
{
    self->errors_are_async = self->errors->is_async;
    event_table_forget(self);
}

int
event_table_add(event_table *self, generators_state *state, handler *item)
{
    event_topic *topic = item->type == NULL
                             ? (event_topic *)Py_NewRef((PyObject *)self->fallback)
                             : event_table_demand_topic(self, state, item->type);
    if (topic == NULL) {
        return -1;
    }
    item->is_error = topic == self->errors;
    int status = event_topic_add(topic, item);
    Py_DECREF((PyObject *)topic);
    event_table_settle(self);
    return status;
}

/* Remove a topic from the dict if it is empty.  0 or -1. */
static int
event_table_drop_topic(event_table *self, PyObject *type, event_topic *topic)
{
    if (topic == self->errors || topic == self->every || topic == self->fallback ||
        PyTuple_GET_SIZE(topic->handlers) > 0) {
        return 0;
    }
    if (PyDict_DelItem(self->topics, type) < 0) {
        return raising_forgive(PyExc_KeyError); /* __eq__() of a type removed it */
    }
    /* __eq__() of a type may have added a handler to it. */
    return PyTuple_GET_SIZE(topic->handlers) == 0
               ? 0
               : PyDict_SetItem(self->topics, type, (PyObject *)topic);
}

int
event_table_remove(event_table *self, handler *item)
{
    event_topic *topic = item->type == NULL
                             ? (event_topic *)Py_NewRef((PyObject *)self->fallback)
                             : event_table_topic(self, item->type);
    if (topic == NULL) {
        return PyErr_Occurred() ? -1 : 0;
    }
    int status = event_topic_remove(topic, item);
    if (status > 0 && item->type != NULL) {
        status = event_table_drop_topic(self, item->type, topic);
    }
    Py_DECREF((PyObject *)topic);
    event_table_settle(self);
    return status < 0 ? -1 : 0;
}

/* ---- listing ---- */

static int
handler_compare_serials(const void *a, const void *b)
{
    const handler *one = *(handler *const *)a, *other = *(handler *const *)b;
    return (one->serial > other->serial) - (one->serial < other->serial);
}

/* Whether it has a handler that on() registered. */
static bool
event_topic_is_listed(event_topic *topic)
{
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(topic->handlers); i++) {
        if (handler_is_listed((handler *)PyTuple_GET_ITEM(topic->handlers, i))) {
            return true;
        }
    }
    return false;
}

/* Copy the handlers of a topic to `handlers`, if that is not NULL.  Return their number. */
static Py_ssize_t
event_topic_copy(event_topic *topic, handler **handlers)
{
    Py_ssize_t count = PyTuple_GET_SIZE(topic->handlers);
    for (Py_ssize_t i = 0; i < count && handlers != NULL; i++) {
        handlers[i] = (handler *)PyTuple_GET_ITEM(topic->handlers, i);
    }
    return count;
}

/* The same for all topics.  What is copied is borrowed: no user code may run. */
static Py_ssize_t
event_table_copy(event_table *self, handler **handlers)
{
    PyObject *type, *topic;
    Py_ssize_t count = event_topic_copy(self->fallback, handlers), place = 0;
    while (PyDict_Next(self->topics, &place, &type, &topic)) {
        count +=
            event_topic_copy((event_topic *)topic, handlers == NULL ? NULL : handlers + count);
    }
    return count;
}

PyObject *
event_table_list(event_table *self)
{
    PyObject *list = PyList_New(0);
    if (list == NULL) {
        return NULL;
    }
    /* From here on nothing runs the garbage collector. */
    Py_ssize_t count = event_table_copy(self, NULL);
    handler **handlers = PyMem_New(handler *, (size_t)count);
    if (handlers == NULL) {
        Py_DECREF(list);
        return PyErr_NoMemory();
    }
    event_table_copy(self, handlers);
    qsort(handlers, (size_t)count, sizeof(handler *), handler_compare_serials);
    for (Py_ssize_t i = 0; i < count && list != NULL; i++) {
        if (PyList_Append(list, (PyObject *)handlers[i]) < 0) {
            Py_CLEAR(list);
        }
    }
    PyMem_Free(handlers);
    return list;
}

PyObject *
event_table_types(event_table *self)
{
    PyObject *list = PyList_New(0), *type, *topic;
    Py_ssize_t place = 0;
    while (list != NULL && PyDict_Next(self->topics, &place, &type, &topic)) {
        if (type != Py_None && event_topic_is_listed((event_topic *)topic) &&
            PyList_Append(list, type) < 0) {
            Py_CLEAR(list);
        }
    }
    return list;
}

/* ---- memory ---- */

void
event_table_clear(event_table *self)
{
    event_table_forget(self);
    Py_CLEAR(self->topics);
    Py_CLEAR(self->errors);
    Py_CLEAR(self->every);
    Py_CLEAR(self->fallback);
}

int
event_table_traverse(event_table *self, visitproc visit, void *arg)
{
    Py_VISIT(self->topics);
    for (size_t i = 0; i < EVENT_TYPES_CACHED; i++) {
        Py_VISIT(self->cache[i].topic);
    }
    Py_VISIT(self->errors);
    Py_VISIT(self->every);
    Py_VISIT(self->fallback);
    return 0;
}
