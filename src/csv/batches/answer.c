/* Values that only Python can decide.
 *
 * The column machine reads the common spellings.  What it is not sure of, or what does not fit
 * its column, is asked here: the text becomes a value exactly as csv_rows() makes it, by
 * int(), float(), fromisoformat() or Decimal(), and the value must fit the column.  If it does
 * not, the ValueError says which type would do.
 *
 * No code of the user's runs here.
 */
#include "csv/batches/answer.h"

#include <math.h>
#include <string.h>

#include "arrow/layout.h"
#include "csv/parse/decode.h"
#include "csv/row/convert.h"
#include "csv/row/converter.h"
#include "csv/row/library.h"
#include "csv/row/typed.h"
#include "runtime/raising.h"

#define EPOCH 719163 /* date(1970, 1, 1).toordinal() */
#define DAY INT64_C(86400)
#define MICROSECONDS INT64_C(1000000)

/* What a value is for. */
typedef struct {
    columns *builder;
    const columns_question *question;
    const columns_spec *spec;
    generators_state *state;
} target;

/* Raise ValueError: the value does not fit, and `other` would do. */
static int
refuse(const target *t, const char *other)
{
    char name[ARROW_LONGEST_NAME];
    arrow_layout_name(t->spec, name);
    PyErr_Format(PyExc_ValueError, "the value does not fit %s: %s would do", name, other);
    return -1;
}

/* ---- numbers ---- */

/* The type of integers that a value fits. */
static const char *
type_for_int(PyObject *value, bool is_unsigned)
{
    static const struct {
        columns_kind kind;
        const char *name;
    } kinds[] = {
        {COLUMNS_INT8, "int8"},     {COLUMNS_INT16, "int16"},   {COLUMNS_INT32, "int32"},
        {COLUMNS_INT64, "int64"},   {COLUMNS_UINT8, "uint8"},   {COLUMNS_UINT16, "uint16"},
        {COLUMNS_UINT32, "uint32"}, {COLUMNS_UINT64, "uint64"},
    };
    int overflow;
    long long number = PyLong_AsLongLongAndOverflow(value, &overflow);
    for (int i = is_unsigned && overflow == 0 && number >= 0 ? 4 : 0; overflow == 0 && i < 8;
         i++) {
        columns_spec spec = {.kind = kinds[i].kind};
        if (columns_fits_int(&spec, number)) {
            return kinds[i].name;
        }
    }
    if (overflow > 0) {
        PyLong_AsUnsignedLongLong(value);
        if (!PyErr_Occurred()) {
            return "uint64";
        }
        if (raising_forgive(PyExc_OverflowError) < 0) {
            return NULL;
        }
    }
    return "str";
}

static int
answer_int_value(const target *t, PyObject *value)
{
    const bool is_unsigned = t->spec->kind >= COLUMNS_UINT8;
    int overflow, status = 0;
    long long number = PyLong_AsLongLongAndOverflow(value, &overflow);
    unsigned long long large = 0;
    if (overflow > 0) {
        large = PyLong_AsUnsignedLongLong(value);
        status = PyErr_Occurred() ? raising_forgive(PyExc_OverflowError) : 1;
    }
    if (overflow == 0 && columns_fits_int(t->spec, number)) {
        if (is_unsigned) {
            columns_answer_uint(t->builder, t->question, (uint64_t)number);
        }
        else {
            columns_answer_int(t->builder, t->question, number);
        }
        status = 0;
    }
    else if (status > 0 && columns_fits_uint(t->spec, large)) {
        columns_answer_uint(t->builder, t->question, large);
        status = 0;
    }
    else if (status >= 0) {
        const char *other = type_for_int(value, is_unsigned);
        status = other == NULL ? -1 : refuse(t, other);
    }
    return status;
}

static int
answer_int(const target *t, PyObject *text)
{
    const csv_type type = {.kind = CSV_AS_INT};
    PyObject *value = csv_text_value(&type, t->state, text);
    int status = value == NULL ? -1 : answer_int_value(t, value);
    Py_XDECREF(value);
    return status;
}

/* A double that lies halfway between two floats may be rounded from a text that is not: the
   float nearest to the text.  `text` is what float() has read. */
