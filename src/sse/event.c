/* ServerSentEvent: one event, as text/event-stream carries it.
 *
 * It holds the UTF-8 of its fields in one block of memory, and makes them into str when they
 * are asked for, as CSVRow does.  It never changes, so threads may share it, and holds no
 * other object than a str, so the garbage collector does not track it.
 *
 * User code runs in json() only, which owns no more than the text that it hands over.
 */
#include "sse/event.h"

#include <string.h>

#include "core/utf8.h"
#include "sse/texts.h"

typedef struct {
    PyVarObject base; /* its size is the number of bytes */
    PyObject *name;   /* owned: the event, shared by many; NULL: to be made of the bytes */
    int64_t retry;
    size_t event_count;
    size_t id_count : 8 * sizeof(size_t) - 1;
    size_t is_ascii : 1; /* all bytes are */
    char bytes[];        /* valid UTF-8: the event, the id, then the data */
} sse_event;

/* ---- making one ---- */

/* Make one of fields that are UTF-8. */
static PyObject *
event_make(PyTypeObject *type, const sse_fields *fields)
{
    if (fields->event_count > PY_SSIZE_T_MAX / 4 || fields->id_count > PY_SSIZE_T_MAX / 4 ||
        fields->data_count > PY_SSIZE_T_MAX / 4) {
        return PyErr_NoMemory();
    }
    size_t size = fields->event_count + fields->id_count + fields->data_count;
    sse_event *self = PyObject_NewVar(sse_event, type, (Py_ssize_t)size);
    if (self == NULL) {
        return NULL;
    }
    self->name = Py_XNewRef(fields->name);
    self->retry = fields->retry;
    self->event_count = fields->event_count;
    self->id_count = fields->id_count;
    char *end = self->bytes;
    if (fields->event_count > 0) {
        memcpy(end, fields->event, fields->event_count);
        end += fields->event_count;
    }
    if (fields->id_count > 0) {
        memcpy(end, fields->id, fields->id_count);
        end += fields->id_count;
    }
    if (fields->data_count > 0) {
        memcpy(end, fields->data, fields->data_count);
    }
    self->is_ascii = utf8_ascii_prefix((const uint8_t *)self->bytes, size) == size;
    return (PyObject *)self;
}

static bool
is_utf8(const char *bytes, size_t count)
{
    return count == 0 || utf8_valid_prefix((const uint8_t *)bytes, count) == count;
}

/* Let a field be valid UTF-8, with *owner, a new reference, to hold it.  0 or -1. */
static int
mend(const char **bytes, size_t *count, PyObject **owner)
{
    PyObject *text = PyUnicode_DecodeUTF8(*bytes, (Py_ssize_t)*count, "replace");
    *owner = text == NULL ? NULL : PyUnicode_AsUTF8String(text);
    Py_XDECREF(text);
    if (*owner == NULL) {
        return -1;
    }
    *bytes = PyBytes_AS_STRING(*owner);
    *count = (size_t)PyBytes_GET_SIZE(*owner);
    return 0;
}

static PyObject *
event_make_mended(PyTypeObject *type, const sse_fields *fields)
{
    sse_fields mended = *fields;
    PyObject *owners[3] = {NULL, NULL, NULL}, *self = NULL;
    if (mend(&mended.data, &mended.data_count, &owners[0]) == 0 &&
        mend(&mended.event, &mended.event_count, &owners[1]) == 0 &&
        mend(&mended.id, &mended.id_count, &owners[2]) == 0) {
        self = event_make(type, &mended);
    }
    for (int i = 0; i < 3; i++) {
        Py_XDECREF(owners[i]);
    }
    return self;
}

/* Whether the name is the one that an event has without a name. */
static bool
is_default_name(const char *name, size_t count)
{
    return count == 7 && memcmp(name, "message", 7) == 0;
}

PyObject *
sse_event_new(generators_state *state, const sse_fields *fields)
{
    sse_fields named = *fields;
    if (is_default_name(named.event, named.event_count)) {
        named.event_count = 0;
    }
    PyObject *self = event_make(state->sse_event_type, &named);
    if (self == NULL || ((sse_event *)self)->is_ascii ||
        (is_utf8(named.data, named.data_count) && is_utf8(named.event, named.event_count) &&
         is_utf8(named.id, named.id_count))) {
        return self;
    }
    Py_DECREF(self);
    return event_make_mended(state->sse_event_type, &named);
}

