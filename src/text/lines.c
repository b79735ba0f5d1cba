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

PyDoc_STRVAR(checkpoint_doc,
             "checkpoint($self, /)\n"
             "--\n\n"
             "Return the position after the lines delivered so far, as a dict that can be\n"
             "stored as JSON.  lines(path, start=checkpoint) continues from there, also in\n"
             "another process.  The arguments must be the same and the file must not have\n"
             "changed; otherwise ValueError is raised.\n"
             "\n"
             "The source must be a path or a seekable binary file, of bytes or in UTF-8,\n"
             "ASCII or Latin-1.  Otherwise io.UnsupportedOperation is raised.");

static PyMethodDef lines_methods[] = {
    {"checkpoint", line_stream_checkpoint, METH_NOARGS, checkpoint_doc},
    {NULL},
};

static PyGetSetDef lines_attributes[] = {
    {"line_num", attributes_get_count, NULL, "The number of lines delivered.",
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
    "--\n\n"
    "An iterator over the lines of a source.  Lines are str if `encoding` is given or if\n"
    "the source is one of text, and otherwise bytes.\n"
    "\n"
    ">>> from generators import lines\n"
    ">>> list(lines([b'one\\ntw', b'o\\r', b'\\nthree']))\n"
    "[b'one', b'two', b'three']\n"
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
    "newline says where lines end.  None, as in open(), ends them at LF, CR and CR LF.  A\n"
    "    str or bytes of up to 16 bytes, such as '\\n' or b'\\0', ends them only there.\n"
    "    Other characters that Unicode calls line ends do not end a line.  Text after the\n"
    "    last line end is a line if it is not empty.  The lines do not depend on how the\n"
    "    source is cut.\n"
    "keepends=True keeps the line ends in the lines.\n"
    "encoding is the name of any text encoding; 'utf-8' removes a byte order mark.\n"
    "errors is as in open().\n"
    "max_line is the maximum length of a line without its line end, in bytes; text is\n"
    "    measured in UTF-8.  None means no limit.\n"
    "items='lines' is for an iterable whose items are lines without their line ends.\n"
    "    items='chunks' iterates over a source even if it has a read() method.\n"
    "compression, member and complete are described in csv_rows().\n"
    "start is a checkpoint, as checkpoint() returned it, from which reading continues.\n"
    "changed='append' accepts a file that has only grown since then.  By default,\n"
    "    ValueError is raised for a file that has changed.\n"
    "\n"
    "A line is yielded as soon as its end has been read.  If a CR is the last byte read\n"
    "so far, its line is yielded at once, and a LF that follows belongs to the same line\n"
    "end.  With keepends=True, such a line is yielded after the next byte has been read.\n"
    "\n"
    "Raises DataError, a subclass of ValueError, for a line longer than max_line or text\n"
    "that can't be decoded, after the lines before it.  OSError is raised at once for a\n"
    "path that can't be opened.  An exception of the source is raised unchanged, with a\n"
    "note that says where it occurred.");

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
