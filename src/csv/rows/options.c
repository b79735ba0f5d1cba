/* The arguments of csv_rows and acsv_rows: what the user may say, and what it sets up.
 *
 * All that can be told without the data is told here, by TypeError or ValueError.
 */
#include <string.h>

#include "csv/rows/records.h"
#include "csv/parse/checkpoint.h"
#include "csv/parse/dialect.h"
#include "csv/parse/parser.h"
#include "csv/row/block.h"
#include "csv/row/convert.h"
#include "csv/row/plan.h"
#include "csv/row/row.h"
#include "source/source.h"

static int
read_limit(PyObject *value, const char *name, size_t *limit)
{
    if (value == NULL) {
        return 0;
    }
    if (value == Py_None) {
        *limit = SIZE_MAX;
        return 0;
    }
    PyObject *index = PyNumber_Index(value);
    if (index == NULL) {
        return -1;
    }
    Py_ssize_t number = PyLong_AsSsize_t(index);
    Py_DECREF(index);
    if (number < 0) {
        if (!PyErr_Occurred()) {
            PyErr_Format(PyExc_ValueError, "%s must not be negative", name);
        }
        return -1;
    }
    *limit = (size_t)number;
    return 0;
}

static int
read_items(const char *name, csv_items *items)
{
    static const char *const names[] = {"auto", "lines", "chunks"};
    for (int i = 0; i < 3; i++) {
        if (strcmp(name, names[i]) == 0) {
            *items = (csv_items)i;
            return 0;
        }
    }
    PyErr_Format(PyExc_ValueError, "items must be 'auto', 'lines' or 'chunks', not '%s'",
                 name);
    return -1;
}

static int
read_names(csv_records *self, PyObject *names, PyObject *header)
{
    int wanted = names != NULL || self->lazy || csv_plan_needs_names(self->plan);
    if (header != NULL && header != Py_None) {
        wanted = PyObject_IsTrue(header);
        if (wanted < 0) {
            return -1;
        }
    }
    self->reads_header = wanted;
    if (names == NULL) {
        if (!wanted && csv_plan_needs_names(self->plan)) {
            PyErr_SetString(PyExc_ValueError,
                            "`into`, `columns` or `types` needs the columns' "
                            "names: header is False and there are no `names`");
            return -1;
        }
        return 0;
    }
    if (PyUnicode_Check(names) || PyBytes_Check(names)) {
        PyErr_Format(PyExc_TypeError,
                     "names must be a sequence of names or a callable, not %.200s",
                     Py_TYPE(names)->tp_name);
        return -1;
    }
    if (PyCallable_Check(names)) {
        if (!wanted) {
            PyErr_SetString(
                PyExc_ValueError,
                "a callable `names` needs a header to work on, and header is False");
            return -1;
        }
        self->names = Py_NewRef(names);
        return 0;
    }
    self->names = PySequence_Tuple(names);
    if (self->names != NULL && !wanted) {
        self->header = Py_NewRef(self->names);
    }
    return self->names == NULL ? -1 : 0;
}

static int
open_block(csv_records *self, generators_state *state)
{
    self->parser.rows = csv_block_new(state, &self->parser);
    if (self->parser.rows == NULL) {
        return -1;
    }
    return self->keyed && self->header != NULL ? csv_records_key(self, state) : 0;
}

static int
read_on_error(csv_records *self, PyObject *on_error)
{
    if (on_error == NULL || (PyUnicode_Check(on_error) &&
                             PyUnicode_CompareWithASCIIString(on_error, "raise") == 0)) {
        return 0;
    }
    if (PyUnicode_Check(on_error) && PyUnicode_CompareWithASCIIString(on_error, "skip") == 0) {
        self->on_error = Py_NewRef(Py_None);
        return 0;
    }
    if (!PyCallable_Check(on_error)) {
        PyErr_Format(PyUnicode_Check(on_error) ? PyExc_ValueError : PyExc_TypeError,
                     "on_error must be 'raise', 'skip' or a callable, not %R", on_error);
        return -1;
    }
    self->on_error = Py_NewRef(on_error);
    return 0;
}

static PyObject *
not_none(PyObject *value)
{
    return value == Py_None ? NULL : value;
}

