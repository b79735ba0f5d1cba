/* The converters of native_generators.convert: text -> value, by a rule of the user's.
 *
 * core/convert.h reads the common spellings, also on threads without the interpreter.  Any
 * other text comes here as a str: a number is written as Python takes it, a date is given to
 * strptime(), a word is looked up as str.casefold() has it.
 *
 * A converter never changes and is not tracked by the garbage collector: it holds only exact
 * str, numbers and tuples of them.  No user code runs here.
 */
#include "csv/row/converter.h"

#include <string.h>

#include "core/convert_moment.h"
#include "core/number_decimal.h"
#include "csv/row/library.h"
#include "runtime/raising.h"

typedef struct {
    PyObject_HEAD
    convert_rule rule;
    PyObject *args;      /* owned: what it was made with, a tuple */
    PyObject *shown;     /* owned: its repr, an exact str */
    PyObject *format;    /* owned: of strptime(), an exact str, or NULL */
    PyObject *bytes;     /* owned: the format in UTF-8, which rule.steps point into; or NULL */
    PyObject *folded;    /* owned: a dict of the words to bools, or NULL */
    PyObject *spelled;   /* owned: a tuple of bytes, which rule.words point into; or NULL */
    convert_word *words; /* owned */
} csv_converter;

bool
csv_converter_check(generators_state *state, PyObject *object)
{
    return Py_IS_TYPE(object, state->csv_converter_type);
}

const convert_rule *
csv_converter_rule(PyObject *op)
{
    return &((csv_converter *)op)->rule;
}

int
csv_converter_prepare(generators_state *state, PyObject *op)
{
    const convert_kind kind = csv_converter_rule(op)->kind;
    return kind >= CONVERT_DATE      ? csv_import_dates(state)
           : kind == CONVERT_DECIMAL ? csv_import_decimal(state)
                                     : 0;
}

bool
csv_text_is_blank(PyObject *text)
{
    for (Py_ssize_t i = 0; i < PyUnicode_GET_LENGTH(text); i++) {
        if (!Py_UNICODE_ISSPACE(PyUnicode_READ_CHAR(text, i))) {
            return false;
        }
    }
    return true;
}

/* ---- values ---- */

static PyObject *
new_moment(generators_state *state, const convert_rule *rule, const number_datetime_value *v)
{
    return rule->kind == CONVERT_DATE       ? csv_new_date(state, &v->date)
           : rule->kind == CONVERT_DATETIME ? csv_new_datetime(state, v)
                                            : csv_new_time(state, v);
}

PyObject *
csv_converter_quick(generators_state *state, PyObject *op, const uint8_t *text, size_t count)
{
    const convert_rule *rule = csv_converter_rule(op);
    double number;
    int64_t whole;
    wide decimal;
    bool truth;
    number_datetime_value moment;
    switch (rule->kind) {
    case CONVERT_NUMBER:
        return convert_number(rule, text, count, &number) == NUMBER_OK
                   ? PyFloat_FromDouble(number)
                   : NULL;
    case CONVERT_INTEGER:
        return convert_integer(rule, text, count, &whole) == NUMBER_OK
                   ? PyLong_FromLongLong(whole)
                   : NULL;
    case CONVERT_DECIMAL:
        return convert_decimal(rule, text, count, &decimal) == NUMBER_OK
                   ? csv_new_decimal(state, decimal, rule->scale)
                   : NULL;
    case CONVERT_BOOLEAN:
        return convert_boolean(rule, text, count, &truth) == NUMBER_OK ? PyBool_FromLong(truth)
                                                                       : NULL;
    default:
        return convert_moment(rule, text, count, &moment) == NUMBER_OK
                   ? new_moment(state, rule, &moment)
                   : NULL;
    }
}

static PyObject *
refuse(const csv_converter *self, PyObject *text, const char *what)
{
    PyErr_Format(PyExc_ValueError, "%U: %s: %R", self->shown, what, text);
    return NULL;
}

