/* What a name or a callable finds in an event: its key, or its data.
 *
 * A name is the event's attribute, else its key as a mapping; of an exact dict it is
 * the key, since no attribute of a dict is its data.  Where an attribute is a slot or a
 * field of a named tuple, its place is kept for the next event of that type, known by
 * the version that the interpreter gives a type until it changes.
 *
 * Owned: the name.  User code: a callable, and an event's own lookups.
 */
#include "events/events.h"

#include "protocol/raising.h"

#include <string.h>

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

/* The type's version and the descriptor of an attribute can be had up to 3.13; without
   the GIL a slot can't be read without more ado. */
#if PY_VERSION_HEX < 0x030E0000 && !defined(Py_GIL_DISABLED)

/* The index of a named tuple's field, whose descriptor tells it to copiers; -1 where it
   does not. */
static Py_ssize_t
index_of_field(PyObject *descriptor)
{
    PyObject *reduced = PyObject_CallMethod(descriptor, "__reduce__", NULL);
    Py_ssize_t index = -1;
    const char *doc;
    if (reduced == NULL || !PyTuple_Check(reduced) || PyTuple_GET_SIZE(reduced) != 2 ||
        !PyArg_ParseTuple(PyTuple_GET_ITEM(reduced, 1), "nz", &index, &doc)) {
        PyErr_Clear(); /* then it is asked for its value each time */
        index = -1;
    }
    Py_XDECREF(reduced);
    return index;
}

/* Keep the place of the attribute in events as this one, which has it. */
static void
find_place(event_reader *self, PyObject *event)
{
    PyTypeObject *type = Py_TYPE(event);
    self->version = 0;
    if (type->tp_getattro != PyObject_GenericGetAttr) {
        return;
    }
    PyObject *descriptor = _PyType_Lookup(type, self->name); /* borrowed from the type */
    if (descriptor == NULL || type->tp_version_tag == 0) {
        return;
    }
    if (Py_IS_TYPE(descriptor, &PyMemberDescr_Type)) {
        PyMemberDef *member = ((PyMemberDescrObject *)descriptor)->d_member;
        if (member->type != Py_T_OBJECT_EX || member->offset <= 0 || member->flags != 0) {
            return;
        }
        self->place = member->offset;
        self->is_item = false;
    }
    else if (PyTuple_Check(event) &&
             strcmp(Py_TYPE(descriptor)->tp_name, "_collections._tuplegetter") == 0) {
        self->place = index_of_field(descriptor);
        self->is_item = true;
        if (self->place < 0) {
            return;
        }
    }
    else {
        return;
    }
    self->version = type->tp_version_tag;
}

/* What is in the place that is known for events of that type, or NULL. */
static inline PyObject *
read_place(event_reader *self, PyObject *event)
{
    if (self->version == 0 || Py_TYPE(event)->tp_version_tag != self->version) {
        return NULL;
    }
    if (!self->is_item) {
        return Py_XNewRef(*(PyObject **)((char *)event + self->place));
    }
    return self->place < PyTuple_GET_SIZE(event)
               ? Py_NewRef(PyTuple_GET_ITEM(event, self->place))
               : NULL;
}

#else

static void
find_place(event_reader *Py_UNUSED(self), PyObject *Py_UNUSED(event))
{
}

static inline PyObject *
read_place(event_reader *Py_UNUSED(self), PyObject *Py_UNUSED(event))
{
    return NULL;
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
        if (Py_TYPE(event)->tp_dictoffset == 0) {
            find_place(self, event);
        }
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
