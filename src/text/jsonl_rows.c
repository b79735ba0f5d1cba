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

PyDoc_STRVAR(
    checkpoint_doc,
    "checkpoint($self, /)\n"
    "--\n\n"
    "The position after the rows delivered so far, as a dict that JSON can store.\n"
    "jsonl_rows(path, start=checkpoint) continues from there, also in another process,\n"
    "with the same arguments and a file that has not changed (ValueError).\n"
    "Requires a path or a seekable binary file, in UTF-8\n"
    "(io.UnsupportedOperation).");

static PyMethodDef jsonl_rows_methods[] = {
    {"checkpoint", line_stream_checkpoint, METH_NOARGS, checkpoint_doc},
    {NULL},
};

static PyGetSetDef jsonl_rows_attributes[] = {
    {"line_num", attributes_get_count, NULL, "Lines read, those that gave no row too.",
     LINE_STREAM_COUNT(rows.reader.machine.line_count)},
    {"row_num", attributes_get_count, NULL, "Rows delivered.",
     LINE_STREAM_COUNT(rows.row_count)},
    {"errors", attributes_get_count, NULL, "Lines that could not be read.",
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
    "--\n"
    "\n"
    "An iterator over the values of JSON lines: what `loads` returns for each line.\n"
    "\n"
    ">>> from generators import jsonl_rows\n"
    ">>> list(jsonl_rows([b'{\"id\": 1}\\n{\"i', b'd\": 2}\\n']))\n"
    "[{'id': 1}, {'id': 2}]\n"
    "\n"
    "source is what csv_rows() takes:\n"
    "    a path (str or os.PathLike), opened here and closed at the end;\n"
    "    a file object, which is not closed: a binary one is read with read(n), a text one\n"
    "    by iterating over it;\n"
    "    bytes or any other buffer;\n"
    "    an iterable of bytes or of str, cut anywhere.\n"
    "A generator, given or returned by iter(source), is closed at the end.\n"
    "\n"
    "loads is called with each line's bytes, in UTF-8 and without its line end:\n"
    "    orjson.loads, msgspec.json.Decoder(T).decode, or any other callable.\n"
    "    None is json.loads.\n"
    "blank is 'skip', to skip lines that are empty or have only blanks, or 'error'.\n"
    "on_error is 'raise'; 'skip', to skip a line that can't be read; or a callable that is\n"
    "    called with the DataError and the bytes of such a line, with its line end (of a\n"
    "    line over max_line, its first max_line bytes).  Reading continues at the next\n"
    "    line.  .errors counts these lines.\n"
    "max_line is the maximum length of a line, in bytes.  None is no limit.\n"
    "encoding is any text encoding.  A byte order mark is dropped.\n"
    "items='lines' is for an iterable whose items are lines that have lost their line ends;\n"
    "    items='chunks' iterates over a source even if it has a read() method.\n"
    "compression, member and complete are those of csv_rows().\n"
    "start is what checkpoint() returned: reading continues from there.\n"
    "changed='append' allows a file that has only grown since then.\n"
    "\n"
    "Lines end at LF or CR LF.\n"
    "\n"
    "Raises DataError, a ValueError, after the rows before it, for what `loads` raises, "
    "which\n"
    "is its __cause__, for a line over max_line, and for a blank line if blank='error'.\n"
    "OSError comes at once for a path that can't be opened.  An exception of the source is\n"
    "raised unchanged, with a note that says where.");

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
