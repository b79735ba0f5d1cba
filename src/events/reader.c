/* What a name or a callable finds in an event: its key, or its data.
 *
 * A name is the event's attribute, else its key as a mapping; of an exact dict it is
 * the key, since no attribute of a dict is its data.  The place of an attribute is kept
 * for the next event of that type (see place.c), known by the version that the
 * interpreter gives a type until it changes.
 *
 * Owned: the name.  User code: a callable, and an event's own lookups.
 */
#include "events/events.h"

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

/* ---- the place of an attribute ---- */

#if PLACES_ARE_KNOWN

/* Where the place is kept for events of that one's type. */
static inline attribute_place *
kept_place(event_reader *self, PyObject *event)
{
    return &self->places[Py_TYPE(event)->tp_version_tag % EVENT_PLACES];
}

static inline bool
is_known(const attribute_place *place, PyObject *event)
{
    return place->version != 0 && place->version == Py_TYPE(event)->tp_version_tag;
}

/* What is in the place that is known for events of that type, or NULL. */
static inline PyObject *
read_place(event_reader *self, PyObject *event)
{
    attribute_place *place = kept_place(self, event);
    return is_known(place, event) ? place_read(place, event) : NULL;
}

/* Keep the place for the next event of that type; this one's attribute is `value`. */
static void
find_place(event_reader *self, PyObject *event, PyObject *value)
{
    if (!is_known(kept_place(self, event), event)) {
        attribute_place place;
        place_find(&place, event, self->name, value);
        if (place.version != 0) {
            self->places[place.version % EVENT_PLACES] = place;
        }
    }
}

#else

static inline PyObject *
read_place(event_reader *Py_UNUSED(self), PyObject *Py_UNUSED(event))
{
    return NULL;
}

static void
find_place(event_reader *Py_UNUSED(self), PyObject *Py_UNUSED(event),
           PyObject *Py_UNUSED(value))
{
}

#endif

/* ---- reading ---- */

static PyObject *
read_name(event_reader *self, PyObject *event)
{
    if (PyDict_CheckExact(event)) {
        return PyObject_GetItem(event, self->name);
    }
    PyObject *value = PyObject_GetAttr(event, self->name);
    if (value != NULL) {
        find_place(self, event, value);
        return value;
    }
    if (!PyErr_ExceptionMatches(PyExc_AttributeError)) {
        return NULL;
    }
    /* What is no mapping keeps the error that says what it lacks. */
    if (!PyMapping_Check(event) || PyTuple_Check(event) || PyList_Check(event) ||
        PyUnicode_Check(event) || PyBytes_Check(event)) {
        return NULL;
    }
    PyErr_Clear();
    return PyObject_GetItem(event, self->name);
}

PyObject *
event_reader_read(event_reader *self, PyObject *event)
{
    PyObject *value = read_place(self, event);
    if (value != NULL) {
        return value;
    }
    value =
        self->is_callable ? PyObject_CallOneArg(self->name, event) : read_name(self, event);
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