/* The value of a number that is spelled as Python takes it. */
static PyObject *
plain_value(generators_state *state, const csv_converter *self, PyObject *text,
            PyObject *plain)
{
    wide decimal;
    if (self->rule.kind == CONVERT_NUMBER) {
        return PyFloat_FromString(plain);
    }
    if (self->rule.kind == CONVERT_INTEGER) {
        return PyLong_FromUnicodeObject(plain, 10);
    }
    const uint8_t *bytes = PyUnicode_1BYTE_DATA(plain);
    if (number_decimal(bytes, (size_t)PyUnicode_GET_LENGTH(plain), self->rule.precision,
                       self->rule.scale, &decimal) != NUMBER_OK) {
        return refuse(self, text, "the number does not fit");
    }
    return csv_new_decimal(state, decimal, self->rule.scale);
}

static PyObject *
number_value(generators_state *state, const csv_converter *self, PyObject *text)
{
    PyObject *bytes = PyUnicode_AsEncodedString(text, "utf-8", "surrogatepass");
    if (bytes == NULL) {
        return NULL;
    }
    const size_t length = (size_t)PyBytes_GET_SIZE(bytes);
    uint8_t *out = PyMem_Malloc(length + 1);
    PyObject *value = NULL;
    size_t count;
    if (out == NULL) {
        PyErr_NoMemory();
    }
    else if (convert_spell(&self->rule, (const uint8_t *)PyBytes_AS_STRING(bytes), length, out,
                           &count) != NUMBER_OK) {
        refuse(self, text, "invalid number");
    }
    else {
        PyObject *plain = PyUnicode_DecodeASCII((const char *)out, (Py_ssize_t)count, NULL);
        value = plain == NULL ? NULL : plain_value(state, self, text, plain);
        Py_XDECREF(plain);
    }
    PyMem_Free(out);
    Py_DECREF(bytes);
    return value;
}

static PyObject *
stripped(PyObject *text)
{
    return PyObject_CallMethod(text, "strip", NULL);
}

static PyObject *
word_value(const csv_converter *self, PyObject *text)
{
    PyObject *plain = stripped(text);
    PyObject *folded = plain == NULL ? NULL : PyObject_CallMethod(plain, "casefold", NULL);
    PyObject *value = folded == NULL ? NULL : PyDict_GetItemWithError(self->folded, folded);
    Py_XINCREF(value);
    Py_XDECREF(plain);
    Py_XDECREF(folded);
    return value == NULL && !PyErr_Occurred() ? refuse(self, text, "invalid word") : value;
}

/* What strptime() makes of the text, unless it is read here: it may be of wide units, which
   were not tried. */
static PyObject *
moment_value(generators_state *state, const csv_converter *self, PyObject *text)
{
    Py_ssize_t length;
    number_datetime_value moment;
    const char *bytes = PyUnicode_AsUTF8AndSize(text, &length);
    if (bytes == NULL && raising_forgive(PyExc_UnicodeEncodeError) < 0) {
        return NULL;
    }
    if (bytes != NULL && convert_moment(&self->rule, (const uint8_t *)bytes, (size_t)length,
                                        &moment) == NUMBER_OK) {
        return new_moment(state, &self->rule, &moment);
    }
    PyObject *plain = stripped(text);
    PyObject *value = NULL;
    if (plain != NULL && self->rule.iso) {
        value = PyObject_CallMethod(state->time, "fromisoformat", "O", plain);
    }
    else if (plain != NULL) {
        value = PyObject_CallMethod(state->datetime, "strptime", "OO", plain, self->format);
    }
    Py_XDECREF(plain);
    if (value != NULL && !self->rule.iso && self->rule.kind != CONVERT_DATETIME) {
        PyObject *part = PyObject_CallMethod(
            value, self->rule.kind == CONVERT_DATE ? "date" : "timetz", NULL);
        Py_DECREF(value);
        return part;
    }
    return value;
}

