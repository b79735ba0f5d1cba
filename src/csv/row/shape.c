/* Makes a row of a record, by a settled plan.
 *
 * The values are made first, in memory of the plan, so that user code never sees a half-made
 * row.  Then they are moved into the row.
 *
 * User code runs here: the callables of `types`, and the class or callable of `into`.  The
 * front end is `running` meanwhile, so neither the plan nor the parser's memory changes.
 */
#include "csv/row/shape.h"

#include <string.h>

#include "csv/parse/decode.h"
#include "csv/parse/fault.h"
#include "csv/row/convert.h"
#include "csv/row/converter.h"
#include "csv/row/field.h"
#include "csv/row/field_error.h"
#include "csv/row/plan_inner.h"
#include "csv/row/row.h"
#include "csv/row/settle.h"
#include "csv/row/typed.h"
#include "runtime/raising.h"

#define WIDE_SHOWN 64 /* the longest field of wide text that is tried as a number */

/* ---- faults ---- */

/* Whether the exception that is set is a fault of the data, which becomes a CSVError. */
static bool
is_fault(void)
{
    return PyErr_ExceptionMatches(PyExc_Exception) &&
           !PyErr_ExceptionMatches(PyExc_StopIteration) &&
           !PyErr_ExceptionMatches(PyExc_MemoryError);
}

/* ---- values ---- */

static bool
equals(const field_context *c, const field_span *s, PyObject *spelling)
{
    uint32_t count = s->end - s->start;
    if ((Py_ssize_t)count != PyUnicode_GET_LENGTH(spelling)) {
        return false;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (unit_at(s->units, s->start + i, c->width) != PyUnicode_READ_CHAR(spelling, i)) {
            return false;
        }
    }
    return true;
}

/* 1 if the text of the field is one of `null`, 0 if not, or -1. */
static int
is_null(const csv_plan *plan, const field_context *c, const field_span *s)
{
    Py_ssize_t count = PyTuple_GET_SIZE(plan->null);
    if (count == 0 || !s->unquoted) {
        return 0;
    }
    if (!c->utf8 || !(c->flags & FIELDS_HIGH)) {
        for (Py_ssize_t i = 0; i < count; i++) {
            if (equals(c, s, PyTuple_GET_ITEM(plan->null, i))) {
                return 1;
            }
        }
        return 0;
    }
    PyObject *text = field_span_text(c, 0, s);
    int found = text == NULL ? -1 : PySequence_Contains(plan->null, text);
    Py_XDECREF(text);
    return found;
}

/* Whether a field of units of one byte is UTF-8, or ASCII, and not Latin-1.  True for wider
   units. */
static bool
is_utf8(const field_context *c, const field_span *s)
{
    if (c->width != 1 || c->utf8 || !(c->flags & FIELDS_HIGH)) {
        return true;
    }
    const uint8_t *units = s->units;
    for (uint32_t i = s->start; i < s->end; i++) {
        if (units[i] >= 0x80) {
            return false;
        }
    }
    return true;
}

static PyObject *
quick_value(const field_context *c, const csv_type *type, const field_span *s)
{
    uint32_t count = s->end - s->start;
    if (type->kind == CSV_AS_CONVERTER && !is_utf8(c, s)) {
        return NULL;
    }
    if (c->width == 1) {
        return csv_quick_value(type, c->state, (const uint8_t *)s->units + s->start, count);
    }
    uint8_t narrow[WIDE_SHOWN];
    if (count > WIDE_SHOWN) {
        return NULL;
    }
    for (uint32_t i = 0; i < count; i++) {
        uint32_t unit = unit_at(s->units, s->start + i, c->width);
        if (unit >= 0x80) {
            return NULL;
        }
        narrow[i] = (uint8_t)unit;
    }
    return csv_quick_value(type, c->state, narrow, count);
}

