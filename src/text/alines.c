/* alines: the lines of an async source, one by one.
 *
 * It is an aline_stream, whose items are the lines themselves.
 */
#include "text/alines.h"

#include "runtime/attributes.h"
#include "text/aline_stream.h"

static PyObject *
alines_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    return aline_stream_new(type, "alines", line_options_read_lines, args, kwargs);
}

static PyGetSetDef alines_attributes[] = {
    {"line_num", attributes_get_count, NULL, "The number of lines delivered.",
     ALINE_STREAM_COUNT(rows.reader.machine.line_count)},
    {"bytes_read", attributes_get_count, NULL,
     "The number of bytes read from the source.  For a compressed source, it counts\n"
     "compressed bytes.  It is 0 for a source of text.",
     ALINE_STREAM_COUNT(pieces.bytes_read)},
    {"total_bytes", aline_stream_get_total_bytes, NULL,
     "Always None, because the size of an async source is unknown.", NULL},
    {NULL},
};

PyDoc_STRVAR(
    alines_doc,
    "alines(source, *, newline=None, keepends=False, encoding=None, errors='strict',\n"
    "       max_line=67108864, items='auto',\n"
    "       compression='infer', member=None, complete=False,\n"
    "       close_with_task=False)\n"
    "--\n\n"
    "An async iterator over the lines of a source, as lines() reads them.  The other\n"
    "arguments are described there.\n"
    "\n"
    "source is an async iterable of bytes or of str, in pieces that may be cut anywhere,\n"
    "or an object whose read(n) is a coroutine function, such as an UploadFile or a\n"
    "StreamReader.  An async generator is closed at the end.\n"
    "\n"
    "Cancelling a step loses nothing: the next step returns the item that the cancelled\n"
    "one would have returned.  close_with_task=True closes the stream when the asyncio\n"
    "task that took its first line ends.\n"
    "\n"
    ">>> import asyncio\n"
    ">>> async def chunks():\n"
    "...     yield b'one\\ntw'\n"
    "...     yield b'o\\n'\n"
    ">>> async def main():\n"
    "...     return [line async for line in alines(chunks())]\n"
    ">>> asyncio.run(main())\n"
    "[b'one', b'two']");

static PyType_Slot alines_slots[] = {
    {Py_tp_doc, (char *)alines_doc},         {Py_tp_new, alines_new},
    {Py_tp_traverse, aline_stream_traverse}, {Py_tp_clear, aline_stream_clear},
    {Py_tp_getset, alines_attributes},       {0, NULL},
};

PyType_Spec alines_spec = {
    .name = "native_generators.alines",
    .basicsize = sizeof(aline_stream),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = alines_slots,
};
