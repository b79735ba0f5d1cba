/* lines: the lines of a source, one by one.
 *
 * It is a line_stream, whose items are the lines themselves.
 */
#include "text/lines.h"

#include "runtime/attributes.h"
#include "text/line_stream.h"

static PyObject *
lines_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    return line_stream_new(type, "lines", line_options_read_lines, args, kwargs);
}

PyDoc_STRVAR(
    checkpoint_doc,
    "checkpoint($self, /)\n"
    "--\n\n"
    "The position after the lines delivered so far, as a dict that JSON can store.\n"
    "lines(path, start=checkpoint) continues from there, also in another process,\n"
    "with the same arguments and a file that has not changed (ValueError).\n"
    "Requires a path or a seekable binary file, of bytes or in UTF-8, ASCII or Latin-1\n"
    "(io.UnsupportedOperation).");

static PyMethodDef lines_methods[] = {
    {"checkpoint", line_stream_checkpoint, METH_NOARGS, checkpoint_doc},
    {NULL},
};

static PyGetSetDef lines_attributes[] = {
    {"line_num", attributes_get_count, NULL, "Lines delivered.",
     LINE_STREAM_COUNT(rows.reader.machine.line_count)},
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
    lines_doc,
    "lines(source, *, newline=None, keepends=False, encoding=None, errors='strict',\n"
    "      max_line=67108864, items='auto',\n"
    "      compression='infer', member=None, complete=False, start=None,\n"
    "      changed='error')\n"
    "--\n"
    "\n"
    "An iterator over the lines of a source: bytes, or str if `encoding` is given or the\n"
    "source is one of text.\n"
    "\n"
    ">>> from generators import lines\n"
    ">>> list(lines([b'one\\ntw', b'o\\r', b'\\nthree']))\n"
    "[b'one', b'two', b'three']\n"
    "\n"
    "source is what csv_rows() takes:\n"
    "    a path (str or os.PathLike), opened here and closed at the end;\n"
    "    a file object, which is not closed: a binary one is read with read(n), a text one\n"
    "    by iterating over it;\n"
    "    bytes or any other buffer;\n"
    "    an iterable of bytes or of str, cut anywhere.\n"
    "A generator, given or returned by iter(source), is closed at the end.\n"
    "\n"
    "newline is as in open(): None ends lines at LF, CR and CR LF.  A string or bytes of up\n"
    "    to 16 bytes, such as '\\n' or b'\\0', ends lines at just that.  Nothing else ends a\n"
    "    line, whatever Unicode calls a line end.  What follows the last line end is a line\n"
    "    if it is not empty.  The lines are the same however the source is cut.\n"
    "keepends=True leaves line ends in the lines.\n"
    "encoding is any text encoding; 'utf-8' drops a byte order mark.  errors is as in "
    "open().\n"
    "max_line is the maximum length of a line without its end, in bytes (of text, as UTF-8).\n"
    "    None is no limit.\n"
    "items='lines' is for an iterable whose items are lines that have lost their line ends;\n"
    "    items='chunks' iterates over a source even if it has a read() method.\n"
    "compression, member and complete are those of csv_rows().\n"
    "start is what checkpoint() returned: reading continues from there.\n"
    "changed='append' allows a file that has only grown since then.\n"
    "\n"
    "A line is given as soon as its end has come.  A CR at the end of what has come ends its\n"
    "line at once, and a LF that comes next belongs to it; with keepends=True, such a line\n"
    "waits for the next byte instead.\n"
    "\n"
    "Raises DataError, a ValueError, for a line over max_line or text that can't be decoded,\n"
    "after the lines before it; OSError at once for a path that can't be opened.  An\n"
    "exception of the source is raised unchanged, with a note that says where.");

static PyType_Slot lines_slots[] = {
    {Py_tp_doc, (char *)lines_doc},
    {Py_tp_new, lines_new},
    {Py_tp_traverse, line_stream_traverse},
    {Py_tp_clear, line_stream_clear},
    {Py_tp_methods, lines_methods},
    {Py_tp_getset, lines_attributes},
    {0, NULL},
};

PyType_Spec lines_spec = {
    .name = "native_generators.lines",
    .basicsize = sizeof(line_stream),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = lines_slots,
};