static PyObject *
bytes_value(const csv_parser *parser, const field_context *c, const csv_column *column,
            const field_span *s)
{
    if (csv_parser_holds_bytes(parser)) {
        return PyBytes_FromStringAndSize((const char *)s->units + s->start, s->end - s->start);
    }
    PyObject *text = field_span_text(c, column->field, s);
    PyObject *bytes = text == NULL ? NULL : csv_parser_encode(parser, text);
    Py_XDECREF(text);
    return bytes;
}

/* The text without whitespace around; None if it is empty then, where that is allowed. */
static PyObject *
strip_value(const field_context *c, const csv_column *column, const field_span *s)
{
    PyObject *text;
    if (c->width == 1 && is_utf8(c, s)) {
        const uint8_t *units = s->units, *at = units + s->start;
        size_t count = s->end - s->start;
        convert_strip(&at, &count);
        const uint32_t start = (uint32_t)(at - units);
        text = field_plain_text(c, column->field, units, start, start + (uint32_t)count);
    }
    else {
        PyObject *all = field_span_text(c, column->field, s);
        text = all == NULL ? NULL : csv_text_value(&column->type, c->state, all);
        Py_XDECREF(all);
    }
    if (text != NULL && PyUnicode_GET_LENGTH(text) == 0 && column->type.allows_none) {
        Py_DECREF(text);
        return Py_NewRef(Py_None);
    }
    return text;
}

static PyObject *
refuse_null(bool empty)
{
    PyErr_SetString(PyExc_ValueError, empty ? "an empty field, but None is not allowed"
                                            : "a null, but None is not allowed");
    return NULL;
}

/* The value of a text that is not empty, and that is not read here.  For a converter,
   whitespace is as good as nothing. */
static PyObject *
slow_value(const field_context *c, const csv_column *column, const field_span *s)
{
    const csv_type *type = &column->type;
    PyObject *text = field_span_text(c, column->field, s), *value = NULL;
    if (text == NULL) {
        return NULL;
    }
    if (type->kind != CSV_AS_CONVERTER || !csv_text_is_blank(text)) {
        value = csv_text_value(type, c->state, text);
    }
    else {
        value = type->allows_none ? Py_NewRef(Py_None) : refuse_null(true);
    }
    Py_DECREF(text);
    return value;
}

static PyObject *
typed_value(const csv_plan *plan, const csv_parser *parser, const field_context *c,
            const csv_column *column, const field_span *s)
{
    const csv_type *type = &column->type;
    bool empty = s->start == s->end;
    int null = empty ? 1 : is_null(plan, c, s);
    if (null < 0) {
        return NULL;
    }
    if (null && type->allows_none) {
        return Py_NewRef(Py_None);
    }
    if (type->kind == CSV_AS_STR) {
        return field_span_text(c, column->field, s);
    }
    if (type->kind == CSV_AS_STRIP) {
        return strip_value(c, column, s);
    }
    if (null) {
        return refuse_null(empty);
    }
    if (type->kind == CSV_AS_BYTES) {
        return bytes_value(parser, c, column, s);
    }
    PyObject *value = quick_value(c, type, s);
    return value != NULL || PyErr_Occurred() ? value : slow_value(c, column, s);
}

static PyObject *
column_value(const csv_plan *plan, const csv_parser *parser, const field_context *c,
             const csv_column *column, uint32_t start, uint32_t end)
{
    field_span s;
    if (field_span_read(c, start, end, &s) < 0) {
        return NULL;
    }
    PyObject *value;
    if (column->type.kind == CSV_AS_READ) {
        value = field_span_text(c, column->field, &s);
        if (!c->dialect->text_only) {
            value = field_quoting_value(c, value, s.unquoted);
        }
    }
    else {
        value = typed_value(plan, parser, c, column, &s);
    }
    field_span_free(&s);
    return value;
}

static void
drop_values(PyObject **values, Py_ssize_t count)
{
    for (Py_ssize_t i = 0; i < count; i++) {
        Py_XDECREF(values[i]); /* NULL: it is left out */
    }
}

