/* The arguments of csv_rows and acsv_rows: which ones are allowed, and what is set up from
 * them.
 *
 * An argument that is wrong for any data is a TypeError or a ValueError here.
 */
#include "csv/rows/options.h"

#include <string.h>

#include "csv/parse/decode.h"
#include "csv/row/block.h"
#include "csv/row/convert.h"
#include "csv/row/row.h"
#include "csv/rows/around.h"
#include "csv/rows/foreign.h"
#include "csv/rows/header.h"
#include "source/options.h"

static int
options_read_header(csv_records *self, PyObject *names, PyObject *header)
{
    int wanted = csv_around_read_header(header);
    if (wanted < -1) {
        return -1;
    }
    if (wanted < 0) {
        wanted = names != NULL || self->lazy || csv_plan_needs_names(self->plan);
    }
    if (names == NULL && !wanted && csv_plan_needs_names(self->plan)) {
        PyErr_SetString(PyExc_ValueError, "`into`, `columns` or `types` needs the columns' "
                                          "names: header is False and there are no `names`");
        return -1;
    }
    return csv_header_read_names(self, names, wanted != 0);
}

/* What blank records are by default: those of csv.reader for plain lists and tuples. */
static csv_blank
options_blank(const csv_records *self)
{
    return self->reads_header || self->keyed || !csv_plan_keeps_blank(self->plan)
               ? CSV_BLANK_SKIP
               : CSV_BLANK_KEEP;
}

static int
options_open_block(csv_records *self, generators_state *state)
{
    if (csv_block_open(state, &self->parser) < 0) {
        return -1;
    }
    return self->keyed && self->header != NULL ? csv_records_key(self, state) : 0;
}

static PyObject *
options_not_none(PyObject *value)
{
    return value == Py_None ? NULL : value;
}

static int
options_read_row(csv_records *self, generators_state *state, PyObject *into, PyObject *columns,
                 PyObject *types, PyObject *null, PyObject *ragged)
{
    columns = options_not_none(columns);
    types = options_not_none(types);
    null = options_not_none(null);
    ragged = options_not_none(ragged);
    into = options_not_none(into);
    self->lazy = into == (PyObject *)state->csv_row_type;
    if (self->lazy && columns == NULL && types == NULL && null == NULL && ragged == NULL) {
        /* No plan is needed, because a CSVRow finds its fields when they are asked for. */
        self->plain_maker = csv_record_row;
        self->keyed = true;
        return 0;
    }
    self->plan = csv_plan_new(state, into, columns, types, null, ragged);
    if (self->plan == NULL || csv_plan_check_null(self->plan) < 0) {
        return -1;
    }
    bool tuple;
    if (csv_plan_is_plain(self->plan, &tuple)) {
        self->plain_maker = tuple ? csv_record_tuple : csv_record_list;
    }
    return 0;
}

static int
options_read_shape(csv_records *self, generators_state *state, PyObject *into,
                   PyObject *columns, PyObject *types, PyObject *null, PyObject *ragged)
{
    if (csv_into_resolve(&into) < 0) {
        return -1;
    }
    int status = options_read_row(self, state, into, columns, types, null, ragged);
    Py_XDECREF(into);
    return status;
}

int
csv_options_open_parser(csv_records *records, generators_state *state,
                        const csv_dialect *dialect, PyObject *encoding, const char *errors)
{
    if (csv_parser_init(&records->parser, dialect) < 0) {
        return -1;
    }
    encoding = encoding == NULL ? PyUnicode_FromString("utf-8") : Py_NewRef(encoding);
    int status =
        encoding == NULL ? -1 : csv_parser_open_decoder(&records->parser, encoding, errors);
    Py_XDECREF(encoding);
    return status == 0 && records->lazy ? options_open_block(records, state) : status;
}

