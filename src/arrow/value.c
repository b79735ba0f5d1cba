/* Values of Arrow arrays as Python objects, for the parts of nested values.
 *
 * Dates, times, decimals and the like are made by functions of a Python module.  Functions
 * here call themselves for children, no deeper than the type.  User code runs in no more than
 * these types.
 */
#include "arrow/value.h"

#include "core/spell_decimal.h"

PyObject *
arrow_value_module(void)
{
    return PyImport_ImportModule("native_generators._arrow");
}

static PyObject *
refuse_wrong(const char *what)
{
    PyErr_Format(PyExc_ValueError, "Arrow data are wrong: %s", what);
    return NULL;
}

static PyObject *
bytes_value(const arrow_type *type, const struct ArrowArray *array, int64_t at)
{
    const uint8_t *start;
    int64_t count;
    if (!arrow_bytes(type, array, at, &start, &count)) {
        return refuse_wrong("bytes outside of their buffer");
    }
    bool is_text = type->kind == ARROW_UTF8 || type->kind == ARROW_LARGE_UTF8 ||
                   type->kind == ARROW_UTF8_VIEW;
    return is_text ? PyUnicode_DecodeUTF8((const char *)start, (Py_ssize_t)count, NULL)
                   : PyBytes_FromStringAndSize((const char *)start, (Py_ssize_t)count);
}

static PyObject *
decimal_value(PyObject *module, const arrow_type *type, const void *buffer, int64_t at)
{
    uint32_t words[8];
    char text[SPELL_DECIMAL_ROOM];
    memcpy(words, (const char *)buffer + at * type->width, (size_t)type->width);
    size_t count = spell_decimal(words, (int)(type->width / 4), type->scale, text);
    return PyObject_CallMethod(module, "decimal", "(s#)", text, (Py_ssize_t)count);
}

static PyObject *
time_value(PyObject *module, const arrow_type *type, const void *buffer, int64_t at)
{
    long long count = arrow_integer(type->kind, type->width, buffer, at);
    long long unit = arrow_per_second(type);
    switch (type->kind) {
    case ARROW_DATE32:
        return PyObject_CallMethod(module, "date", "(LL)", count, 1LL);
    case ARROW_DATE64:
        return PyObject_CallMethod(module, "date", "(LL)", count, 86400000LL);
    case ARROW_TIMESTAMP:
        return PyObject_CallMethod(module, "timestamp", "(LLs)", count, unit, type->zone);
    case ARROW_DURATION:
        return PyObject_CallMethod(module, "duration", "(LL)", count, unit);
    default:
        return PyObject_CallMethod(module, "time", "(LL)", count, unit);
    }
}

static PyObject *
interval_value(PyObject *module, const void *buffer, int64_t at)
{
    return PyObject_CallMethod(module, "Interval", "(iiL)",
                               (int)ARROW_LOAD(int32_t, buffer, 4 * at),
                               (int)ARROW_LOAD(int32_t, buffer, 4 * at + 1),
                               (long long)ARROW_LOAD(int64_t, buffer, 2 * at + 1));
}

/* ---- nested values ---- */

static PyObject *
list_value(PyObject *module, const arrow_type *type, const struct ArrowArray *array,
           int64_t at)
{
    int64_t first, count;
    if (!arrow_items(type, array, at, &first, &count)) {
        return refuse_wrong("a list outside of its items");
    }
    PyObject *list = PyList_New((Py_ssize_t)count);
    for (int64_t i = 0; list != NULL && i < count; i++) {
        PyObject *item =
            arrow_value(module, &type->children[0], array->children[0], first + i);
        if (item == NULL) {
            Py_CLEAR(list);
            break;
        }
        PyList_SET_ITEM(list, (Py_ssize_t)i, item);
    }
    return list;
}

static PyObject *
struct_value(PyObject *module, const arrow_type *type, const struct ArrowArray *array,
             int64_t at)
{
    PyObject *dict = PyDict_New();
    for (size_t i = 0; dict != NULL && i < type->child_count; i++) {
        PyObject *name = PyUnicode_FromString(type->children[i].name);
        PyObject *item = name == NULL
                             ? NULL
                             : arrow_value(module, &type->children[i], array->children[i], at);
        if (item == NULL || PyDict_SetItem(dict, name, item) < 0) {
            Py_CLEAR(dict);
        }
        Py_XDECREF(name);
        Py_XDECREF(item);
    }
    if (dict != NULL && (size_t)PyDict_GET_SIZE(dict) != type->child_count) {
        Py_DECREF(dict);
        PyErr_SetString(PyExc_ValueError, "a struct has two fields of one name");
        return NULL;
    }
    return dict;
}