PyObject *
csv_converter_value(generators_state *state, PyObject *op, PyObject *text)
{
    const csv_converter *self = (const csv_converter *)op;
    switch (self->rule.kind) {
    case CONVERT_STRIP:
        return stripped(text);
    case CONVERT_BOOLEAN:
        return word_value(self, text);
    case CONVERT_NUMBER:
    case CONVERT_INTEGER:
    case CONVERT_DECIMAL:
        return number_value(state, self, text);
    default:
        return moment_value(state, self, text);
    }
}

/* ---- making one ---- */

static int
read_kind(convert_rule *rule, const char *name)
{
    static const char *const names[] = {
        [CONVERT_STRIP] = "strip",     [CONVERT_NUMBER] = "number",
        [CONVERT_INTEGER] = "integer", [CONVERT_DECIMAL] = "decimal",
        [CONVERT_BOOLEAN] = "boolean", [CONVERT_DATE] = "date_format",
        [CONVERT_TIME] = "time",
    };
    for (size_t i = 0; i < Py_ARRAY_LENGTH(names); i++) {
        if (names[i] != NULL && strcmp(names[i], name) == 0) {
            rule->kind = (convert_kind)i;
            rule->iso = i == CONVERT_TIME;
            return 0;
        }
    }
    PyErr_Format(PyExc_ValueError, "there is no converter %s", name);
    return -1;
}

/* Read the characters of a str as marks, `most` at most.  How many, or -1. */
static int
read_marks(convert_mark *marks, int most, PyObject *text)
{
    const Py_ssize_t count = PyUnicode_GET_LENGTH(text);
    if (count > most) {
        PyErr_Format(PyExc_ValueError, "%R has more than %d characters", text, most);
        return -1;
    }
    for (Py_ssize_t i = 0; i < count; i++) {
        PyObject *one = PyUnicode_Substring(text, i, i + 1);
        Py_ssize_t length;
        const char *bytes = one == NULL ? NULL : PyUnicode_AsUTF8AndSize(one, &length);
        if (bytes != NULL) {
            memcpy(marks[i].bytes, bytes, (size_t)length);
            marks[i].length = (uint8_t)length;
        }
        Py_XDECREF(one);
        if (bytes == NULL) {
            return -1;
        }
    }
    return (int)count;
}

/* Add words, a tuple of str that are stripped and folded, which mean `value`.  0 or -1. */
static int
add_words(csv_converter *self, PyObject *words, bool value)
{
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(words); i++) {
        PyObject *word = PyTuple_GET_ITEM(words, i);
        if (!PyUnicode_CheckExact(word)) {
            PyErr_Format(PyExc_TypeError, "a word must be str, not %R", word);
            return -1;
        }
        const size_t at = self->rule.word_count;
        PyObject *bytes = PyUnicode_AsEncodedString(word, "utf-8", "surrogatepass");
        if (bytes == NULL) {
            return -1;
        }
        PyTuple_SET_ITEM(self->spelled, (Py_ssize_t)at, bytes);
        self->words[at] = (convert_word){(const uint8_t *)PyBytes_AS_STRING(bytes),
                                         (size_t)PyBytes_GET_SIZE(bytes), value};
        self->rule.word_count++;
        if (PyDict_SetItem(self->folded, word, value ? Py_True : Py_False) < 0) {
            return -1;
        }
    }
    return 0;
}

