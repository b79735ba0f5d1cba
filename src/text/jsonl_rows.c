/* jsonl_rows: the values of JSON lines, one by one.
 *
 * It is a line_stream, whose items are what `loads` makes of the lines.
 */
#include "text/jsonl_rows.h"

#include "runtime/attributes.h"
#include "text/line_stream.h"

static PyObject *
jsonl_rows_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    return line_stream_new(type, "jsonl_rows", line_options_read_jsonl, args, kwargs);
}

PyDoc_STRVAR(checkpoint_doc,
             "checkpoint($self, /)\n"
             "--\n\n"
             "Return the position after the rows delivered so far, as a dict that can be\n"
             "stored as JSON.  jsonl_rows(path, start=checkpoint) continues from there,\n"
             "also in another process.  The arguments must be the same and the file must\n"
             "not have changed; otherwise ValueError is raised.\n"
             "\n"
             "The source must be a path or a seekable binary file, in UTF-8.  Otherwise\n"
             "io.UnsupportedOperation is raised.");

static PyMethodDef jsonl_rows_methods[] = {
    {"checkpoint", line_stream_checkpoint, METH_NOARGS, checkpoint_doc},
    {NULL},
};

static PyGetSetDef jsonl_rows_attributes[] = {
    {"line_num", attributes_get_count, NULL,
     "The number of lines read, including lines that gave no row.",
     LINE_STREAM_COUNT(rows.reader.machine.line_count)},
    {"row_num", attributes_get_count, NULL, "The number of rows delivered.",
     LINE_STREAM_COUNT(rows.row_count)},
    {"errors", attributes_get_count, NULL, "The number of lines that could not be read.",
     LINE_STREAM_COUNT(rows.error_count)},
    {"bytes_read", attributes_get_count, NULL,
     "The number of bytes read from the source.  For a compressed source, it counts\n"
     "compressed bytes.  It is 0 for a source of text.",
     LINE_STREAM_COUNT(source.bytes_read)},
    {"total_bytes", line_stream_get_total_bytes, NULL,
     "The total number of bytes to read; None if it is unknown.",
     LINE_STREAM_COUNT(source.total_bytes)},
    {NULL},
};

PyDoc_STRVAR(
    jsonl_rows_doc,
    "jsonl_rows(source, *, loads=None, blank='skip', on_error='raise',\n"
    "           max_line=67108864, encoding='utf-8', items='auto',\n"
    "           compression='infer', member=None, complete=False, start=None,\n"
    "           changed='error')\n"
    "--\n\n"
    "An iterator over the values of JSON lines.  A value is what `loads` returns for a\n"
    "line.\n"
    "\n"
    ">>> from generators import jsonl_rows\n"
    ">>> list(jsonl_rows([b'{\"id\": 1}\\n{\"i', b'd\": 2}\\n']))\n"
    "[{'id': 1}, {'id': 2}]\n"
    "\n"
    "source is one of\n"
    "    a path (str or os.PathLike), which is opened at once and closed at the end;\n"
    "    a file object, which is not closed: a binary file is read with read(n), and a text\n"
    "    file is iterated over;\n"
    "    bytes or any other buffer;\n"
    "    an iterable of bytes or of str, in pieces that may be cut anywhere.\n"
    "\n"
    "A generator is closed at the end, also one that iter(source) returned.\n"
    "\n"
    "loads is called with the bytes of each line, in UTF-8 and without the line end.  It\n"
    "    may be orjson.loads, msgspec.json.Decoder(T).decode, or any other callable.\n"
    "    None is json.loads.\n"
    "blank is 'skip', to skip lines that are empty or have only blanks, or 'error'.\n"
    "on_error says what happens to a line that can't be read: 'raise' raises DataError;\n"
    "    'skip' leaves the line out; a callable is called with the DataError and the\n"
    "    bytes of the line with its line end, or with the first max_line bytes of a line\n"
    "    longer than max_line.  Reading continues at the next line.  .errors counts these\n"
    "    lines.\n"
    "max_line is the maximum length of a line, in bytes.  None means no limit.\n"
    "encoding is the name of any text encoding.  A byte order mark is removed.\n"
    "items='lines' is for an iterable whose items are lines without their line ends.\n"
    "    items='chunks' iterates over a source even if it has a read() method.\n"
    "compression, member and complete are described in csv_rows().\n"
    "start is a checkpoint, as checkpoint() returned it, from which reading continues.\n"
    "changed='append' accepts a file that has only grown since then.  By default,\n"
    "    ValueError is raised for a file that has changed.\n"
    "\n"
    "Lines end at LF or CR LF.\n"
    "\n"
    "Raises DataError, a subclass of ValueError, for a line that can't be read, after the\n"
    "rows before it: if `loads` raises an exception, which is then its __cause__; if the\n"
    "line is longer than max_line; and if it is blank and blank='error'.  OSError is\n"
    "raised at once for a path that can't be opened.  An exception of the source is\n"
    "raised unchanged, with a note that says where it occurred.");

static PyType_Slot jsonl_rows_slots[] = {
    {Py_tp_doc, (char *)jsonl_rows_doc},
    {Py_tp_new, jsonl_rows_new},
    {Py_tp_traverse, line_stream_traverse},
    {Py_tp_clear, line_stream_clear},
    {Py_tp_methods, jsonl_rows_methods},
    {Py_tp_getset, jsonl_rows_attributes},
    {0, NULL},
};

PyType_Spec jsonl_rows_spec = {
    .name = "native_generators.jsonl_rows",
    .basicsize = sizeof(line_stream),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = jsonl_rows_slots,
};