/* Whether a CSVRow may hold the value; an exception is set if not. */
static bool
may_be_held(generators_state *state, PyObject *value)
{
    int allowed = csv_value_is_acyclic(state, value);
    if (allowed == 0) {
        PyErr_Format(PyExc_TypeError,
                     "a CSVRow may hold str, numbers, dates and the like, not %.200s",
                     Py_TYPE(value)->tp_name);
    }
    return allowed > 0;
}

/* The value of a field that the record does not have. */
static PyObject *
missing_value(const csv_column *column)
{
    return Py_NewRef(column->missing != NULL ? column->missing : Py_None);
}

/* Make the values of the first `count` columns, for a record of `width` fields.  0, or -1 with
 * *bad the index of the column that failed.
 */
static int
make_values(const csv_plan *plan, const csv_parser *parser, generators_state *state,
            const fields_record *record, uint32_t width, Py_ssize_t count, Py_ssize_t *bad)
{
    PyObject **values = plan->values + 1;
    const uint32_t *ends = parser->machine.ends + record->first;
    if (plan->open && plan->by_index == NULL && plan->default_type == NULL &&
        width >= (size_t)count) {
        return csv_record_fields(parser, state, record, (uint32_t)count, values, bad);
    }
    field_context c;
    field_set_context(&c, parser, state, record);
    const bool plain = record->flags == 0 && c.width == 1 && parser->dialect.plain;
    for (Py_ssize_t i = 0; i < count; i++) {
        const csv_column *column = &plan->columns[i];
        const uint32_t field = column->field;
        if (column->type.kind == CSV_AS_GIVEN) {
            values[i] = Py_NewRef(column->type.given);
            continue;
        }
        if (field >= width) {
            values[i] = column->left_out ? NULL : missing_value(column);
            continue;
        }
        uint32_t start = field == 0 ? record->start : ends[field - 1] + 1;
        uint32_t end = ends[field];
        if (plain && column->type.kind == CSV_AS_READ) {
            values[i] =
                field_ascii_text(&c, field, (const uint8_t *)c.units + start, end - start);
        }
        else {
            values[i] = column_value(plan, parser, &c, column, start, end);
        }
        if (values[i] == NULL) {
            drop_values(values, i);
            *bad = i;
            return -1;
        }
    }
    return 0;
}

/* Make the values that a CSVRow holds, one after the other.  Returns as make_values() does.
   The memo is not used, because other threads may read rows of the same block meanwhile. */
static int
make_held_values(const csv_plan *plan, const csv_parser *parser, generators_state *state,
                 const fields_record *record, Py_ssize_t *bad)
{
    PyObject **values = plan->values + 1;
    const uint32_t *ends = parser->machine.ends + record->first;
    Py_ssize_t made = 0;
    field_context c;
    field_set_context(&c, parser, state, record);
    c.memo = NULL;
    for (Py_ssize_t i = 0; i < plan->count; i++) {
        const csv_column *column = &plan->columns[i];
        const uint32_t field = column->field;
        if (csv_column_is_text(column)) {
            continue;
        }
        uint32_t start = field == 0 ? record->start : ends[field - 1] + 1;
        values[made] = column_value(plan, parser, &c, column, start, ends[field]);
        if (values[made] == NULL || !may_be_held(state, values[made])) {
            drop_values(values, made + (values[made] != NULL));
            *bad = i;
            return -1;
        }
        made++;
    }
    return 0;
}