static int
read_words(csv_converter *self, PyObject *true_words, PyObject *false_words)
{
    const Py_ssize_t count = PyTuple_GET_SIZE(true_words) + PyTuple_GET_SIZE(false_words);
    self->folded = PyDict_New();
    self->spelled = PyTuple_New(count);
    self->words = PyMem_Calloc((size_t)count + 1, sizeof *self->words);
    if (self->words == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    self->rule.words = self->words;
    return self->folded == NULL || self->spelled == NULL ||
                   add_words(self, true_words, true) < 0 ||
                   add_words(self, false_words, false) < 0
               ? -1
               : 0;
}

static int
read_format(csv_converter *self, PyObject *format, bool english)
{
    self->format = PyUnicode_FromObject(format);
    self->bytes =
        self->format == NULL ? NULL : PyUnicode_AsEncodedString(format, "utf-8", NULL);
    if (self->bytes == NULL) {
        return -1;
    }
    if (!convert_read_format(&self->rule, (const uint8_t *)PyBytes_AS_STRING(self->bytes),
                             (size_t)PyBytes_GET_SIZE(self->bytes), english)) {
        PyErr_Format(PyExc_ValueError, "the format names no part of a date or time: %R",
                     format);
        return -1;
    }
    return 0;
}

/* What was given: a new tuple of exact objects, or NULL. */
static PyObject *
copy_args(PyObject *args)
{
    PyObject *copy = PyTuple_New(PyTuple_GET_SIZE(args));
    for (Py_ssize_t i = 0; copy != NULL && i < PyTuple_GET_SIZE(args); i++) {
        PyObject *item = PyTuple_GET_ITEM(args, i);
        if (!PyUnicode_CheckExact(item) && !PyLong_CheckExact(item) && !PyBool_Check(item) &&
            !PyTuple_CheckExact(item)) {
            PyErr_Format(PyExc_TypeError, "a converter is not made of %R", item);
            Py_CLEAR(copy);
            break;
        }
        PyTuple_SET_ITEM(copy, i, Py_NewRef(item));
    }
    return copy;
}

static int
converter_init(csv_converter *self, PyObject *args)
{
    const char *kind;
    PyObject *shown, *decimal, *thousands, *true_words, *false_words, *format;
    convert_rule *rule = &self->rule;
    int english;
    if (!PyArg_ParseTuple(args, "sUUUiiO!O!Up:_Converter", &kind, &shown, &decimal, &thousands,
                          &rule->precision, &rule->scale, &PyTuple_Type, &true_words,
                          &PyTuple_Type, &false_words, &format, &english)) {
        return -1;
    }
    self->args = copy_args(args);
    self->shown = PyUnicode_FromObject(shown);
    if (self->args == NULL || self->shown == NULL || read_kind(rule, kind) < 0 ||
        read_marks(&rule->decimal, 1, decimal) < 0 ||
        (rule->thousands_count = read_marks(rule->thousands, CONVERT_MARKS, thousands)) < 0) {
        return -1;
    }
    if (rule->kind != CONVERT_BOOLEAN &&
        PyTuple_GET_SIZE(true_words) + PyTuple_GET_SIZE(false_words) > 0) {
        PyErr_Format(PyExc_ValueError, "%s has no words", kind);
        return -1;
    }
    if (rule->kind == CONVERT_DECIMAL &&
        (rule->precision < 1 || rule->precision > NUMBER_DECIMAL_DIGITS || rule->scale < 0 ||
         rule->scale > rule->precision)) {
        PyErr_Format(PyExc_ValueError,
                     "precision must be 1 to %d, and scale 0 to precision, not %d and %d",
                     NUMBER_DECIMAL_DIGITS, rule->precision, rule->scale);
        return -1;
    }
    return rule->kind == CONVERT_BOOLEAN ? read_words(self, true_words, false_words)
           : rule->kind == CONVERT_DATE  ? read_format(self, format, english != 0)
                                         : 0;
}

/* ---- the type ---- */

static PyObject *
converter_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    if (kwargs != NULL && PyDict_GET_SIZE(kwargs) > 0) {
        PyErr_SetString(PyExc_TypeError, "Converter() takes no keyword arguments");
        return NULL;
    }
    csv_converter *self = (csv_converter *)type->tp_alloc(type, 0);
    if (self != NULL && converter_init(self, args) < 0) {
        Py_CLEAR(self);
    }
    return (PyObject *)self;
}