/* A list of pairs. */
static PyObject *
map_value(PyObject *module, const arrow_type *type, const struct ArrowArray *array, int64_t at)
{
    const arrow_type *entries = &type->children[0];
    const struct ArrowArray *pairs = array->children[0];
    int64_t first, count;
    if (!arrow_items(type, array, at, &first, &count)) {
        return refuse_wrong("a map outside of its items");
    }
    PyObject *list = PyList_New((Py_ssize_t)count);
    for (int64_t i = 0; list != NULL && i < count; i++) {
        int64_t place = pairs->offset + first + i;
        PyObject *key = arrow_value(module, &entries->children[0], pairs->children[0], place);
        PyObject *value = key == NULL ? NULL
                                      : arrow_value(module, &entries->children[1],
                                                    pairs->children[1], place);
        PyObject *pair = value == NULL ? NULL : PyTuple_Pack(2, key, value);
        Py_XDECREF(key);
        Py_XDECREF(value);
        if (pair == NULL) {
            Py_CLEAR(list);
            break;
        }
        PyList_SET_ITEM(list, (Py_ssize_t)i, pair);
    }
    return list;
}

/* The child of a union that has this id, or -1. */
static int
union_child(const char *ids, int id)
{
    for (int child = 0; *ids != '\0'; child++) {
        int number = 0;
        for (; *ids >= '0' && *ids <= '9'; ids++) {
            number = 10 * number + (*ids - '0');
        }
        if (number == id) {
            return child;
        }
        ids += *ids == ',';
    }
    return -1;
}

static PyObject *
union_value(PyObject *module, const arrow_type *type, const struct ArrowArray *array,
            int64_t at)
{
    int child = union_child(type->ids, ARROW_LOAD(int8_t, array->buffers[0], at));
    if (child < 0) {
        return refuse_wrong("a union has no such type");
    }
    int64_t place =
        type->kind == ARROW_DENSE_UNION ? ARROW_LOAD(int32_t, array->buffers[1], at) : at;
    if (place < 0 || place >= array->children[child]->length) {
        return refuse_wrong("a value outside of its union");
    }
    return arrow_value(module, &type->children[child], array->children[child], place);
}

static PyObject *
dictionary_value(PyObject *module, const arrow_type *type, const struct ArrowArray *array,
                 int64_t at)
{
    int64_t index = arrow_integer(type->kind, type->width, array->buffers[1], at);
    if (index < 0 || index >= array->dictionary->length) {
        return refuse_wrong("an index outside of its dictionary");
    }
    return arrow_value(module, type->dictionary, array->dictionary, index);
}

static PyObject *
run_value(PyObject *module, const arrow_type *type, const struct ArrowArray *array, int64_t at)
{
    int64_t run = arrow_run(type, array, at);
    if (run < 0) {
        return refuse_wrong("a value after the last run");
    }
    return arrow_value(module, &type->children[1], array->children[1], run);
}

/* ---- any ---- */

PyObject *
arrow_value(PyObject *module, const arrow_type *type, const struct ArrowArray *array,
            int64_t index)
{
    int64_t at = array->offset + index;
    const uint8_t *bitmap = arrow_bitmap(type, array);
    if (bitmap != NULL && !arrow_bit(bitmap, at)) {
        Py_RETURN_NONE;
    }
    if (type->dictionary != NULL) {
        return dictionary_value(module, type, array, at);
    }
    const void *buffer = arrow_buffer_count(type->kind) > 1 ? array->buffers[1] : NULL;
    switch (type->kind) {
    case ARROW_NULL:
        Py_RETURN_NONE;
    case ARROW_BOOL:
        return PyBool_FromLong(arrow_bit(buffer, at));
    case ARROW_UINT64:
        return PyLong_FromUnsignedLongLong(ARROW_LOAD(uint64_t, buffer, at));
    case ARROW_FLOAT16:
        return PyFloat_FromDouble(arrow_half(ARROW_LOAD(uint16_t, buffer, at)));
    case ARROW_FLOAT32:
        return PyFloat_FromDouble((double)ARROW_LOAD(float, buffer, at));
    case ARROW_FLOAT64:
        return PyFloat_FromDouble(ARROW_LOAD(double, buffer, at));
    case ARROW_DECIMAL:
        return decimal_value(module, type, buffer, at);
    case ARROW_DATE32:
    case ARROW_DATE64:
    case ARROW_TIME32:
    case ARROW_TIME64:
    case ARROW_TIMESTAMP:
    case ARROW_DURATION:
        return time_value(module, type, buffer, at);
    case ARROW_INTERVAL_MONTHS:
    case ARROW_INTERVAL_DAYS:
        PyErr_SetString(PyExc_NotImplementedError,
                        "intervals of months alone, or of days, have no Python value");
        return NULL;
    case ARROW_INTERVAL_MIXED:
        return interval_value(module, buffer, at);
    case ARROW_LIST:
    case ARROW_LARGE_LIST:
    case ARROW_LIST_VIEW:
    case ARROW_LARGE_LIST_VIEW:
    case ARROW_FIXED_LIST:
        return list_value(module, type, array, at);
    case ARROW_MAP:
        return map_value(module, type, array, at);
    case ARROW_STRUCT:
        return struct_value(module, type, array, at);
    case ARROW_DENSE_UNION:
    case ARROW_SPARSE_UNION:
        return union_value(module, type, array, at);
    case ARROW_RUN_END:
        return run_value(module, type, array, at);
    default:
        break;
    }
    if (arrow_is_integer(type->kind)) {
        return PyLong_FromLongLong(arrow_integer(type->kind, type->width, buffer, at));
    }
    return bytes_value(type, array, at);
}