int
sse_read_retry(PyObject *number, int64_t *retry)
{
    *retry = SSE_EVENT_NO_RETRY;
    if (number == NULL || number == Py_None) {
        return 0;
    }
    if (!PyLong_Check(number)) {
        PyErr_Format(PyExc_TypeError, "retry must be int or None, not '%.200s'",
                     Py_TYPE(number)->tp_name);
        return -1;
    }
    int overflow;
    long long milliseconds = PyLong_AsLongLongAndOverflow(number, &overflow);
    if (milliseconds == -1 && PyErr_Occurred()) {
        return -1;
    }
    if (overflow != 0 || milliseconds < 0) {
        PyErr_SetString(PyExc_ValueError,
                        "retry must be a number of milliseconds from 0 to 2**63 - 1");
        return -1;
    }
    *retry = milliseconds;
    return 0;
}

PyObject *
sse_retry_object(int64_t retry)
{
    return retry == SSE_EVENT_NO_RETRY ? Py_NewRef(Py_None) : PyLong_FromLongLong(retry);
}

static PyObject *
event_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"data", "event", "id", "retry", NULL};
    PyObject *texts[3] = {NULL, NULL, NULL}, *retry = NULL, *self = NULL;
    utf8_view views[3] = {{"", 0, NULL}, {"", 0, NULL}, {"", 0, NULL}};
    sse_fields fields = {.name = NULL};
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|UUUO:ServerSentEvent", keywords,
                                     &texts[0], &texts[1], &texts[2], &retry) ||
        sse_read_retry(retry, &fields.retry) < 0) {
        return NULL;
    }
    int opened = 0;
    while (opened < 3 &&
           (texts[opened] == NULL || utf8_view_open(&views[opened], texts[opened]) == 0)) {
        opened++;
    }
    if (opened == 3) {
        fields.data = views[0].bytes;
        fields.data_count = views[0].count;
        fields.event = views[1].bytes;
        fields.event_count =
            is_default_name(views[1].bytes, views[1].count) ? 0 : views[1].count;
        fields.id = views[2].bytes;
        fields.id_count = views[2].count;
        self = event_make(type, &fields);
    }
    for (int i = 0; i < 3; i++) {
        utf8_view_close(&views[i]);
    }
    return self;
}

static void
event_dealloc(PyObject *op)
{
    PyTypeObject *type = Py_TYPE(op);
    Py_XDECREF(((sse_event *)op)->name);
    type->tp_free(op);
    Py_DECREF(type);
}

/* ---- fields ---- */

void
sse_event_fields(PyObject *event, sse_fields *fields)
{
    const sse_event *self = (const sse_event *)event;
    const size_t before = self->event_count + self->id_count;
    *fields = (sse_fields){
        .data = self->bytes + before,
        .data_count = (size_t)Py_SIZE(self) - before,
        .event = self->bytes,
        .event_count = self->event_count,
        .id = self->bytes + self->event_count,
        .id_count = self->id_count,
        .retry = self->retry,
        .name = self->name,
    };
}

static PyObject *
text_of(PyObject *op, const char *bytes, size_t count)
{
    if (count == 0) {
        return Py_NewRef(generators_state_of(op)->empty_text);
    }
    if (!((sse_event *)op)->is_ascii) {
        return PyUnicode_DecodeUTF8(bytes, (Py_ssize_t)count, NULL);
    }
    generators_state *state = generators_state_of(op);
    if (count == 1) {
        return Py_NewRef(state->latin1[(uint8_t)*bytes]);
    }
    PyObject *text = generators_new_ascii(state->ascii_model, (Py_ssize_t)count);
    if (text != NULL) {
        memcpy(PyUnicode_DATA(text), bytes, count);
    }
    return text;
}

static PyObject *
event_get_data(PyObject *op, void *Py_UNUSED(closure))
{
    sse_fields fields;
    sse_event_fields(op, &fields);
    return text_of(op, fields.data, fields.data_count);
}

