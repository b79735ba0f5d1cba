/* ajsonl_rows: the values of JSON lines of an async source, one by one.
 *
 * It is an aline_stream, whose items are what `loads` makes of the lines.
 */
#include "text/ajsonl_rows.h"

#include "runtime/attributes.h"
#include "text/aline_stream.h"

static PyObject *
ajsonl_rows_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    return aline_stream_new(type, "ajsonl_rows", line_options_read_jsonl, args, kwargs);
}

static PyGetSetDef ajsonl_rows_attributes[] = {
    {"line_num", attributes_get_count, NULL,
     "The number of lines read, including lines that gave no row.",
     ALINE_STREAM_COUNT(rows.reader.machine.line_count)},
    {"row_num", attributes_get_count, NULL, "The number of rows delivered.",
     ALINE_STREAM_COUNT(rows.row_count)},
    {"errors", attributes_get_count, NULL, "The number of lines that could not be read.",
     ALINE_STREAM_COUNT(rows.error_count)},
    {"bytes_read", attributes_get_count, NULL,
     "The number of bytes read from the source.  For a compressed source, it counts\n"
     "compressed bytes.  It is 0 for a source of text.",
     ALINE_STREAM_COUNT(pieces.bytes_read)},
    {"total_bytes", aline_stream_get_total_bytes, NULL,
     "Always None, because the size of an async source is unknown.", NULL},
    {NULL},
};

PyDoc_STRVAR(
    ajsonl_rows_doc,
    "ajsonl_rows(source, *, loads=None, blank='skip', on_error='raise',\n"
    "            max_line=67108864, encoding='utf-8', items='auto',\n"
    "            compression='infer', member=None, complete=False,\n"
    "            close_with_task=False)\n"
    "--\n\n"
    "An async iterator over the values of JSON lines, as jsonl_rows() reads them.  The\n"
    "other arguments are described there.\n"
    "\n"
    "source is an async iterable of bytes or of str, in pieces that may be cut anywhere,\n"
    "or an object whose read(n) is a coroutine function, such as an UploadFile or a\n"
    "StreamReader.  An async generator is closed at the end.\n"
    "\n"
    "Cancelling a step loses nothing: the next step returns the item that the cancelled\n"
    "one would have returned.  close_with_task=True closes the stream when the asyncio\n"
    "task that took its first row ends.\n"
    "\n"
    ">>> import asyncio\n"
    ">>> async def chunks():\n"
    "...     yield b'{\"id\": 1}\\n{\"i'\n"
    "...     yield b'd\": 2}\\n'\n"
    ">>> async def main():\n"
    "...     return [row async for row in ajsonl_rows(chunks())]\n"
    ">>> asyncio.run(main())\n"
    "[{'id': 1}, {'id': 2}]");

static PyType_Slot ajsonl_rows_slots[] = {
    {Py_tp_doc, (char *)ajsonl_rows_doc},    {Py_tp_new, ajsonl_rows_new},
    {Py_tp_traverse, aline_stream_traverse}, {Py_tp_clear, aline_stream_clear},
    {Py_tp_getset, ajsonl_rows_attributes},  {0, NULL},
};

PyType_Spec ajsonl_rows_spec = {
    .name = "native_generators.ajsonl_rows",
    .basicsize = sizeof(aline_stream),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = ajsonl_rows_slots,
};