static int
nearest_float(PyObject *text, double value, float *nearest)
{
    *nearest = (float)value;
    const float back = nextafterf(*nearest, value > *nearest ? INFINITY : -INFINITY);
    if (value == *nearest || !isfinite(value) ||
        value - (double)*nearest != (double)back - value) {
        return 0;
    }
    PyObject *module = PyImport_ImportModule("fractions");
    PyObject *exact =
        module == NULL ? NULL : PyObject_CallMethod(module, "Fraction", "O", text);
    PyObject *halfway = exact == NULL ? NULL : PyFloat_FromDouble(value);
    int above = halfway == NULL ? -1 : PyObject_RichCompareBool(exact, halfway, Py_GT);
    int below = above != 0 ? above : PyObject_RichCompareBool(exact, halfway, Py_LT);
    Py_XDECREF(module);
    Py_XDECREF(exact);
    Py_XDECREF(halfway);
    if (above < 0 || below < 0) {
        return -1;
    }
    if (above > 0 || below > 0) {
        const bool upward = above > 0;
        const float low = *nearest < back ? *nearest : back;
        const float high = *nearest < back ? back : *nearest;
        *nearest = upward ? high : low;
    }
    return 0;
}

static int
answer_float(const target *t, PyObject *text)
{
    PyObject *value = PyFloat_FromString(text);
    if (value == NULL) {
        return -1;
    }
    double number = PyFloat_AS_DOUBLE(value);
    Py_DECREF(value);
    if (t->spec->kind == COLUMNS_FLOAT32) {
        float nearest;
        if (nearest_float(text, number, &nearest) < 0) {
            return -1;
        }
        if (isinf(nearest) && isfinite(number)) {
            return refuse(t, "float64");
        }
        number = (double)nearest;
    }
    columns_answer_double(t->builder, t->question, number);
    return 0;
}

/* ---- decimals ---- */

/* The parts of a finite Decimal that is not 0, without zeros at the end of its digits. */
typedef struct {
    PyObject *digits; /* borrowed: a tuple of int */
    Py_ssize_t count; /* of the digits that are used */
    long long exponent;
    bool negative;
} decimal_parts;

static int
digit_at(const decimal_parts *parts, Py_ssize_t index)
{
    return (int)PyLong_AsLong(PyTuple_GET_ITEM(parts->digits, index));
}

static int
refuse_decimal(const target *t, const decimal_parts *parts)
{
    char other[ARROW_LONGEST_NAME] = "str";
    long long scale = parts->exponent < 0 ? -parts->exponent : 0;
    scale = scale < t->spec->scale ? t->spec->scale : scale;
    long long precision = parts->count + parts->exponent + scale;
    precision = precision < t->spec->precision ? t->spec->precision : precision;
    if (precision <= 38 && scale <= 38) {
        columns_spec spec = {.kind = COLUMNS_DECIMAL128,
                             .precision = (uint8_t)precision,
                             .scale = (int8_t)scale};
        arrow_layout_name(&spec, other);
    }
    return refuse(t, other);
}

/* Answer with the digits, shifted by the scale. */
static int
answer_digits(const target *t, const decimal_parts *parts)
{
    wide number = {0, 0};
    long long zeros = parts->exponent + t->spec->scale;
    if (zeros < 0 || parts->count + zeros > t->spec->precision) {
        return refuse_decimal(t, parts);
    }
    for (Py_ssize_t i = 0; i < parts->count + zeros; i++) {
        /* times ten, and one more digit */
        wide low = wide_multiply(number.low, 10);
        uint64_t next = i < parts->count ? (uint64_t)digit_at(parts, i) : 0;
        number.low = low.low + next;
        number.high = number.high * 10 + low.high + (number.low < next);
    }
    if (parts->negative) {
        number.low = ~number.low + 1;
        number.high = ~number.high + (number.low == 0);
    }
    columns_answer_decimal(t->builder, t->question, number);
    return 0;
}

/* `parts` is what as_tuple() of a Decimal gives. */
static int
answer_parts(const target *t, PyObject *tuple)
{
    decimal_parts parts;
    PyObject *exponent;
    int negative;
    if (!PyArg_ParseTuple(tuple, "iO!O", &negative, &PyTuple_Type, &parts.digits, &exponent)) {
        return -1;
    }
    if (!PyLong_Check(exponent)) {
        return refuse(t, "str"); /* not a number, or infinite */
    }
    parts.exponent = PyLong_AsLongLong(exponent);
    parts.negative = negative != 0;
    parts.count = PyTuple_GET_SIZE(parts.digits);
    if (parts.exponent == -1 && PyErr_Occurred()) {
        return -1;
    }
    while (parts.count > 0 && digit_at(&parts, parts.count - 1) == 0) {
        parts.count--;
        parts.exponent++;
    }
    if (parts.count == 0) {
        parts.exponent = -t->spec->scale;
    }
    return answer_digits(t, &parts);
}

static int
answer_decimal_value(const target *t, PyObject *value)
{
    PyObject *tuple = PyObject_CallMethod(value, "as_tuple", NULL);
    int status = tuple == NULL ? -1 : answer_parts(t, tuple);
    Py_XDECREF(tuple);
    return status;
}