int
csv_options_read_last(csv_options *self, csv_records *records, PyObject *last,
                      PyObject *changed)
{
    records->parser.ends_complete = self->opening.complete != 0;
    if (self->is_async) {
        self->close_with_task = last == NULL ? 0 : PyObject_IsTrue(last);
        return self->close_with_task < 0 ? -1 : 0;
    }
    self->start = options_not_none(last);
    return checkpoint_read_changed(changed, &self->changed);
}

int
csv_options_read(csv_options *self, generators_state *state, PyObject *args, PyObject *kwargs,
                 const char *format, csv_records *records)
{
    /* In the order of CSV_OPTIONS. */
    char *keywords[] = {
        "source",
        "into",
        "header",
        "names",
        "duplicates",
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
    PyObject *into = NULL, *header = NULL, *names = NULL, *encoding = NULL;
    PyObject *columns = NULL, *types = NULL, *null = NULL, *ragged = NULL;
    PyObject *max_field = NULL, *max_record = NULL, *on_error = NULL, *last = NULL;
    PyObject *changed = NULL;
    const char *errors = "strict", *items_name = "auto";
    csv_parameters given = {NULL};
    csv_around around = {NULL};
    bool sep;
    csv_dialect dialect = {.fields = {.max_field = 131072, .max_record = (size_t)64 << 20}};

    records->width = -1;
    if (!PyArg_ParseTupleAndKeywords(
            args, kwargs, format, keywords, &self->source, &into, &header, &names,
            &around.duplicates, &columns, &types, &null, &ragged, &given.dialect,
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
    if (options_read_on_error(on_error, &records->on_error) < 0 ||
        options_read_shape(records, state, into, columns, types, null, ragged) < 0 ||
        options_read_items(items_name, &self->items) < 0 ||
        options_read_limit(max_field, "max_field", &dialect.fields.max_field) < 0 ||
        options_read_limit(max_record, "max_record", &dialect.fields.max_record) < 0 ||
        csv_around_read_duplicates(&around, records) < 0 ||
        options_read_header(records, options_not_none(names), header) < 0 ||
        csv_around_read_records(&around, records, options_blank(records),
                                !records->keyed && csv_plan_makes_lists(records->plan)) < 0 ||
        csv_dialect_read(&dialect, state, &given) < 0 ||
        csv_around_read_dialect(&around, &dialect.fields) < 0 ||
        csv_options_open_parser(records, state, &dialect, encoding, errors) < 0 ||
        csv_around_open(&around, records, sep) < 0) {
        return -1;
    }
    return csv_options_read_last(self, records, last, changed);
}

int
csv_options_find_origin(csv_records *records, generators_state *state,
                        const data_source *source, file_origin *origin)
{
    if (file_origin_read(origin, state, source->file) < 0) {
        return -1;
    }
    return origin->base < 0 ? 0 : csv_parser_find_bytes(&records->parser, state);
}

int
csv_options_resume(const csv_options *self, generators_state *state, csv_records *records,
                   data_source *source, file_origin *origin)
{
    PyObject *header = NULL;
    if (csv_checkpoint_resume(self->start, self->changed, state, source, &records->parser,
                              origin, &records->first, &header, &records->first_width) < 0) {
        Py_XDECREF(header);
        return -1;
    }
    if (origin->end >= 0 && (records->footer > 0 || records->parser.lead != NULL)) {
        PyErr_SetString(PyExc_ValueError,
                        "a part of a file can not be read with skip, comment or footer");
        Py_XDECREF(header);
        return -1;
    }
    records->row_count = records->first.row_count;
    records->error_count = records->first.error_count;
    if (header != NULL) {
        records->reads_header = false;
        Py_XSETREF(records->header, header);
    }
    else if (records->reads_header && records->first.record_count > 0) {
        PyErr_SetString(PyExc_ValueError,
                        "the checkpoint is of rows without a header, which is needed here");
        return -1;
    }
    return header != NULL && records->keyed ? csv_records_key(records, state) : 0;
}