static void
converter_dealloc(PyObject *op)
{
    csv_converter *self = (csv_converter *)op;
    PyTypeObject *type = Py_TYPE(op);
    Py_XDECREF(self->args);
    Py_XDECREF(self->shown);
    Py_XDECREF(self->format);
    Py_XDECREF(self->bytes);
    Py_XDECREF(self->folded);
    Py_XDECREF(self->spelled);
    PyMem_Free(self->words);
    type->tp_free(op);
    Py_DECREF(type);
}

static PyObject *
converter_call(PyObject *op, PyObject *args, PyObject *kwargs)
{
    generators_state *state = generators_state_of(op);
    PyObject *text;
    if (kwargs != NULL && PyDict_GET_SIZE(kwargs) > 0) {
        PyErr_SetString(PyExc_TypeError, "a converter takes no keyword arguments");
        return NULL;
    }
    if (!PyArg_ParseTuple(args, "U:Converter", &text) ||
        csv_converter_prepare(state, op) < 0) {
        return NULL;
    }
    PyObject *plain = PyUnicode_FromObject(text);
    PyObject *value = plain == NULL ? NULL : csv_converter_value(state, op, plain);
    Py_XDECREF(plain);
    return value;
}

static PyObject *
converter_repr(PyObject *op)
{
    return Py_NewRef(((csv_converter *)op)->shown);
}

static Py_hash_t
converter_hash(PyObject *op)
{
    return PyObject_Hash(((csv_converter *)op)->args);
}

static PyObject *
converter_compare(PyObject *op, PyObject *other, int how)
{
    if (!Py_IS_TYPE(other, Py_TYPE(op)) || (how != Py_EQ && how != Py_NE)) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    return PyObject_RichCompare(((csv_converter *)op)->args, ((csv_converter *)other)->args,
                                how);
}

PyDoc_STRVAR(reduce_doc, "__reduce__($self, /)\n"
                         "--\n\n"
                         "Return what the converter was made with, for pickle.");

static PyObject *
converter_reduce(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    return Py_BuildValue("OO", (PyObject *)Py_TYPE(op), ((csv_converter *)op)->args);
}

PyDoc_STRVAR(class_getitem_doc,
             "__class_getitem__($type, item, /)\n"
             "--\n\n"
             "Return Converter[item], for annotations.  Converter[float] is a converter\n"
             "that returns floats.");

static PyMethodDef converter_methods[] = {
    {"__reduce__", converter_reduce, METH_NOARGS, reduce_doc},
    {"__class_getitem__", Py_GenericAlias, METH_O | METH_CLASS, class_getitem_doc},
    {NULL},
};

PyDoc_STRVAR(converter_doc,
             "Converter(kind, shown, decimal, thousands, precision, scale, true, false,\n"
             "          format, english, /)\n"
             "--\n\n"
             "A rule that converts the text of a field to a value.  The functions of\n"
             "native_generators.convert return converters.\n"
             "\n"
             "A converter may be given in `types` of csv_rows and csv_batches in place of a\n"
             "type, and in an Annotated[...] hint of a class for rows.  It may also be\n"
             "called with a str.  Converters are immutable, hashable, and can be pickled.\n"
             "Two converters are equal if they convert in the same way.");

static PyType_Slot converter_slots[] = {
    {Py_tp_doc, (char *)converter_doc},
    {Py_tp_new, converter_new},
    {Py_tp_dealloc, converter_dealloc},
    {Py_tp_call, converter_call},
    {Py_tp_repr, converter_repr},
    {Py_tp_hash, converter_hash},
    {Py_tp_richcompare, converter_compare},
    {Py_tp_methods, converter_methods},
    {0, NULL},
};

PyType_Spec csv_converter_spec = {
    .name = "native_generators.convert.Converter",
    .basicsize = sizeof(csv_converter),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = converter_slots,
};