static int
answer_decimal(const target *t, PyObject *text)
{
    if (csv_import_decimal(t->state) < 0) {
        return -1;
    }
    PyObject *value = PyObject_CallOneArg(generators_late(t->state, &t->state->decimal), text);
    if (value == NULL) {
        if (PyErr_ExceptionMatches(PyExc_ArithmeticError)) {
            PyErr_Clear();
            PyErr_Format(PyExc_ValueError, "invalid decimal: %R", text);
        }
        return -1;
    }
    int status = answer_decimal_value(t, value);
    Py_DECREF(value);
    return status;
}

/* ---- dates and times ---- */

static int
get_number(PyObject *value, const char *name, int64_t *number)
{
    PyObject *attribute = PyObject_GetAttrString(value, name);
    *number = attribute == NULL ? -1 : PyLong_AsLongLong(attribute);
    Py_XDECREF(attribute);
    return *number == -1 && PyErr_Occurred() ? -1 : 0;
}

static int
get_days(PyObject *value, int64_t *days)
{
    PyObject *ordinal = PyObject_CallMethod(value, "toordinal", NULL);
    *days = ordinal == NULL ? -1 : PyLong_AsLongLong(ordinal) - EPOCH;
    Py_XDECREF(ordinal);
    return ordinal == NULL ? -1 : 0;
}

/* The microseconds of the day. */
static int
get_time(PyObject *value, int64_t *time)
{
    int64_t hour, minute, second, microsecond;
    if (get_number(value, "hour", &hour) < 0 || get_number(value, "minute", &minute) < 0 ||
        get_number(value, "second", &second) < 0 ||
        get_number(value, "microsecond", &microsecond) < 0) {
        return -1;
    }
    *time = ((hour * 60 + minute) * 60 + second) * MICROSECONDS + microsecond;
    return 0;
}

/* The offset from UTC in microseconds: 1, 0 if there is none, or -1. */
static int
get_offset(PyObject *value, int64_t *offset)
{
    PyObject *delta = PyObject_CallMethod(value, "utcoffset", NULL);
    if (delta == NULL || delta == Py_None) {
        Py_XDECREF(delta);
        return delta == NULL ? -1 : 0;
    }
    int64_t days = 0, seconds = 0, microseconds = 0;
    int status = get_number(delta, "days", &days) < 0 ||
                         get_number(delta, "seconds", &seconds) < 0 ||
                         get_number(delta, "microseconds", &microseconds) < 0
                     ? -1
                     : 1;
    Py_DECREF(delta);
    *offset = (days * DAY + seconds) * MICROSECONDS + microseconds;
    return status;
}

/* Answer with a moment, in microseconds, in the unit of the column. */
static int
answer_moment(const target *t, int64_t moment)
{
    static const int64_t divisors[] = {MICROSECONDS, 1000, 1, 1};
    const int64_t divisor = divisors[t->spec->unit];
    if (moment % divisor != 0) {
        return refuse(t, t->spec->zoned ? "timestamp[us, with a zone]" : "timestamp[us]");
    }
    if (t->spec->unit == COLUMNS_NANOSECONDS) {
        if (moment > INT64_MAX / 1000 || moment < INT64_MIN / 1000) {
            return refuse(t, t->spec->zoned ? "timestamp[us, with a zone]" : "timestamp[us]");
        }
        moment *= 1000;
    }
    columns_answer_int(t->builder, t->question, moment / divisor);
    return 0;
}

static int
answer_datetime_value(const target *t, PyObject *value)
{
    int64_t days, time, offset = 0;
    int zoned = get_offset(value, &offset);
    if (zoned < 0 || get_days(value, &days) < 0 || get_time(value, &time) < 0) {
        return -1;
    }
    if (zoned != (int)t->spec->zoned) {
        char name[ARROW_LONGEST_NAME];
        arrow_layout_name(t->spec, name);
        PyErr_Format(PyExc_ValueError,
                     zoned ? "the value has a zone and does not fit %s: str would do, or a "
                             "timestamp with a zone if every value has one"
                           : "the value has no zone and does not fit %s: str would do, or a "
                             "timestamp without a zone if no value has one",
                     name);
        return -1;
    }
    return answer_moment(t, days * DAY * MICROSECONDS + time - offset);
}

static int
answer_datetime(const target *t, PyObject *text)
{
    const csv_type type = {.kind = CSV_AS_DATETIME};
    PyObject *value =
        csv_import_dates(t->state) < 0 ? NULL : csv_text_value(&type, t->state, text);
    int status = value == NULL ? -1 : answer_datetime_value(t, value);
    Py_XDECREF(value);
    return status;
}

static int
answer_date_value(const target *t, PyObject *value)
{
    int64_t days;
    if (get_days(value, &days) < 0) {
        return -1;
    }
    columns_answer_int(t->builder, t->question, days);
    return 0;
}

