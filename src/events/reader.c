/* Reading an event's type or data, by a name or a callable.
 *
 * A name is an attribute of the event or, if it has none, a key of the event as a mapping.  In
 * an exact dict it is always a key, since the attributes of a dict are its methods.  The place
 * of the attribute is cached for the types of recent events: see attribute_lookup.c.
 *
 * Owned: the name or callable.
 *
 * User code: the callable, and the event's own lookups.
 *
 * Threads: with the GIL it protects the cache; without it there is none.
 */
#include "events/reader.h"

#include "runtime/raising.h"

int
event_reader_open(event_reader *self, PyObject *name, const char *what)
{
    if (PyUnicode_Check(name)) {
        PyObject *exact = PyUnicode_FromObject(name);
        if (exact == NULL) {
            return -1;
        }
        PyUnicode_InternInPlace(&exact);
        self->name = exact;
    }
    else if (PyCallable_Check(name)) {
        self->name = Py_NewRef(name);
        self->is_callable = true;
    }
    else {
        PyErr_Format(PyExc_TypeError, "%s must be a str or a callable, not '%.200s'", what,
                     Py_TYPE(name)->tp_name);
        return -1;
    }
    return 0;
}

/* ---- the cache ---- */

#if COMPAT_TYPE_VERSIONS

/* The place in the cache for events of this type. */
static inline attribute_lookup *
event_reader_cached(event_reader *self, PyObject *event)
{
    return &self->lookups[compat_type_version(Py_TYPE(event)) % EVENT_LOOKUPS];
}

static inline bool
attribute_lookup_is_for(const attribute_lookup *lookup, PyObject *event)
{
    return lookup->version != 0 && lookup->version == compat_type_version(Py_TYPE(event));
}

/* The attribute: a new reference; NULL if it must be looked up. */
static inline PyObject *
event_reader_read_cached(event_reader *self, PyObject *event)
{
    attribute_lookup *lookup = event_reader_cached(self, event);
    return attribute_lookup_is_for(lookup, event) ? attribute_lookup_read(lookup, event)
                                                  : NULL;
}

/* Cache where the event has the attribute, which is `value`.  0 or -1. */
static int
event_reader_cache(event_reader *self, PyObject *event, PyObject *value)
{
    if (attribute_lookup_is_for(event_reader_cached(self, event), event)) {
        return 0;
    }
    attribute_lookup lookup;
    if (attribute_lookup_find(&lookup, event, self->name, value) < 0) {
        return -1;
    }
    if (lookup.version != 0) {
        self->lookups[lookup.version % EVENT_LOOKUPS] = lookup;
    }
    return 0;
}

#else

static inline PyObject *
event_reader_read_cached(event_reader *Py_UNUSED(self), PyObject *Py_UNUSED(event))
{
    return NULL;
}

static int
event_reader_cache(event_reader *Py_UNUSED(self), PyObject *Py_UNUSED(event),
                   PyObject *Py_UNUSED(value))
{
    return 0;
}

#endif

/* ---- reading ---- */

static PyObject *
event_reader_read_name(event_reader *self, PyObject *event)
{
    if (PyDict_CheckExact(event)) {
        return PyObject_GetItem(event, self->name);
    }
    PyObject *value = PyObject_GetAttr(event, self->name);
    if (value != NULL) {
        if (event_reader_cache(self, event, value) < 0) {
            Py_CLEAR(value);
        }
        return value;
    }
    if (!PyErr_ExceptionMatches(PyExc_AttributeError)) {
        return NULL;
    }
    /* An object that is no mapping keeps the AttributeError, which names the attribute. */
    if (!PyMapping_Check(event) || PyTuple_Check(event) || PyList_Check(event) ||
        PyUnicode_Check(event) || PyBytes_Check(event)) {
        return NULL;
    }
    PyErr_Clear(); /* the AttributeError */
    return PyObject_GetItem(event, self->name);
}

PyObject *
event_reader_read(event_reader *self, PyObject *event)
{
    PyObject *value = event_reader_read_cached(self, event);
    if (value != NULL) {
        return value;
    }
    value = self->is_callable ? PyObject_CallOneArg(self->name, event)
                              : event_reader_read_name(self, event);
    if (value == NULL) {
        raising_convert(PyExc_StopIteration, "reading an event");
        raising_convert(PyExc_StopAsyncIteration, "reading an event");
        stream_note("while reading %R of an event of type '%.200s'", self->name,
                    Py_TYPE(event)->tp_name);
    }
    return value;
}

int
event_reader_traverse(event_reader *self, visitproc visit, void *arg)
{
    Py_VISIT(self->name);
    return 0;
}

void
event_reader_clear(event_reader *self)
{
    Py_CLEAR(self->name);
}