static int
read_shape(csv_records *self, generators_state *state, PyObject *into, PyObject *columns,
           PyObject *types, PyObject *null, PyObject *ragged)
{
    columns = not_none(columns);
    types = not_none(types);
    null = not_none(null);
    ragged = not_none(ragged);
    self->lazy = into == (PyObject *)state->csv_row_type;
    if (self->lazy && columns == NULL && types == NULL && null == NULL && ragged == NULL) {
        /* It needs no plan: it finds its fields when they are asked for. */
        self->plain_maker = csv_record_row;
        self->keyed = true;
        return 0;
    }
    self->plan = csv_plan_new(state, into, columns, types, null, ragged);
    if (self->plan == NULL) {
        return -1;
    }
    bool tuple;
    if (csv_plan_is_plain(self->plan, &tuple)) {
        self->plain_maker = tuple ? csv_record_tuple : csv_record_list;
    }
    return 0;
}

int
csv_records_open(csv_records *self, generators_state *state, PyObject *args, PyObject *kwargs,
                 const char *format, csv_options *options)
{
    /* In the order of CSV_OPTIONS. */
    char *keywords[] = {
        "source",
        "into",
        "header",
        "names",
        "columns",
        "types",
        "null",
        "ragged",
        "dialect",
        "delimiter",
        "quotechar",
        "escapechar",
        "doublequote",
        "skipinitialspace",
        "lineterminator",
        "quoting",
        "strict",
        "encoding",
        "errors",
        "items",
        "max_field",
        "max_record",
        "on_error",
        options->is_async ? "close_with_task" : "start",
        NULL,
    };
    PyObject *into = NULL, *header = NULL, *names = NULL, *encoding = NULL;
    PyObject *columns = NULL, *types = NULL, *null = NULL, *ragged = NULL;
    PyObject *max_field = NULL, *max_record = NULL, *on_error = NULL, *last = NULL;
    const char *errors = "strict", *items_name = "auto";
    csv_parameters given = {NULL};
    csv_dialect dialect = {.fields = {.max_field = 131072, .max_record = (size_t)64 << 20}};

    self->width = -1;
    if (!PyArg_ParseTupleAndKeywords(
            args, kwargs, format, keywords, &options->source, &into, &header, &names, &columns,
            &types, &null, &ragged, &given.dialect, &given.delimiter, &given.quotechar,
            &given.escapechar, &given.doublequote, &given.skipinitialspace,
            &given.lineterminator, &given.quoting, &given.strict, &encoding, &errors,
            &items_name, &max_field, &max_record, &on_error, &last) ||
        read_on_error(self, on_error) < 0 ||
        read_shape(self, state, into, columns, types, null, ragged) < 0 ||
        read_items(items_name, &options->items) < 0 ||
        read_limit(max_field, "max_field", &dialect.fields.max_field) < 0 ||
        read_limit(max_record, "max_record", &dialect.fields.max_record) < 0 ||
        read_names(self, not_none(names), header) < 0 ||
        csv_dialect_read(&dialect, state, &given) < 0) {
        return -1;
    }
    encoding = encoding == NULL ? PyUnicode_FromString("utf-8") : Py_NewRef(encoding);
    if (encoding == NULL) {
        return -1;
    }
    int status = csv_parser_init(&self->parser, state, &dialect, encoding, errors);
    Py_DECREF(encoding);
    if (status < 0 || (self->lazy && open_block(self, state) < 0)) {
        return -1;
    }
    if (options->is_async) {
        options->close_with_task = last == NULL ? 0 : PyObject_IsTrue(last);
        return options->close_with_task < 0 ? -1 : 0;
    }
    options->start = not_none(last);
    return 0;
}

int
csv_records_go_on(csv_records *self, generators_state *state, PyObject *start,
                  csv_source *source, csv_origin *origin)
{
    PyObject *header = NULL;
    if (csv_checkpoint_go_on(start, state, source, &self->parser, origin, &self->first,
                             &header, &self->first_width) < 0) {
        Py_XDECREF(header);
        return -1;
    }
    self->row_count = self->first.row_count;
    self->error_count = self->first.error_count;
    if (header != NULL) {
        self->reads_header = false;
        Py_XSETREF(self->header, header);
    }
    else if (self->reads_header && self->first.record_count > 0) {
        PyErr_SetString(PyExc_ValueError,
                        "the checkpoint is of rows without a header, and these need one");
        return -1;
    }
    return header != NULL && self->keyed ? csv_records_key(self, state) : 0;
}
