/* The text of a field: the parts that are too long to be inlined.  No user code runs here. */
#include "csv/row/field.h"

#include "core/fields_span.h"

PyObject *
field_utf8_text(const field_context *c, uint32_t column, const uint8_t *bytes, size_t count)
{
    uint8_t highest;
    size_t length = utf8_count(bytes, count, &highest);
    if (highest < 0x80) { /* most fields of most records */
        return field_ascii_text(c, column, bytes, count);
    }
    Py_UCS4 most = highest < 0xC4 ? 0xFF : highest < 0xF0 ? 0xFFFF : 0x10FFFF;
    PyObject *text = PyUnicode_New((Py_ssize_t)length, most);
    if (text != NULL) {
        utf8_decode(bytes, count, PyUnicode_DATA(text), (int)PyUnicode_KIND(text));
    }
    return text;
}

bool
field_holds(const field_context *c, uint32_t start, uint32_t end, uint32_t unit)
{
    if (unit == SCAN_ABSENT) {
        return false;
    }
    if (c->width == 1) {
        return unit <= UINT8_MAX &&
               memchr((const uint8_t *)c->units + start, (int)unit, end - start) != NULL;
    }
    for (uint32_t at = start; at < end; at++) {
        if (unit_at(c->units, at, c->width) == unit) {
            return true;
        }
    }
    return false;
}

int
field_span_rewrite(const field_context *c, uint32_t start, uint32_t end, field_span *s)
{
    size_t size = (size_t)(end - start) * (size_t)c->width;
    void *out = s->small;
    if (size > sizeof s->small) {
        out = s->own = PyMem_Malloc(size);
        if (out == NULL) {
            PyErr_NoMemory();
            return -1;
        }
    }
    s->units = out;
    s->start = 0;
    s->end = (uint32_t)fields_content(&c->dialect->fields, c->units, c->width, start, end, out,
                                      &s->unquoted);
    return 0;
}

PyObject *
field_quoting_value(const field_context *c, PyObject *text, bool unquoted)
{
    int quoting = c->dialect->quoting;
    if (text == NULL || !unquoted) {
        return text;
    }
    bool empty = PyUnicode_GET_LENGTH(text) == 0;
    if (empty && (quoting == CSV_QUOTE_NOTNULL || quoting == CSV_QUOTE_STRINGS)) {
        Py_DECREF(text);
        return Py_NewRef(Py_None);
    }
    if (!empty && (quoting == CSV_QUOTE_NONNUMERIC || quoting == CSV_QUOTE_STRINGS)) {
        PyObject *number = PyFloat_FromString(text);
        Py_DECREF(text);
        return number;
    }
    return text;
}