static PyObject *
event_get_event(PyObject *op, void *Py_UNUSED(closure))
{
    PyObject *name = ((sse_event *)op)->name;
    if (name != NULL) {
        return Py_NewRef(name);
    }
    sse_fields fields;
    sse_event_fields(op, &fields);
    return fields.event_count == 0 ? Py_NewRef(generators_state_of(op)->sse_message)
                                   : text_of(op, fields.event, fields.event_count);
}

static PyObject *
event_get_id(PyObject *op, void *Py_UNUSED(closure))
{
    sse_fields fields;
    sse_event_fields(op, &fields);
    return text_of(op, fields.id, fields.id_count);
}

static PyObject *
event_get_retry(PyObject *op, void *Py_UNUSED(closure))
{
    return sse_retry_object(((sse_event *)op)->retry);
}

/* All fields, as a tuple in the order of the constructor. */
static PyObject *
event_values(PyObject *op)
{
    PyObject *values = PyTuple_New(4);
    if (values == NULL) {
        return NULL;
    }
    PyObject *(*const getters[4])(PyObject *, void *) = {event_get_data, event_get_event,
                                                         event_get_id, event_get_retry};
    for (int i = 0; i < 4; i++) {
        PyObject *value = getters[i](op, NULL);
        if (value == NULL) {
            Py_DECREF(values);
            return NULL;
        }
        PyTuple_SET_ITEM(values, i, value);
    }
    return values;
}

/* ---- slots ---- */

static PyObject *
event_richcompare(PyObject *op, PyObject *other, int operation)
{
    if ((operation != Py_EQ && operation != Py_NE) || !Py_IS_TYPE(other, Py_TYPE(op))) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    const sse_event *a = (const sse_event *)op, *b = (const sse_event *)other;
    bool equal = a->retry == b->retry && a->event_count == b->event_count &&
                 a->id_count == b->id_count && Py_SIZE(a) == Py_SIZE(b) &&
                 memcmp(a->bytes, b->bytes, (size_t)Py_SIZE(a)) == 0;
    return PyBool_FromLong(equal == (operation == Py_EQ));
}

static Py_hash_t
event_hash(PyObject *op)
{
    PyObject *values = event_values(op);
    Py_hash_t hash = values == NULL ? -1 : PyObject_Hash(values);
    Py_XDECREF(values);
    return hash;
}

/* Add ", name=value" to a text, which is stolen, unless it is NULL. */
static PyObject *
event_add_field(PyObject *text, const char *name, PyObject *value)
{
    PyObject *longer =
        text == NULL ? NULL : PyUnicode_FromFormat("%U, %s=%R", text, name, value);
    Py_XDECREF(text);
    return longer;
}

/* The fields that are not as the constructor has them. */
static PyObject *
event_repr(PyObject *op)
{
    const sse_event *self = (const sse_event *)op;
    PyObject *values = event_values(op);
    if (values == NULL) {
        return NULL;
    }
    PyObject *text =
        PyUnicode_FromFormat("ServerSentEvent(data=%R", PyTuple_GET_ITEM(values, 0));
    if (self->event_count > 0) {
        text = event_add_field(text, "event", PyTuple_GET_ITEM(values, 1));
    }
    if (self->id_count > 0) {
        text = event_add_field(text, "id", PyTuple_GET_ITEM(values, 2));
    }
    if (self->retry != SSE_EVENT_NO_RETRY) {
        text = event_add_field(text, "retry", PyTuple_GET_ITEM(values, 3));
    }
    Py_DECREF(values);
    PyObject *whole = text == NULL ? NULL : PyUnicode_FromFormat("%U)", text);
    Py_XDECREF(text);
    return whole;
}

/* ---- methods ---- */

PyDoc_STRVAR(json_doc, "json($self, /, loads=None)\n"
                       "--\n\n"
                       "Return loads(data); loads is json.loads by default.\n"
                       "\n"
                       ">>> ServerSentEvent('[1, 2]').json()\n"
                       "[1, 2]");

/* json.loads, imported at first use: a new reference. */
static PyObject *
default_loads(generators_state *state)
{
    PyObject *loads = generators_late(state, &state->json_loads);
    if (loads == NULL) {
        PyObject *json = PyImport_ImportModule("json");
        loads = json == NULL ? NULL : PyObject_GetAttrString(json, "loads");
        Py_XDECREF(json);
        if (loads == NULL) {
            return NULL;
        }
        loads = generators_set_late(state, &state->json_loads, loads);
    }
    return Py_NewRef(loads);
}

