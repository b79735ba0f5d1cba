/* The arguments of csv_batches and acsv_batches: see options.h.
 *
 * An argument that is wrong for any data is a TypeError or a ValueError here.
 */
#include "csv/batches/options.h"

#include <string.h>

#include "csv/rows/around.h"
#include "csv/rows/foreign.h"
#include "csv/rows/header.h"
#include "source/options.h"

#define ROWS 65536

static PyObject *
not_none(PyObject *value)
{
    return value == Py_None ? NULL : value;
}

/* Read a number that is at least 1.  0 or -1. */
static int
read_positive(PyObject *value, const char *name, int64_t most, int64_t *number)
{
    if (value == NULL) {
        return 0;
    }
    PyObject *index = PyNumber_Index(value);
    if (index == NULL) {
        return -1;
    }
    int overflow;
    long long read = PyLong_AsLongLongAndOverflow(index, &overflow);
    Py_DECREF(index);
    if (overflow < 0 || (overflow == 0 && read < 1)) {
        PyErr_Format(PyExc_ValueError, "%s must be at least 1, not %R", name, value);
        return -1;
    }
    *number = overflow > 0 || read > most ? most : read;
    return 0;
}

/* Read what a row would be made of, as csv_rows() does, and `schema`. */
static int
read_columns(csv_batcher *self, generators_state *state, PyObject *schema, PyObject *chosen,
             PyObject *types, PyObject *null, PyObject *ragged)
{
    PyObject *error = NULL;
    if (not_none(ragged) == NULL) {
        ragged = error = PyUnicode_FromString("error");
        if (error == NULL) {
            return -1;
        }
    }
    self->records.plan =
        csv_plan_new(state, NULL, not_none(chosen), not_none(types), not_none(null), ragged);
    Py_XDECREF(error);
    return self->records.plan == NULL
               ? -1
               : csv_batch_plan_read(&self->plan, state, self->records.plan, not_none(schema));
}

static int
read_names(csv_batcher *self, PyObject *names, PyObject *header)
{
    int wanted = csv_around_read_header(header);
    return wanted < -1 ? -1
                       : csv_header_read_names(&self->records, not_none(names), wanted != 0);
}

int
csv_batch_options_read(csv_options *self, generators_state *state, PyObject *args,
                       PyObject *kwargs, const char *format, csv_batcher *batcher)
{
    /* In the order of CSV_BATCH_OPTIONS. */
    char *keywords[] = {
        "source",
        "types",
        "schema",
        "columns",
        "rows",
        "threads",
        "header",
        "names",
        "duplicates",
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
        "skip",
        "comment",
        "footer",
        "blank",
        "multiline",
        "encoding",
        "errors",
        "items",
        "compression",
        "member",
        "complete",
        "max_field",
        "max_record",
        "on_error",
        self->is_async ? "close_with_task" : "start",
        self->is_async ? NULL : "changed",
        NULL,
    };
    PyObject *types = NULL, *schema = NULL, *chosen = NULL, *rows = NULL, *threads = NULL;
    PyObject *header = NULL, *names = NULL, *null = NULL, *ragged = NULL, *encoding = NULL;
    PyObject *max_field = NULL, *max_record = NULL, *on_error = NULL, *last = NULL;
    PyObject *changed = NULL;
    const char *errors = "strict", *items_name = "auto";
    csv_parameters given = {NULL};
    csv_around around = {NULL};
    bool sep;
    csv_dialect dialect = {.fields = {.max_field = 131072, .max_record = (size_t)64 << 20}};
    csv_records *records = &batcher->records;

    records->width = -1;
    batcher->rows = ROWS;
    if (!PyArg_ParseTupleAndKeywords(
            args, kwargs, format, keywords, &self->source, &types, &schema, &chosen, &rows,
            &threads, &header, &names, &around.duplicates, &null, &ragged, &given.dialect,
            &given.delimiter, &given.quotechar, &given.escapechar, &given.doublequote,
            &given.skipinitialspace, &given.lineterminator, &given.quoting, &given.strict,
            &around.skip, &around.comment, &around.footer, &around.blank, &around.multiline,
            &encoding, &errors, &items_name, &self->opening.compression, &self->opening.member,
            &self->opening.complete, &max_field, &max_record, &on_error, &last, &changed)) {
        csv_foreign_explain(kwargs, strchr(format, ':') + 1);
        return -1;
    }
    csv_around_read_sep(&given, &sep);
    records->guesses = given.delimiter == NULL && given.dialect == NULL;
    if (read_positive(rows, "rows", INT32_MAX - 1, &batcher->rows) < 0 ||
        read_positive(threads == NULL ? NULL : not_none(threads), "threads", INT32_MAX,
                      &batcher->threads) < 0 ||
        options_read_on_error(on_error, &records->on_error) < 0 ||
        read_columns(batcher, state, schema, chosen, types, null, ragged) < 0 ||
        options_read_items(items_name, &self->items) < 0 ||
        options_read_limit(max_field, "max_field", &dialect.fields.max_field) < 0 ||
        options_read_limit(max_record, "max_record", &dialect.fields.max_record) < 0 ||
        csv_around_read_duplicates(&around, records) < 0 ||
        read_names(batcher, names, header) < 0 ||
        csv_around_read_records(&around, records, CSV_BLANK_SKIP, false) < 0 ||
        csv_dialect_read(&dialect, state, &given) < 0 ||
        csv_around_read_dialect(&around, &dialect.fields) < 0 ||
        csv_options_open_parser(records, state, &dialect, encoding, errors) < 0 ||
        csv_around_open(&around, records, sep) < 0) {
        return -1;
    }
    return csv_options_read_last(self, records, last, changed);
}