static int
answer_date(const target *t, PyObject *text)
{
    const csv_type type = {.kind = CSV_AS_DATE};
    PyObject *value =
        csv_import_dates(t->state) < 0 ? NULL : csv_text_value(&type, t->state, text);
    int status = value == NULL ? -1 : answer_date_value(t, value);
    Py_XDECREF(value);
    return status;
}

static int
answer_time_value(const target *t, PyObject *value)
{
    int64_t time;
    PyObject *zone = PyObject_GetAttrString(value, "tzinfo");
    Py_XDECREF(zone);
    if (zone == NULL || get_time(value, &time) < 0) {
        return -1;
    }
    if (zone != Py_None) {
        PyErr_SetString(PyExc_ValueError,
                        "the value has a zone and does not fit time64[us]: str would do");
        return -1;
    }
    columns_answer_int(t->builder, t->question, time);
    return 0;
}

static int
answer_time(const target *t, PyObject *text)
{
    const csv_type type = {.kind = CSV_AS_TIME};
    PyObject *value =
        csv_import_dates(t->state) < 0 ? NULL : csv_text_value(&type, t->state, text);
    int status = value == NULL ? -1 : answer_time_value(t, value);
    Py_XDECREF(value);
    return status;
}

/* ---- converters ---- */

static int
answer_value(const target *t, PyObject *value)
{
    switch (t->spec->rule->kind) {
    case CONVERT_NUMBER:
        columns_answer_double(t->builder, t->question, PyFloat_AS_DOUBLE(value));
        return 0;
    case CONVERT_INTEGER:
        return answer_int_value(t, value);
    case CONVERT_DECIMAL:
        return answer_decimal_value(t, value);
    case CONVERT_BOOLEAN:
        columns_answer_int(t->builder, t->question, value == Py_True);
        return 0;
    case CONVERT_DATE:
        return answer_date_value(t, value);
    case CONVERT_DATETIME:
        return answer_datetime_value(t, value);
    default:
        return answer_time_value(t, value);
    }
}

/* Answer with what a converter makes of the text. */
static int
answer_by_rule(const target *t, PyObject *converter, PyObject *text)
{
    if (csv_text_is_blank(text) && !t->spec->not_null) {
        columns_answer_null(t->builder, t->question);
        return 0;
    }
    PyObject *value = csv_converter_value(t->state, converter, text);
    int status = value == NULL ? -1 : answer_value(t, value);
    Py_XDECREF(value);
    return status;
}

/* ---- texts and bytes ---- */

static int
answer_bytes(const target *t, PyObject *bytes)
{
    if (bytes == NULL) {
        return -1;
    }
    bool done = columns_answer_bytes(t->builder, t->question,
                                     (const uint8_t *)PyBytes_AS_STRING(bytes),
                                     (size_t)PyBytes_GET_SIZE(bytes));
    Py_DECREF(bytes);
    if (!done) {
        PyErr_NoMemory();
    }
    return done ? 0 : -1;
}

static int
answer_text(const target *t, const csv_parser *parser, PyObject *text)
{
    switch (t->spec->kind) {
    case COLUMNS_BINARY:
        return answer_bytes(t, csv_parser_encode(parser, text));
    case COLUMNS_BOOL:
        PyErr_Format(PyExc_ValueError, "invalid bool: %R", text);
        return -1;
    case COLUMNS_FLOAT32:
    case COLUMNS_FLOAT64:
        return answer_float(t, text);
    case COLUMNS_DATE32:
        return answer_date(t, text);
    case COLUMNS_TIME64:
        return answer_time(t, text);
    case COLUMNS_TIMESTAMP:
        return answer_datetime(t, text);
    case COLUMNS_DECIMAL128:
        return answer_decimal(t, text);
    case COLUMNS_UTF8:
    case COLUMNS_LARGE_UTF8:
    case COLUMNS_UTF8_VIEW:
    case COLUMNS_DICTIONARY:
        return answer_bytes(t, PyUnicode_AsUTF8String(text));
    default:
        return answer_int(t, text);
    }
}

int
csv_batch_answer(const csv_batch_plan *plan, columns *builder,
                 const columns_question *question, const csv_parser *parser,
                 generators_state *state, const fields_record *record)
{
    const target t = {builder, question, &plan->specs[question->column], state};
    if (question->kind == COLUMNS_ASKS_NULL) {
        PyErr_SetString(PyExc_ValueError, "a null, but the schema allows none");
        return -1;
    }
    PyObject *text = csv_field_text(parser, state, record, t.spec->field);
    PyObject *converter = plan->rules[question->column];
    int status = text == NULL        ? -1
                 : converter != NULL ? answer_by_rule(&t, converter, text)
                                     : answer_text(&t, parser, text);
    Py_XDECREF(text);
    return status;
}
