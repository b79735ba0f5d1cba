/* A source of events for run() and arun(). */
#ifndef GENERATORS_EVENTS_EVENT_SOURCE_H
#define GENERATORS_EVENTS_EVENT_SOURCE_H

#include "runtime/raising.h"

/* TypeError: run() and arun() cannot take this. */
static inline void
event_source_refuse(PyObject *events)
{
    PyAsyncMethods *methods = Py_TYPE(events)->tp_as_async;
    const char *advice =
        methods != NULL && methods->am_aiter != NULL   ? ": await arun() for an async iterable"
        : methods != NULL && methods->am_await != NULL ? ": await it, and pass its result"
        : PyFunction_Check(events) || PyMethod_Check(events)
            ? ": call the function, and pass what it returns"
            : "";
    PyErr_Format(PyExc_TypeError, "'%.200s' object is not iterable%s",
                 Py_TYPE(events)->tp_name, advice);
}

/* Whether iter() takes it. */
static inline bool
event_source_is_iterable(PyObject *events)
{
    return Py_TYPE(events)->tp_iter != NULL || PySequence_Check(events);
}

/* The iterator of the argument of run(), or NULL. */
static inline PyObject *
event_source_open(PyObject *events)
{
    if (event_source_is_iterable(events)) {
        return PyObject_GetIter(events);
    }
    event_source_refuse(events);
    return NULL;
}

/* The next event of an iterator, or NULL at its end: 0, or -1 with an exception.  Inline
   because every event comes from here. */
static inline int
event_source_next(PyObject *source, PyObject **event)
{
    iternextfunc next = Py_TYPE(source)->tp_iternext; /* its class may have changed */
    if (next == NULL) {
        *event = NULL;
        PyErr_Format(PyExc_TypeError, "'%.200s' object is not an iterator",
                     Py_TYPE(source)->tp_name);
        return -1;
    }
    *event = next(source);
    return *event != NULL || !PyErr_Occurred() ? 0 : raising_forgive(PyExc_StopIteration);
}

#endif