static PyObject *
event_json(PyObject *op, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"loads", NULL};
    PyObject *loads = NULL;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|O:json", keywords, &loads)) {
        return NULL;
    }
    if (loads == NULL || loads == Py_None) {
        loads = default_loads(generators_state_of(op));
    }
    else {
        Py_INCREF(loads);
    }
    PyObject *data = loads == NULL ? NULL : event_get_data(op, NULL);
    PyObject *value = data == NULL ? NULL : PyObject_CallOneArg(loads, data);
    Py_XDECREF(loads);
    Py_XDECREF(data);
    return value;
}

PyDoc_STRVAR(copy_doc,
             "__copy__($self, /)\n--\n\nReturn the event itself, which is immutable.");
PyDoc_STRVAR(
    deepcopy_doc,
    "__deepcopy__($self, memo=None, /)\n--\n\nReturn the event itself, which is immutable.");

static PyObject *
event_copy(PyObject *op, PyObject *const *Py_UNUSED(args), Py_ssize_t Py_UNUSED(count))
{
    return Py_NewRef(op);
}

PyDoc_STRVAR(reduce_doc, "__reduce__($self, /)\n"
                         "--\n\n"
                         "Return the fields, for pickle.");

static PyObject *
event_reduce(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    PyObject *values = event_values(op);
    return values == NULL ? NULL : Py_BuildValue("ON", (PyObject *)Py_TYPE(op), values);
}

#define METHOD(function) (PyCFunction)(void (*)(void)) function

static PyMethodDef event_methods[] = {
    {"json", METHOD(event_json), METH_VARARGS | METH_KEYWORDS, json_doc},
    {"__copy__", METHOD(event_copy), METH_FASTCALL, copy_doc},
    {"__deepcopy__", METHOD(event_copy), METH_FASTCALL, deepcopy_doc},
    {"__reduce__", event_reduce, METH_NOARGS, reduce_doc},
    {NULL},
};

static PyGetSetDef event_attributes[] = {
    {"data", event_get_data, NULL, "The data, as a str.  Several lines are joined by '\\n'.",
     NULL},
    {"event", event_get_event, NULL,
     "The name of the event, as a str; 'message' if it has none.", NULL},
    {"id", event_get_id, NULL,
     "The last event ID when the event was read, as a str.  An ID remains in effect\n"
     "for the events after it.  '' if there was none.",
     NULL},
    {"retry", event_get_retry, NULL,
     "The time to wait before connecting again, in milliseconds.  None if this event\n"
     "does not set it.",
     NULL},
    {NULL},
};

PyDoc_STRVAR(event_doc,
             "ServerSentEvent(data='', event='message', id='', retry=None)\n"
             "--\n\n"
             "An event of a text/event-stream.  event_source() and aevent_source() yield\n"
             "such events; event_stream() and aevent_stream() accept them.\n"
             "\n"
             "data, event and id are str, and retry is a number of milliseconds.  An empty\n"
             "`event` becomes 'message', as in browsers.  An event is immutable.  Two\n"
             "events are equal if their fields are equal.  Events can be hashed, copied and\n"
             "pickled.  When an event was read from a source, a str is made for a field\n"
             "only when the field is read.\n"
             "\n"
             ">>> from generators import ServerSentEvent\n"
             ">>> event = ServerSentEvent('{\"price\": 3}', event='offer', id='7')\n"
             ">>> event.event, event.json()\n"
             "('offer', {'price': 3})\n"
             ">>> event\n"
             "ServerSentEvent(data='{\"price\": 3}', event='offer', id='7')");

static PyType_Slot event_slots[] = {
    {Py_tp_doc, (char *)event_doc},
    {Py_tp_new, event_new},
    {Py_tp_dealloc, event_dealloc},
    {Py_tp_repr, event_repr},
    {Py_tp_hash, event_hash},
    {Py_tp_richcompare, event_richcompare},
    {Py_tp_methods, event_methods},
    {Py_tp_getset, event_attributes},
    {0, NULL},
};

PyType_Spec sse_event_spec = {
    .name = "native_generators.ServerSentEvent",
    .basicsize = offsetof(sse_event, bytes),
    .itemsize = 1,
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = event_slots,
};
