/* A source of events for run() and arun(). */
#ifndef GENERATORS_EVENTS_EVENT_SOURCE_H
#define GENERATORS_EVENTS_EVENT_SOURCE_H

#include "runtime/raising.h"
#include "stream/refusal.h"

/* TypeError: run() and arun() cannot take this. */
static inline void
event_source_refuse(PyObject *events)
{
    PyErr_Format(PyExc_TypeError, "'%.200s' object is not iterable", Py_TYPE(events)->tp_name);
    refusal_add_hint("run", events, false);
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
