/* What pickle stores of a CSVBatch: (rows, columns), a tuple for each column of its name, its
 * format, whether it is a dictionary, whether it is nullable, how many entries a dictionary
 * has, and its four buffers as bytes.
 *
 * Other libraries trust a batch blindly.  So what is restored is checked: sizes, offsets,
 * indices and UTF-8.  The layout is the machine's own, so a batch is restored on a machine of
 * the same byte order.
 */
#include "csv/batches/restore.h"

#include <string.h>

#include "arrow/layout.h"
#include "core/utf8.h"

#define PART "siiLy#y#y#y#" /* after the name, for Py_BuildValue() and PyArg_ParseTuple() */

/* ---- storing ---- */

static PyObject *
part_of(const arrow_field *field, const columns_array *array)
{
    PyObject *name = PyUnicode_DecodeUTF8(field->name, (Py_ssize_t)field->name_length, NULL);
    if (name == NULL) {
        return NULL;
    }
    const columns_buffer *buffers[4] = {&array->validity, &array->values, &array->data,
                                        &array->entries};
    const char *data[4];
    Py_ssize_t lengths[4];
    for (int i = 0; i < 4; i++) {
        data[i] = buffers[i]->data == NULL ? "" : (const char *)buffers[i]->data;
        lengths[i] = (Py_ssize_t)buffers[i]->length;
    }
    if (array->null_count == 0) {
        lengths[0] = 0;
    }
    PyObject *part =
        Py_BuildValue("O" PART, name, field->format, (int)field->is_dictionary,
                      (int)field->nullable, (long long)array->entry_count, data[0], lengths[0],
                      data[1], lengths[1], data[2], lengths[2], data[3], lengths[3]);
    Py_DECREF(name);
    return part;
}

PyObject *
csv_batch_parts(const arrow_batch *batch)
{
    PyObject *parts = PyTuple_New((Py_ssize_t)batch->fields->count);
    for (uint32_t i = 0; parts != NULL && i < batch->made.count; i++) {
        PyObject *part = part_of(&batch->fields->items[i], &batch->made.arrays[i]);
        if (part == NULL) {
            Py_CLEAR(parts);
            break;
        }
        PyTuple_SET_ITEM(parts, (Py_ssize_t)i, part);
    }
    return parts == NULL ? NULL : Py_BuildValue("(LN)", (long long)batch->made.rows, parts);
}

/* ---- checking ---- */

static bool
offsets_are_valid(const columns_buffer *offsets, int64_t count, bool large, size_t data_length)
{
    const size_t size = large ? 8 : 4;
    if (offsets->length != (size_t)(count + 1) * size) {
        return false;
    }
    int64_t last = 0;
    for (int64_t i = 0; i <= count; i++) {
        int64_t end =
            large ? ((const int64_t *)offsets->data)[i] : ((const int32_t *)offsets->data)[i];
        if (end < last || (i == 0 && end != 0)) {
            return false;
        }
        last = end;
    }
    return (uint64_t)last == data_length;
}

static bool
is_utf8(const uint8_t *bytes, size_t length)
{
    return length == 0 || utf8_valid_prefix(bytes, length) == length;
}

/* Whether each text is UTF-8 by itself: the whole is, and none begins within a character. */
static bool
texts_are_valid(const columns_buffer *offsets, int64_t count, bool large,
                const columns_buffer *data)
{
    if (!offsets_are_valid(offsets, count, large, data->length) ||
        !is_utf8(data->data, data->length)) {
        return false;
    }
    for (int64_t i = 0; i < count; i++) {
        int64_t start =
            large ? ((const int64_t *)offsets->data)[i] : ((const int32_t *)offsets->data)[i];
        if ((uint64_t)start < data->length && (data->data[start] & 0xC0) == 0x80) {
            return false;
        }
    }
    return true;
}

static bool
views_are_valid(const columns_array *array)
{
    if (array->values.length != (size_t)array->length * 16) {
        return false;
    }
    for (int64_t i = 0; i < array->length; i++) {
        const uint8_t *view = array->values.data + i * 16;
        int32_t parts[4]; /* length, first bytes, block, offset */
        memcpy(parts, view, sizeof parts);
        if (parts[0] >= 0 && parts[0] <= 12) {
            if (!is_utf8(view + 4, (size_t)parts[0])) {
                return false;
            }
            continue;
        }
        const uint8_t *text = array->data.data + parts[3];
        if (parts[0] < 0 || parts[2] != 0 || parts[3] < 0 ||
            (uint64_t)parts[0] + (uint64_t)parts[3] > array->data.length ||
            memcmp(text, view + 4, 4) != 0 || !is_utf8(text, (size_t)parts[0])) {
            return false;
        }
    }
    return true;
}

static bool
indices_are_valid(const columns_array *array)
{
    const int32_t *indices = (const int32_t *)array->values.data;
    if (array->values.length != (size_t)array->length * sizeof *indices) {
        return false;
    }
    for (int64_t i = 0; i < array->length; i++) {
        if (arrow_has_value(array, i) &&
            (indices[i] < 0 || indices[i] >= array->entry_count)) {
            return false;
        }
    }
    return true;
}

