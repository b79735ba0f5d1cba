/* Which columns a batch has, and of which types.
 *
 * The csv_plan of the reader tells which fields are built, in what order, and with what
 * `types`.  Here these become the specs of the column machine, and the fields of a schema.
 *
 * States: read, with the parameters checked as far as this is possible without the names; then
 * settled.  Some columns may be undecided still: the values of a `datetime` column are in UTC
 * if the first one has a zone.  That first value is looked for before records are laid out.
 * If there is none in the first batch, or the schema is asked for before, the column has no
 * zone.  Then nothing changes any more.
 *
 * It owns everything in the struct.  User code runs in `__arrow_c_schema__`.
 */
#include "csv/batches/plan.h"

#include "arrow/capsule.h"
#include "arrow/layout.h"
#include "csv/row/convert.h"
#include "csv/row/converter.h"
#include "csv/row/plan_inner.h"
#include "csv/row/settle.h"
#include "runtime/raising.h"

#define UTC "UTC"

/* ---- schema ---- */

static int
refuse_field(const arrow_type *type, const char *format)
{
    PyErr_Format(PyExc_ValueError,
                 "schema: field '%s' is of a type that is not made from CSV (format '%s%s')",
                 type->name, format, type->dictionary != NULL ? "' of a dictionary, '" : "");
    return -1;
}

/* Read the type of a field.  0 or -1. */
static int
read_spec(columns_spec *spec, const arrow_type *type, const char *format)
{
    *spec = (columns_spec){.not_null = !type->nullable};
    return arrow_layout_read(spec, type) &&
                   strlen(type->zone) < ARROW_LONGEST_FORMAT - sizeof "tsu:"
               ? 0
               : refuse_field(type, format);
}

/* Add a field of `schema`.  0 or -1. */
static int
read_field(csv_batch_plan *self, const arrow_type *type, const char *format)
{
    csv_batch_type *asked = &self->asked[self->asked_count];
    if (read_spec(&asked->spec, type, format) < 0) {
        return -1;
    }
    if (asked->spec.zoned) {
        size_t size = strlen(type->zone) + 1;
        asked->zone = PyMem_Malloc(size);
        if (asked->zone == NULL) {
            PyErr_NoMemory();
            return -1;
        }
        memcpy(asked->zone, type->zone, size);
    }
    PyObject *name = PyUnicode_DecodeUTF8(type->name, (Py_ssize_t)strlen(type->name), NULL);
    PyObject *index = PyLong_FromSsize_t(self->asked_count++);
    int status = -1;
    if (name != NULL && index != NULL) {
        status = PyDict_Contains(self->schema, name);
        if (status > 0) {
            PyErr_Format(PyExc_ValueError, "schema: several fields are named %R", name);
            status = -1;
        }
        else if (status == 0) {
            status = PyDict_SetItem(self->schema, name, index);
        }
    }
    Py_XDECREF(name);
    Py_XDECREF(index);
    return status;
}