/* Make a CSVRow of a record.  NULL with *bad the index of the column that failed, or -1. */
static PyObject *
lazy_row(const csv_plan *plan, const csv_parser *parser, generators_state *state,
         const fields_record *record, uint32_t width, Py_ssize_t *bad)
{
    PyObject **values = plan->values + 1;
    *bad = -1;
    if (parser->dialect.text_only) {
        return make_held_values(plan, parser, state, record, bad) < 0
                   ? NULL
                   : csv_row_of_record(parser, record, values);
    }
    if (make_values(plan, parser, state, record, width, plan->count, bad) < 0) {
        return NULL;
    }
    for (Py_ssize_t i = 0; i < plan->count; i++) {
        if (!may_be_held(state, values[i])) {
            drop_values(values, plan->count);
            *bad = i;
            return NULL;
        }
    }
    return csv_row_of_values(parser, state, values, plan->count);
}

/* ---- rows: each function steals the values, even on failure ---- */

static PyObject *
list_row(PyObject **values, Py_ssize_t count)
{
    PyObject *list = PyList_New(count);
    if (list == NULL) {
        drop_values(values, count);
    }
    else if (count > 0) {
        memcpy(&PyList_GET_ITEM(list, 0), values, (size_t)count * sizeof *values);
    }
    return list;
}

static PyObject *
tuple_row(PyObject **values, Py_ssize_t count)
{
    PyObject *tuple = PyTuple_New(count);
    if (tuple == NULL) {
        drop_values(values, count);
    }
    else if (count > 0) {
        memcpy(&PyTuple_GET_ITEM(tuple, 0), values, (size_t)count * sizeof *values);
    }
    return tuple;
}

/* Put the values that differ from the last row's into the model, and copy it.  Where texts
   repeat, few values differ. */
static PyObject *
dict_like_last(const csv_plan *plan, PyObject **values, Py_ssize_t count)
{
    for (Py_ssize_t i = 0; i < count; i++) {
        if (values[i] == plan->last[i]) {
            continue;
        }
        plan->last[i] = NULL;
        if (PyDict_SetItem(plan->model, plan->columns[i].name, values[i]) < 0) {
            drop_values(values, count);
            return NULL;
        }
        plan->last[i] = values[i];
    }
    PyObject *row = PyDict_Copy(plan->model);
    drop_values(values, count);
    return row;
}

/* Copying a dict of the right size costs less than filling an empty one. */
static PyObject *
dict_row(const csv_plan *plan, PyObject **values, Py_ssize_t count)
{
    if (plan->last != NULL) {
        return dict_like_last(plan, values, count);
    }
    PyObject *row = PyDict_Copy(plan->model);
    for (Py_ssize_t i = 0; row != NULL && i < count; i++) {
        if (PyDict_SetItem(row, plan->columns[i].name, values[i]) < 0) {
            Py_CLEAR(row);
        }
    }
    drop_values(values, count);
    return row;
}

/* Add the fields beyond the names as a list under None, as csv.DictReader does.  0 or -1. */
static int
add_rest(PyObject *row, const csv_plan *plan, csv_parser *parser, generators_state *state,
         const fields_record *record, uint32_t width)
{
    PyObject *rest = PyList_New(0);
    int status = rest == NULL ? -1 : 0;
    for (uint32_t i = plan->width; status == 0 && i < width; i++) {
        PyObject *text = csv_field_text(parser, state, record, i);
        status = text == NULL ? -1 : PyList_Append(rest, text);
        Py_XDECREF(text);
    }
    if (status == 0) {
        status = PyDict_SetItem(row, Py_None, rest);
    }
    Py_XDECREF(rest);
    return status;
}

static PyObject *
call_row(const csv_plan *plan, PyObject **values, Py_ssize_t count)
{
    Py_ssize_t by_name = plan->keywords == NULL ? 0 : PyTuple_GET_SIZE(plan->keywords);
    size_t flags = (size_t)(count - by_name) | PY_VECTORCALL_ARGUMENTS_OFFSET;
    PyObject *row = PyObject_Vectorcall(plan->target, values, flags, plan->keywords);
    drop_values(values, count);
    return row;
}