static bool
array_is_valid(const columns_array *array)
{
    const size_t bitmap = ((size_t)array->length + 7) / 8;
    switch (array->kind) {
    case COLUMNS_UTF8:
        return texts_are_valid(&array->values, array->length, false, &array->data);
    case COLUMNS_LARGE_UTF8:
        return texts_are_valid(&array->values, array->length, true, &array->data);
    case COLUMNS_BINARY:
        return offsets_are_valid(&array->values, array->length, false, array->data.length);
    case COLUMNS_UTF8_VIEW:
        return views_are_valid(array);
    case COLUMNS_DICTIONARY:
        return array->entry_count >= 0 && array->entry_count < INT32_MAX &&
               texts_are_valid(&array->entries, array->entry_count, false, &array->data) &&
               indices_are_valid(array);
    case COLUMNS_BOOL:
        return array->values.length >= bitmap;
    default:
        return array->values.length == (size_t)array->length * arrow_value_size(array->kind);
    }
}

/* Count the nulls.  False if the bitmap is too short. */
static bool
count_nulls(columns_array *array)
{
    if (array->validity.length == 0) {
        return true;
    }
    if (array->validity.length < ((size_t)array->length + 7) / 8) {
        return false;
    }
    int64_t there = 0;
    for (int64_t i = 0; i < array->length; i++) {
        there += array->validity.data[i >> 3] >> (i & 7) & 1;
    }
    array->null_count = array->length - there;
    return true;
}

/* ---- restoring ---- */

static int
restore_buffer(columns_buffer *buffer, columns_allocator allocate, const char *data,
               Py_ssize_t length)
{
    if (length == 0) {
        return 0;
    }
    if (!columns_buffer_reserve(buffer, allocate, (size_t)length)) {
        PyErr_NoMemory();
        return -1;
    }
    memcpy(buffer->data, data, (size_t)length);
    buffer->length = (size_t)length;
    columns_buffer_pad(buffer);
    return 0;
}

static int
restore_field(arrow_field *field, columns_spec *spec, PyObject *name, const char *format)
{
    Py_ssize_t length;
    const char *text = PyUnicode_AsUTF8AndSize(name, &length);
    if (text == NULL) {
        return -1;
    }
    if (!arrow_field_set_name(field, text, (size_t)length)) {
        PyErr_NoMemory();
        return -1;
    }
    size_t room = strlen(format) + 1;
    if (room <= sizeof field->format) {
        memcpy(field->format, format, room);
        if (arrow_layout_of_field(spec, field)) {
            return 0;
        }
    }
    PyErr_Format(PyExc_ValueError, "a CSVBatch has no columns of the format %.100s", format);
    return -1;
}

static int
restore_column(arrow_field *field, columns_array *array, long long rows,
               columns_allocator allocate, PyObject *part)
{
    PyObject *name;
    const char *format, *data[4];
    int is_dictionary, nullable;
    long long entry_count;
    Py_ssize_t lengths[4];
    columns_spec spec;
    if (!PyTuple_Check(part)) {
        PyErr_Format(PyExc_TypeError, "a column must be a tuple, not %.200s",
                     Py_TYPE(part)->tp_name);
        return -1;
    }
    if (!PyArg_ParseTuple(part, "U" PART, &name, &format, &is_dictionary, &nullable,
                          &entry_count, &data[0], &lengths[0], &data[1], &lengths[1], &data[2],
                          &lengths[2], &data[3], &lengths[3])) {
        return -1;
    }
    field->is_dictionary = is_dictionary != 0;
    field->nullable = nullable != 0;
    if (restore_field(field, &spec, name, format) < 0) {
        return -1;
    }
    columns_buffer *buffers[4] = {&array->validity, &array->values, &array->data,
                                  &array->entries};
    array->kind = spec.kind;
    array->length = rows;
    array->entry_count = entry_count;
    for (int i = 0; i < 4; i++) {
        if (restore_buffer(buffers[i], allocate, data[i], lengths[i]) < 0) {
            return -1;
        }
    }
    if (!count_nulls(array) || !array_is_valid(array)) {
        PyErr_Format(PyExc_ValueError, "the data of column %R is no column", name);
        return -1;
    }
    return 0;
}

arrow_batch *
csv_batch_of_parts(long long rows, PyObject *parts)
{
    const size_t count = (size_t)PyTuple_GET_SIZE(parts);
    if (rows < 0 || rows >= INT32_MAX || count >= UINT32_MAX) {
        PyErr_SetString(PyExc_ValueError, "a CSVBatch has no such number of rows or columns");
        return NULL;
    }
    columns_batch made = {.rows = rows, .allocate = columns_core_memory};
    arrow_fields *schema = arrow_fields_new(count);
    arrow_batch *batch = NULL;
    made.arrays = columns_core_memory(NULL, count * sizeof *made.arrays + 1);
    if (schema != NULL && made.arrays != NULL) {
        memset(made.arrays, 0, count * sizeof *made.arrays);
        int status = 0;
        for (; status == 0 && made.count < count; made.count++) {
            status = restore_column(&schema->items[made.count], &made.arrays[made.count], rows,
                                    made.allocate, PyTuple_GET_ITEM(parts, made.count));
        }
        batch = status < 0 ? NULL : arrow_batch_new(schema, &made);
    }
    if (batch == NULL) {
        if (!PyErr_Occurred()) {
            PyErr_NoMemory();
        }
        columns_batch_free(&made);
    }
    arrow_fields_release(schema);
    return batch;
}