static int
read_fields(csv_batch_plan *self, const csv_parser *Py_UNUSED(parser), const arrow_type *type,
            const struct ArrowSchema *schema)
{
    self->schema = PyDict_New();
    self->asked = PyMem_Calloc(type->child_count + 1, sizeof *self->asked);
    if (self->schema == NULL || self->asked == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    for (size_t i = 0; i < type->child_count; i++) {
        if (read_field(self, &type->children[i], schema->children[i]->format) < 0) {
            return -1;
        }
    }
    return 0;
}

/* Read a schema that has fields, and call `use` with it.  0 or -1. */
static int
read_capsule(csv_batch_plan *self, const csv_parser *parser, PyObject *capsule,
             int (*use)(csv_batch_plan *self, const csv_parser *parser, const arrow_type *type,
                        const struct ArrowSchema *schema))
{
    const struct ArrowSchema *schema = arrow_capsule_schema(capsule);
    if (schema == NULL) {
        return -1;
    }
    arrow_type type;
    arrow_status read = arrow_type_read(&type, schema);
    int status = -1;
    if (read == ARROW_NO_MEMORY) {
        PyErr_NoMemory();
    }
    else if (read != ARROW_OK || type.kind != ARROW_STRUCT) {
        PyErr_SetString(PyExc_ValueError, read != ARROW_OK
                                              ? "schema holds a type that is unknown or broken"
                                              : "schema must have fields, and not be a type");
    }
    else {
        status = use(self, parser, &type, schema);
    }
    arrow_type_free(&type);
    return status;
}

static int
read_schema(csv_batch_plan *self, PyObject *schema)
{
    if (schema == NULL) {
        return 0;
    }
    if (PyCapsule_CheckExact(schema)) {
        return read_capsule(self, NULL, schema, read_fields);
    }
    PyObject *method = PyObject_GetAttrString(schema, "__arrow_c_schema__");
    if (method == NULL) {
        if (PyErr_ExceptionMatches(PyExc_AttributeError)) {
            PyErr_Clear();
            PyErr_Format(PyExc_TypeError,
                         "schema must have __arrow_c_schema__(), unlike %.200s",
                         Py_TYPE(schema)->tp_name);
        }
        return -1;
    }
    PyObject *capsule = PyObject_CallNoArgs(method);
    Py_DECREF(method);
    int status = capsule == NULL ? -1 : read_capsule(self, NULL, capsule, read_fields);
    Py_XDECREF(capsule);
    return status;
}

/* ---- types ---- */

/* Set what the spec of a converter's column is. */
static void
set_rule(columns_spec *spec, const convert_rule *rule)
{
    static const columns_kind kinds[] = {
        [CONVERT_STRIP] = COLUMNS_UTF8,         [CONVERT_NUMBER] = COLUMNS_FLOAT64,
        [CONVERT_INTEGER] = COLUMNS_INT64,      [CONVERT_DECIMAL] = COLUMNS_DECIMAL128,
        [CONVERT_BOOLEAN] = COLUMNS_BOOL,       [CONVERT_DATE] = COLUMNS_DATE32,
        [CONVERT_DATETIME] = COLUMNS_TIMESTAMP, [CONVERT_TIME] = COLUMNS_TIME64,
    };
    spec->kind = kinds[rule->kind];
    spec->strip = rule->kind == CONVERT_STRIP;
    spec->rule = spec->strip ? NULL : rule;
    spec->zoned = rule->kind == CONVERT_DATETIME && rule->zoned;
    spec->precision = (uint8_t)rule->precision;
    spec->scale = (int8_t)rule->scale;
}

/* Set the kind of a column's spec, or raise TypeError.  0 or -1. */
static int
set_kind(columns_spec *spec, const csv_type *type, PyObject *column)
{
    static const columns_kind kinds[] = {
        [CSV_AS_READ] = COLUMNS_UTF8,   [CSV_AS_STR] = COLUMNS_UTF8,
        [CSV_AS_INT] = COLUMNS_INT64,   [CSV_AS_FLOAT] = COLUMNS_FLOAT64,
        [CSV_AS_BOOL] = COLUMNS_BOOL,   [CSV_AS_BYTES] = COLUMNS_BINARY,
        [CSV_AS_DATE] = COLUMNS_DATE32, [CSV_AS_DATETIME] = COLUMNS_TIMESTAMP,
        [CSV_AS_TIME] = COLUMNS_TIME64,
    };
    spec->unit = COLUMNS_MICROSECONDS;
    switch (type->kind) {
    case CSV_AS_DECIMAL:
        PyErr_Format(PyExc_TypeError,
                     "types: column %R: a Decimal needs a precision and a scale: give "
                     "convert.decimal(precision, scale), or `schema` a field of decimal128",
                     column);
        return -1;
    case CSV_AS_CALL:
        PyErr_Format(PyExc_TypeError,
                     "types: column %R: %R is a callable, which csv_rows() calls; a batch has "
                     "columns of str, bytes, int, float, bool, date, time or datetime, and of "
                     "converters of generators.convert",
                     column, type->given);
        return -1;
    case CSV_AS_STRIP:
    case CSV_AS_CONVERTER:
        set_rule(spec, csv_converter_rule(type->given));
        return 0;
    default:
        spec->kind = kinds[type->kind];
        return 0;
    }
}

/* Check a type of `types`.  0 or -1. */
static int
check_type(generators_state *state, PyObject *column, PyObject *given)
{
    csv_type type;
    columns_spec spec = {.kind = COLUMNS_UTF8};
    if (csv_type_read(&type, state, given, column, CSV_TYPE_GIVEN) < 0) {
        return -1;
    }
    int status = set_kind(&spec, &type, column);
    Py_XDECREF(type.given);
    return status;
}

static int
check_types(const csv_batch_plan *self, generators_state *state, const csv_plan *rows)
{
    PyObject *column, *given;
    Py_ssize_t at = 0;
    if (rows->default_type != NULL && check_type(state, Py_None, rows->default_type) < 0) {
        return -1;
    }
    while (rows->types != NULL && PyDict_Next(rows->types, &at, &column, &given)) {
        if (check_type(state, column, given) < 0) {
            return -1;
        }
        int twice = self->schema == NULL ? 0 : PyDict_Contains(self->schema, column);
        if (twice > 0) {
            PyErr_Format(PyExc_ValueError, "column %R is in both `types` and `schema`",
                         column);
        }
        if (twice != 0) {
            return -1;
        }
    }
    return 0;
}

/* ---- null ---- */

static int
read_nulls(csv_batch_plan *self, PyObject *null)
{
    Py_ssize_t count = PyTuple_GET_SIZE(null);
    self->null_bytes = PyTuple_New(count);
    self->nulls = PyMem_Calloc((size_t)count + 1, sizeof *self->nulls);
    if (self->null_bytes == NULL || self->nulls == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    for (Py_ssize_t i = 0; i < count; i++) {
        PyObject *bytes =
            PyUnicode_AsEncodedString(PyTuple_GET_ITEM(null, i), "utf-8", "surrogatepass");
        if (bytes == NULL) {
            return -1;
        }
        PyTuple_SET_ITEM(self->null_bytes, i, bytes);
        self->nulls[i] = (columns_text){(const uint8_t *)PyBytes_AS_STRING(bytes),
                                        (size_t)PyBytes_GET_SIZE(bytes)};
    }
    return 0;
}

static bool
null_is_empty(const csv_batch_plan *self)
{
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(self->null_bytes); i++) {
        if (self->nulls[i].length == 0) {
            return true;
        }
    }
    return false;
}

int
csv_batch_plan_read(csv_batch_plan *self, generators_state *state, const csv_plan *rows,
                    PyObject *schema)
{
    if (rows->ragged == CSV_RAGGED_ALLOW) {
        PyErr_SetString(PyExc_ValueError,
                        "ragged='allow' is not possible: a batch has a value for each column");
        return -1;
    }
    return read_schema(self, schema) < 0 || check_types(self, state, rows) < 0 ||
                   read_nulls(self, rows->null) < 0
               ? -1
               : 0;
}

void
csv_batch_plan_clear(csv_batch_plan *self)
{
    for (Py_ssize_t i = 0; i < self->asked_count; i++) {
        PyMem_Free(self->asked[i].zone);
    }
    for (uint32_t i = 0; i < self->count && self->names != NULL && self->rules != NULL; i++) {
        Py_XDECREF(self->names[i]);
        Py_XDECREF(self->rules[i]);
    }
    arrow_fields_release(self->fields);
    Py_XDECREF(self->schema);
    Py_XDECREF(self->null_bytes);
    PyMem_Free(self->asked);
    PyMem_Free(self->specs);
    PyMem_Free(self->names);
    PyMem_Free(self->rules);
    PyMem_Free(self->free);
    PyMem_Free(self->undecided);
    PyMem_Free(self->nulls);
    *self = (csv_batch_plan){.schema = NULL};
}

/* ---- settling ---- */

/* What an empty field of the column is. */
static columns_empty
empty_of(const csv_batch_plan *self, const csv_parser *parser, const columns_spec *spec,
         const csv_type *type)
{
    const int quoting = parser->dialect.quoting;
    const bool text = spec->kind <= COLUMNS_UTF8_VIEW || spec->kind == COLUMNS_DICTIONARY;
    if (!text || (type != NULL && type->kind == CSV_AS_STR && type->allows_none)) {
        return COLUMNS_EMPTY_NULL;
    }
    bool as_read = type == NULL || type->kind == CSV_AS_READ;
    if (null_is_empty(self) ||
        (as_read && (quoting == CSV_QUOTE_STRINGS || quoting == CSV_QUOTE_NOTNULL))) {
        return COLUMNS_EMPTY_UNQUOTED_NULL;
    }
    return COLUMNS_EMPTY_VALUE;
}

/* The type that `schema` gives the column: 1 with *asked, 0 if it gives none, or -1. */
static int
find_asked(const csv_batch_plan *self, const csv_column *column, const csv_batch_type **asked)
{
    PyObject *index =
        self->schema == NULL ? NULL : PyDict_GetItemWithError(self->schema, column->name);
    if (index == NULL) {
        return PyErr_Occurred() ? -1 : 0;
    }
    if (column->type.kind != CSV_AS_READ && !column->by_default) {
        PyErr_Format(PyExc_ValueError, "column %R is in both `types` and `schema`",
                     column->name);
        return -1;
    }
    *asked = &self->asked[PyLong_AsSsize_t(index)];
    return 1;
}

static int
set_name(csv_batch_plan *self, uint32_t at, PyObject *name)
{
    if (!PyUnicode_Check(name)) {
        PyErr_Format(PyExc_ValueError, "the name of column %u must be str, not %R",
                     (unsigned)at, name);
        return -1;
    }
    Py_ssize_t length;
    const char *text = PyUnicode_AsUTF8AndSize(name, &length);
    if (text == NULL) {
        return -1;
    }
    if (strlen(text) != (size_t)length) {
        PyErr_Format(PyExc_ValueError,
                     "the name of column %u has a NUL, which is not possible in Arrow: %R",
                     (unsigned)at, name);
        return -1;
    }
    if (!arrow_field_set_name(&self->fields->items[at], text, (size_t)length)) {
        PyErr_NoMemory();
        return -1;
    }
    self->names[at] = Py_NewRef(name);
    return 0;
}

static int
add_column(csv_batch_plan *self, const csv_parser *parser, const csv_column *column)
{
    const uint32_t at = self->count;
    columns_spec *spec = &self->specs[at];
    const csv_batch_type *asked = NULL;
    int found = find_asked(self, column, &asked);
    if (found < 0) {
        return -1;
    }
    if (found) {
        *spec = asked->spec;
    }
    else if (set_kind(spec, &column->type, column->name) < 0) {
        return -1;
    }
    spec->field = column->field;
    spec->takes_nulls = true;
    spec->empty = empty_of(self, parser, spec, found ? NULL : &column->type);
    if (set_name(self, at, column->name) < 0) {
        return -1;
    }
    self->rules[at] = spec->rule == NULL ? NULL : Py_NewRef(column->type.given);
    self->count++;
    self->free[at] = !found && column->type.kind == CSV_AS_READ;
    if (!found && column->type.kind == CSV_AS_DATETIME) {
        self->undecided[at] = true;
        self->undecided_count++;
    }
    arrow_layout_set_format(&self->fields->items[at], spec,
                            !found                ? (spec->zoned ? UTC : "")
                            : asked->zone != NULL ? asked->zone
                                                  : "");
    return 0;
}

static int
check_names(const csv_batch_plan *self)
{
    PyObject *places = PyDict_New();
    int status = places == NULL ? -1 : 0;
    for (uint32_t i = 0; status == 0 && i < self->count; i++) {
        PyObject *name = self->names[i];
        PyObject *before = PyDict_GetItemWithError(places, name);
        PyObject *place = PyLong_FromUnsignedLong(self->specs[i].field);
        if (before != NULL && place != NULL) {
            PyErr_Format(PyExc_ValueError, "several columns are named %R: %S and %S", name,
                         before, place);
        }
        status = before != NULL || PyErr_Occurred() || place == NULL
                     ? -1
                     : PyDict_SetItem(places, name, place);
        Py_XDECREF(place);
    }
    Py_XDECREF(places);
    return status;
}

/* Whether each field of `schema` has a column in the source.  0 or -1. */
static int
check_schema(const csv_batch_plan *self, const csv_plan *rows)
{
    PyObject *name, *index;
    Py_ssize_t at = 0;
    while (self->schema != NULL && PyDict_Next(self->schema, &at, &name, &index)) {
        uint32_t field;
        if (csv_plan_find_field((csv_plan *)rows, "schema", name, &field) < 0) {
            return -1;
        }
    }
    return 0;
}

static int
set_layout(csv_batch_plan *self, const csv_plan *rows)
{
    columns_layout *layout = &self->layout;
    PyObject *text = PyUnicode_FromString("native_generators.csv_batches");
    Py_hash_t seed = text == NULL ? -1 : PyObject_Hash(text); /* random in each process */
    Py_XDECREF(text);
    if (seed == -1) {
        return -1;
    }
    layout->specs = self->specs;
    layout->count = self->count;
    layout->most = rows == NULL ? UINT32_MAX : rows->width;
    layout->least = rows == NULL || rows->ragged == CSV_RAGGED_PAD ? 0 : rows->width;
    layout->skips_blank = true;
    layout->nulls = self->nulls;
    layout->null_count = (size_t)PyTuple_GET_SIZE(self->null_bytes);
    layout->max_bytes = COLUMNS_MAX_BYTES;
    layout->seed = (uint64_t)seed;
    self->settled = true;
    return 0;
}

static int
reserve(csv_batch_plan *self, size_t count)
{
    self->specs = PyMem_Calloc(count + 1, sizeof *self->specs);
    self->names = PyMem_Calloc(count + 1, sizeof *self->names);
    self->rules = PyMem_Calloc(count + 1, sizeof *self->rules);
    self->free = PyMem_Calloc(count + 1, sizeof *self->free);
    self->undecided = PyMem_Calloc(count + 1, sizeof *self->undecided);
    self->fields = arrow_fields_new(count);
    if (self->specs == NULL || self->names == NULL || self->rules == NULL ||
        self->free == NULL || self->undecided == NULL || self->fields == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    return 0;
}

int
csv_batch_plan_settle(csv_batch_plan *self, const csv_plan *rows, const csv_parser *parser)
{
    if (check_schema(self, rows) < 0 || reserve(self, (size_t)rows->count) < 0) {
        return -1;
    }
    for (Py_ssize_t i = 0; i < rows->count; i++) {
        if (add_column(self, parser, &rows->columns[i]) < 0) {
            return -1;
        }
    }
    if (check_names(self) < 0) {
        return -1;
    }
    return set_layout(self, rows);
}

int
csv_batch_plan_settle_empty(csv_batch_plan *self)
{
    return reserve(self, 0) < 0 ? -1 : set_layout(self, NULL);
}

/* ---- a requested schema ---- */

static int
request_field(csv_batch_plan *self, const csv_parser *parser, uint32_t at,
              const arrow_type *type, const char *format)
{
    columns_spec spec;
    arrow_field *field = &self->fields->items[at];
    if (strcmp(field->name, type->name) != 0) {
        PyErr_Format(PyExc_ValueError, "column %u is named %R, but the requested field '%s'",
                     (unsigned)at, self->names[at], type->name);
        return -1;
    }
    if (!self->free[at]) {
        return 0;
    }
    if (read_spec(&spec, type, format) < 0) {
        return -1;
    }
    spec.field = self->specs[at].field;
    spec.takes_nulls = true;
    spec.empty = empty_of(self, parser, &spec, NULL);
    self->specs[at] = spec;
    arrow_layout_set_format(field, &spec, type->zone);
    return 0;
}

static int
request_fields(csv_batch_plan *self, const csv_parser *parser, const arrow_type *type,
               const struct ArrowSchema *schema)
{
    if (type->child_count != self->count) {
        PyErr_Format(PyExc_ValueError,
                     "a schema of %zu fields is requested, and there are %u columns",
                     type->child_count, (unsigned)self->count);
        return -1;
    }
    for (uint32_t i = 0; i < self->count; i++) {
        if (request_field(self, parser, i, &type->children[i], schema->children[i]->format) <
            0) {
            return -1;
        }
    }
    return 0;
}

int
csv_batch_plan_request(csv_batch_plan *self, const csv_parser *parser, PyObject *capsule)
{
    return read_capsule(self, parser, capsule, request_fields);
}

/* ---- the first values ---- */

static void
set_units(csv_batch_plan *self, const csv_parser *parser)
{
    columns_layout *layout = &self->layout;
    const bool bytes = csv_parser_holds_bytes(parser);
    layout->dialect = parser->machine.dialect;
    layout->units = !bytes                           ? COLUMNS_UNITS_TEXT
                    : parser->encoding == CSV_LATIN1 ? COLUMNS_UNITS_LATIN1
                                                     : COLUMNS_UNITS_UTF8;
    layout->binary = bytes                          ? COLUMNS_BINARY_UNITS
                     : parser->encoding == CSV_UTF8 ? COLUMNS_BINARY_UTF8
                                                    : COLUMNS_BINARY_ASKS;
}

/* Whether a text is null, whatever its column is. */
static bool
is_null(const csv_batch_plan *self, PyObject *text)
{
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(self->null_bytes); i++) {
        const char *spelling = (const char *)self->nulls[i].bytes;
        if (PyUnicode_CompareWithASCIIString(text, spelling) == 0) {
            return true;
        }
    }
    return PyUnicode_GET_LENGTH(text) == 0;
}

/* Whether a text is a datetime with a zone: 1, 0 if it has none, -1 if it is none at all, or
   -2 with an exception set. */
static int
has_zone(generators_state *state, PyObject *text)
{
    const csv_type type = {.kind = CSV_AS_DATETIME};
    PyObject *value = csv_text_value(&type, state, text);
    if (value == NULL) {
        return raising_forgive(PyExc_ValueError) < 0 ? -2 : -1;
    }
    PyObject *offset = PyObject_CallMethod(value, "utcoffset", NULL);
    Py_DECREF(value);
    int zoned = offset == NULL ? -2 : offset != Py_None;
    Py_XDECREF(offset);
    return zoned;
}

/* Look for the first value of an undecided column among the next `rows` records.  0 or -1. */
static int
look_for_zone(csv_batch_plan *self, generators_state *state, const csv_parser *parser,
              uint32_t column, int64_t rows)
{
    const fields *machine = &parser->machine;
    const uint32_t field = self->specs[column].field;
    for (size_t i = machine->taken; rows > 0 && i < machine->records_length; i++) {
        const fields_record *record = &machine->records[i];
        uint32_t width = fields_count(machine, record);
        if (width == 0 || width < self->layout.least || width > self->layout.most) {
            continue; /* it gives no row */
        }
        rows--;
        if (width <= field) {
            continue;
        }
        PyObject *text = csv_field_text(parser, state, record, field);
        if (text == NULL) {
            return -1;
        }
        int zoned = is_null(self, text) ? -1 : has_zone(state, text);
        Py_DECREF(text);
        if (zoned == -1) {
            continue;
        }
        if (zoned == -2) {
            return -1;
        }
        self->specs[column].zoned = zoned;
        self->undecided[column] = false;
        self->undecided_count--;
        arrow_layout_set_format(&self->fields->items[column], &self->specs[column],
                                zoned ? UTC : "");
        return 0;
    }
    return 0;
}

int
csv_batch_plan_look(csv_batch_plan *self, generators_state *state, const csv_parser *parser,
                    int64_t rows)
{
    set_units(self, parser);
    for (uint32_t i = 0; self->undecided_count > 0 && i < self->count; i++) {
        if (self->undecided[i] && look_for_zone(self, state, parser, i, rows) < 0) {
            return -1;
        }
    }
    return 0;
}

void
csv_batch_plan_decide(csv_batch_plan *self)
{
    self->undecided_count = 0;
}