/* The same without the values that are left out.  All are passed by name. */
static PyObject *
call_short_row(const csv_plan *plan, PyObject **values, Py_ssize_t count)
{
    Py_ssize_t kept = 0;
    for (Py_ssize_t i = 0; i < count; i++) {
        kept += values[i] != NULL;
    }
    PyObject *keywords = PyTuple_New(kept);
    if (keywords == NULL) {
        drop_values(values, count);
        return NULL;
    }
    kept = 0;
    for (Py_ssize_t i = 0; i < count; i++) {
        if (values[i] != NULL) {
            PyTuple_SET_ITEM(keywords, kept, Py_NewRef(PyTuple_GET_ITEM(plan->keywords, i)));
            values[kept++] = values[i];
        }
    }
    PyObject *row =
        PyObject_Vectorcall(plan->target, values, PY_VECTORCALL_ARGUMENTS_OFFSET, keywords);
    Py_DECREF(keywords);
    drop_values(values, kept);
    return row;
}

/* Make the tuple that the class's own __new__ would make. */
static PyObject *
named_tuple_row(const csv_plan *plan, PyObject **values, Py_ssize_t count)
{
#if PY_VERSION_HEX < 0x030E0000
    PyTypeObject *type = (PyTypeObject *)plan->target;
    PyObject *row = type->tp_alloc(type, count);
    if (row == NULL) {
        drop_values(values, count);
    }
    else if (count > 0) {
        memcpy(&PyTuple_GET_ITEM(row, 0), values, (size_t)count * sizeof *values);
    }
    return row;
#else
    /* Since 3.14 a tuple caches its hash, and only tuple's own code may initialize it. */
    return call_row(plan, values, count);
#endif
}

/* There must be room for one more value before these. */
static PyObject *
dataclass_row(const csv_plan *plan, generators_state *state, PyObject **values,
              Py_ssize_t count)
{
    PyTypeObject *type = (PyTypeObject *)plan->target;
    PyObject *row = type->tp_new(type, state->empty_tuple, NULL);
    PyObject *done = NULL;
    if (row != NULL) {
        Py_ssize_t by_name = plan->keywords == NULL ? 0 : PyTuple_GET_SIZE(plan->keywords);
        values[-1] = row;
        done = PyObject_Vectorcall(plan->init, values - 1, (size_t)(1 + count - by_name),
                                   plan->keywords);
    }
    drop_values(values, count);
    if (done != NULL && done != Py_None) {
        PyErr_Format(PyExc_TypeError, "__init__() should return None, not '%.200s'",
                     Py_TYPE(done)->tp_name);
        Py_CLEAR(done);
    }
    if (done == NULL) {
        Py_XDECREF(row);
        return NULL;
    }
    Py_DECREF(done);
    return row;
}

static PyObject *
row_of_values(const csv_plan *plan, generators_state *state, Py_ssize_t count, bool is_short)
{
    PyObject **values = plan->values + 1;
    switch (plan->into) {
    case CSV_INTO_LIST:
        return list_row(values, count);
    case CSV_INTO_TUPLE:
        return tuple_row(values, count);
    case CSV_INTO_DICT:
        return dict_row(plan, values, count);
    case CSV_INTO_NAMED_TUPLE:
        return plan->direct ? named_tuple_row(plan, values, count)
                            : call_row(plan, values, count);
    case CSV_INTO_DATACLASS:
        if (is_short && plan->signature.by_name && plan->keywords != NULL) {
            return call_short_row(plan, values, count);
        }
        return plan->init != NULL ? dataclass_row(plan, state, values, count)
                                  : call_row(plan, values, count);
    default:
        return call_row(plan, values, count);
    }
}

/* ---- records ---- */

/* A CSVError of the column `bad` is set.  Try the columns after it, so that the error lists
   every field of the record that can't be converted. */
