/* jsonl_encode: rows in, chunks of JSON lines out.
 *
 * The sync front end of json_lines.  It pulls the rows.
 *
 * States: those of a stream.  If the rows end in an error, the lines before the error are
 * delivered first.
 *
 * Until the end, the stream owns the source, and this type owns the machine with all that the
 * machine owns.  User code runs in the source and in the machine, while `running` is set.
 * Threads: see stream.c.
 */
#include "text/jsonl_encode.h"

#include "runtime/attributes.h"
#include "text/json_lines.h"

typedef struct {
    stream stream;
    json_lines lines;
    bool instant; /* see chunked.c */
} jsonl_encoded;

/* ---- the stream's own ---- */

static int
jsonl_encoded_pull(stream *base, PyObject **whole)
{
    jsonl_encoded *self = (jsonl_encoded *)base;
    return chunks_pull(&self->lines.chunks, base, &json_lines_kind, self->instant, whole);
}

static PyObject *
jsonl_encoded_next(stream *base)
{
    jsonl_encoded *self = (jsonl_encoded *)base;
    return chunks_next(&self->lines.chunks, base, jsonl_encoded_pull);
}

static int
jsonl_encoded_release(stream *base)
{
    json_lines_close(&((jsonl_encoded *)base)->lines);
    return 0;
}

static void
jsonl_encoded_measure(stream *base, measures *into)
{
    chunks_measure(&((jsonl_encoded *)base)->lines.chunks, into);
}

static const stream_kind jsonl_encoded_kind = {.next = jsonl_encoded_next,
                                               .release = jsonl_encoded_release,
                                               .measure = jsonl_encoded_measure};

static int
jsonl_encoded_traverse(PyObject *op, visitproc visit, void *arg)
{
    int status = json_lines_traverse(&((jsonl_encoded *)op)->lines, visit, arg);
    return status != 0 ? status : stream_traverse(op, visit, arg);
}

static int
jsonl_encoded_clear(PyObject *op)
{
    jsonl_encoded_release((stream *)op);
    return stream_clear(op);
}

/* ---- making one ---- */

static int
jsonl_encoded_init(jsonl_encoded *self, generators_state *state, PyObject *args,
                   PyObject *kwargs)
{
    PyObject *rows;
    if (json_lines_open(&self->lines, "jsonl_encode", args, kwargs, &rows, NULL) < 0 ||
        stream_open(&self->stream, state, rows) < 0) {
        return -1;
    }
    self->instant = chunks_is_instant(&self->lines.chunks, self->stream.source);
    return 0;
}

static PyObject *
jsonl_encoded_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    jsonl_encoded *self = (jsonl_encoded *)type->tp_alloc(type, 0);
    if (self == NULL) {
        return NULL;
    }
    self->stream.kind = &jsonl_encoded_kind;
    if (jsonl_encoded_init(self, generators_state_of((PyObject *)self), args, kwargs) < 0) {
        Py_DECREF(self);
        return NULL;
    }
    return (PyObject *)self;
}

static PyGetSetDef jsonl_encoded_attributes[] = {
    {"row_num", attributes_get_count, NULL, "Rows written.",
     (void *)offsetof(jsonl_encoded, lines.row_count)},
    {NULL},
};

PyDoc_STRVAR(
    jsonl_encoded_doc,
    "jsonl_encode(rows, *, dumps=None, size=65536, max_delay=...)\n"
    "--\n\n"
    "An iterator over rows as JSON lines, in bytes objects of exactly `size`; the last\n"
    "one may be shorter.  A line is what `dumps` returns for a row, in UTF-8, followed by\n"
    "LF.  `size`, `max_delay` and FLUSH among the rows say where the text is cut, as for\n"
    "chunked().\n"
    "\n"
    "dumps is called with each row and returns str or bytes.  It may be orjson.dumps,\n"
    "msgspec.json.encode, or any other callable.  None writes as json.dumps does, without\n"
    "spaces, without escaping characters that are not ASCII, and with ValueError for NaN\n"
    "and infinity, which JSON does not have.  A row with names, as for csv_encode(), is\n"
    "then written as an object: a mapping, a dataclass, a NamedTuple, a CSVRow, or a row\n"
    "of a database.\n"
    "\n"
    "DataError, a subclass of ValueError, is raised if `dumps` returns nothing, or text\n"
    "that contains a line end.  Its message names the index of the row, counted from 0.\n"
    "A result of another type raises TypeError.  An exception of `dumps` is raised\n"
    "unchanged, with a note that names the row.  The lines before it are yielded first.\n"
    "A generator given as `rows` is closed when the stream ends.\n"
    "\n"
    ">>> b''.join(jsonl_encode([{'a': 1}, ['x', None]]))\n"
    "b'{\"a\":1}\\n[\"x\",null]\\n'");

static PyType_Slot jsonl_encoded_slots[] = {
    {Py_tp_doc, (char *)jsonl_encoded_doc},   {Py_tp_new, jsonl_encoded_new},
    {Py_tp_traverse, jsonl_encoded_traverse}, {Py_tp_clear, jsonl_encoded_clear},
    {Py_tp_getset, jsonl_encoded_attributes}, {0, NULL},
};

PyType_Spec jsonl_encode_spec = {
    .name = "native_generators.jsonl_encode",
    .basicsize = sizeof(jsonl_encoded),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = jsonl_encoded_slots,
};