static void
add_problems(const csv_plan *plan, const csv_parser *parser, generators_state *state,
             const fields_record *record, uint32_t width, Py_ssize_t bad)
{
    PyObject *error = PyErr_GetRaisedException();
    const uint32_t *ends = parser->machine.ends + record->first;
    field_context c;
    field_set_context(&c, parser, state, record);
    c.memo = NULL;
    for (Py_ssize_t i = bad + 1; i < plan->count; i++) {
        const csv_column *column = &plan->columns[i];
        const uint32_t field = column->field;
        if (column->type.kind == CSV_AS_GIVEN || column->type.kind == CSV_AS_READ ||
            field >= width) {
            continue;
        }
        uint32_t start = field == 0 ? record->start : ends[field - 1] + 1;
        PyObject *value = column_value(plan, parser, &c, column, start, ends[field]);
        if (value != NULL) {
            Py_DECREF(value);
        }
        else if (!is_fault() ||
                 csv_add_problem(error, parser, state, record, field, column->name) < 0) {
            raising_chain(error);
            return;
        }
    }
    PyErr_SetRaisedException(error);
}

void
csv_plan_raise_width(const csv_plan *self, csv_parser *parser, generators_state *state,
                     const fields_record *record)
{
    PyErr_Format(PyExc_ValueError, "%u fields expected, but %u found", (unsigned)self->width,
                 (unsigned)fields_count(&parser->machine, record));
    csv_parser_raise_record(parser, state, record);
    PyObject *error = PyErr_GetRaisedException();
    PyException_SetCause(error, NULL); /* it would say the same again */
    PyException_SetContext(error, NULL);
    PyErr_SetRaisedException(error);
}

/* Whether a record has an allowed number of fields.  If not, raise CSVError. */
static bool
fits(csv_plan *self, csv_parser *parser, generators_state *state, const fields_record *record,
     uint32_t width)
{
    if (self->ragged == CSV_RAGGED_ALLOW || width == self->width ||
        (width < self->width && self->ragged == CSV_RAGGED_PAD)) {
        return true;
    }
    csv_plan_raise_width(self, parser, state, record);
    return false;
}

PyObject *
csv_plan_row(csv_plan *self, csv_parser *parser, generators_state *state,
             const fields_record *record, bool *fault)
{
    const uint32_t width = fields_count(&parser->machine, record);
    *fault = false;
    if (width == 0) {
        return self->into == CSV_INTO_LIST    ? PyList_New(0)
               : self->into == CSV_INTO_TUPLE ? PyTuple_New(0)
                                              : NULL;
    }
    if (!fits(self, parser, state, record, width)) {
        *fault = true;
        return NULL;
    }
    Py_ssize_t count = self->count;
    if (self->open && self->into != CSV_INTO_DICT) {
        count = self->ragged == CSV_RAGGED_ALLOW ? width : self->width;
        if (count > self->count && csv_plan_widen(self, state, count) < 0) {
            return NULL;
        }
    }
    Py_ssize_t bad;
    PyObject *row = NULL;
    if (self->into == CSV_INTO_ROW) {
        row = lazy_row(self, parser, state, record, width, &bad);
    }
    else if (make_values(self, parser, state, record, width, count, &bad) == 0) {
        row = row_of_values(self, state, count, width < self->width);
        bad = -1;
    }
    if (row == NULL && bad >= 0) {
        if ((*fault = is_fault())) {
            csv_raise_field(parser, state, record, self->columns[bad].field,
                            self->columns[bad].name);
            if (PyErr_ExceptionMatches(state->csv_error)) {
                add_problems(self, parser, state, record, width, bad);
            }
        }
        return NULL;
    }
    if (row != NULL && self->open && self->into == CSV_INTO_DICT && width > self->width &&
        add_rest(row, self, parser, state, record, width) < 0) {
        Py_CLEAR(row);
        return NULL;
    }
    if (row == NULL && self->into >= CSV_INTO_NAMED_TUPLE && (*fault = is_fault())) {
        csv_parser_raise_record(parser, state, record);
    }
    return row;
}
