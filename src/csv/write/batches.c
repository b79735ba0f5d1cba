/* Arrow batches in, chunks of CSV text out.
 *
 * The table writes some rows as lines of UTF-8.  The chunks get these piece by piece, no more
 * than they need for the next chunk, so that whole chunks are made of the lines without a copy
 * between.  An encoding other than UTF-8 is made of all these lines at once.
 *
 * A source of batches is closed when its last line was written.  The next item may be another
 * one.  Its columns are then found by the names of the first.
 *
 * The front end is `running` while code here runs, and locks.
 */
#include "csv/write/batches.h"

#include "core/utf8.h"
#include "runtime/raising.h"

/* ---- which columns ---- */

/* The names of the batches' columns: a new tuple, or NULL. */
static PyObject *
read_names(const arrow_type *type)
{
    PyObject *names = PyTuple_New((Py_ssize_t)type->child_count);
    for (size_t i = 0; names != NULL && i < type->child_count; i++) {
        PyObject *name = PyUnicode_FromString(type->children[i].name);
        if (name == NULL) {
            Py_CLEAR(names);
            break;
        }
        PyTuple_SET_ITEM(names, (Py_ssize_t)i, name);
    }
    return names;
}

/* Raise CSVError about a column, as for a row with names. */
static int
refuse_name(csv_lines *self, const char *what, PyObject *name)
{
    PyObject *message = PyUnicode_FromFormat("%s %R", what, name);
    if (message != NULL) {
        csv_lines_raise(self, false, name, message);
        Py_DECREF(message);
    }
    return -1;
}

/* The index of a name, -1 if it is not there, or -2 with an exception set. */
static Py_ssize_t
find_name(csv_lines *self, PyObject *names, PyObject *name)
{
    Py_ssize_t found = -1;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(names); i++) {
        int equal = PyObject_RichCompareBool(PyTuple_GET_ITEM(names, i), name, Py_EQ);
        if (equal < 0) {
            return -2;
        }
        if (equal && found >= 0) {
            refuse_name(self, "there are two columns", name);
            return -2;
        }
        found = equal ? i : found;
    }
    return found;
}

/* Find the place of each column that is wanted.  0 or -1. */
static int
find_places(csv_lines *self, PyObject *names, Py_ssize_t *places)
{
    PyObject *wanted = self->columns.names;
    bool same = wanted == names;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(wanted); i++) {
        PyObject *name = PyTuple_GET_ITEM(wanted, i);
        places[i] = same ? i : find_name(self, names, name);
        if (places[i] < -1) {
            return -1;
        }
        if (places[i] < 0 && self->columns.missing == NULL) {
            return refuse_name(self, "the row has no", name);
        }
    }
    return 0;
}

/* Refuse columns of the batches that are not wanted, if they are not to be ignored.  0 or -1.
 */
static int
check_extra(csv_lines *self, PyObject *names)
{
    bool ignores = self->columns.ignores_extra || (self->extra_is_default && self->chooses);
    for (Py_ssize_t i = 0; !ignores && i < PyTuple_GET_SIZE(names); i++) {
        PyObject *name = PyTuple_GET_ITEM(names, i);
        int found = PySequence_Contains(self->columns.names, name);
        if (found < 0) {
            return -1;
        }
        if (!found) {
            return refuse_name(self, "there is no column", name);
        }
    }
    return 0;
}

/* Whether the batches have the names that are wanted, in order: 1, 0 or -1. */
static int
settle_names(csv_lines *self, PyObject *names)
{
    csv_columns *columns = &self->columns;
    if (self->begun || self->chooses) {
        return PyObject_RichCompareBool(columns->names, names, Py_EQ);
    }
    if (self->labels != NULL && PyTuple_GET_SIZE(self->labels) != PyTuple_GET_SIZE(names)) {
        PyErr_Format(PyExc_ValueError, "the header has %zd labels for %zd columns",
                     PyTuple_GET_SIZE(self->labels), PyTuple_GET_SIZE(names));
        return -1;
    }
    PyObject *earlier = columns->names;
    columns->names = Py_NewRef(names);
    Py_XDECREF(earlier);
    return 1;
}

/* ---- the fields of None, and of missing columns ---- */

/* Write a row by the encoder: a new str, or NULL. */
static PyObject *
write_alone(csv_lines *self, PyObject *row)
{
    csv_line line;
    csv_written result = csv_encode_row(self->encoder, &line, row);
    PyObject *text = result == CSV_WRITTEN ? csv_line_text(self->encoder, &line) : NULL;
    if (result != CSV_WRITTEN && result != CSV_RAISED) {
        csv_lines_raise_written(self, false, result, row, -1);
    }
    csv_line_end(self->encoder, &line);
    return text;
}

/* The field that is written for a value, which may be NULL: a new str, or NULL.  It is what a
   line of the value and 0 has before a delimiter and a line of 0. */
static PyObject *
write_field(csv_lines *self, PyObject *value)
{
    if (value == NULL) {
        return PyUnicode_FromString("");
    }
    PyObject *both = NULL, *one = NULL, *text = NULL;
    PyObject *pair = Py_BuildValue("(Oi)", value, 0), *single = Py_BuildValue("(i)", 0);
    if (pair != NULL && single != NULL) {
        both = write_alone(self, pair);
        one = both == NULL ? NULL : write_alone(self, single);
    }
    if (one != NULL) {
        text = PyUnicode_Substring(both, 0,
                                   PyUnicode_GET_LENGTH(both) - PyUnicode_GET_LENGTH(one) - 1);
    }
    Py_XDECREF(pair);
    Py_XDECREF(single);
    Py_XDECREF(both);
    Py_XDECREF(one);
    return text;
}

/* ---- beginning ---- */

/* The bytes of a text, borrowed from it.  0 or -1. */
static int
read_field(PyObject *text, csv_cell *field)
{
    Py_ssize_t length;
    field->start = (const uint8_t *)PyUnicode_AsUTF8AndSize(text, &length);
    field->length = (size_t)length;
    return field->start == NULL ? -1 : 0;
}

static int
plan_columns(csv_lines *self, const Py_ssize_t *places)
{
    bool has_null = self->formats.null != NULL && PyUnicode_GET_LENGTH(self->formats.null) > 0;
    PyObject *constant = write_field(self, self->columns.missing);
    PyObject *null = constant == NULL ? NULL : write_field(self, has_null ? Py_None : NULL);
    csv_cell missing, none;
    int status =
        null != NULL && read_field(constant, &missing) == 0 && read_field(null, &none) == 0
            ? csv_table_plan(&self->table, self->encoder, places,
                             (size_t)PyTuple_GET_SIZE(self->columns.names), missing, none)
            : -1;
    Py_XDECREF(constant);
    Py_XDECREF(null);
    return status;
}

/* Choose the columns of the batches in hand, whose type was read.  0 or -1. */
static int
begin_batches(csv_lines *self)
{
    PyObject *names = read_names(&self->table.source.type);
    int status = -1, same = names == NULL ? -1 : settle_names(self, names);
    self->index = (Py_ssize_t)self->row_count;
    if (same >= 0) {
        Py_ssize_t count = PyTuple_GET_SIZE(self->columns.names);
        Py_ssize_t *places = PyMem_Calloc((size_t)count + 1, sizeof *places);
        if (places == NULL) {
            PyErr_NoMemory();
        }
        else if (same) {
            for (Py_ssize_t i = 0; i < count; i++) {
                places[i] = i;
            }
            status = 0;
        }
        else if (find_places(self, names, places) == 0 && check_extra(self, names) == 0) {
            status = 0;
        }
        if (status == 0) {
            status = plan_columns(self, places);
        }
        PyMem_Free(places);
    }
    Py_XDECREF(names);
    if (self->header_is_default && !self->begun) {
        self->has_header = true;
    }
    return status;
}

static int
refuse_type(const arrow_source *source)
{
    char format[64];
    if (arrow_type_format(&source->type, format, sizeof format) == 0) {
        format[0] = '\0';
    }
    PyErr_Format(PyExc_TypeError,
                 "rows must be record batches, not an Arrow array of type '%s'", format);
    return -1;
}

int
csv_batches_open(csv_lines *self, PyObject *source)
{
    if (arrow_source_open(&self->table.source, source) < 0) {
        return -1;
    }
    self->items = CSV_FROM_BATCHES;
    self->chunks.holding = true;
    return 0;
}

void
csv_batches_forget(csv_lines *self)
{
    csv_table_end(&self->table);
    self->items = CSV_FROM_ROWS;
}

int
csv_batches_take(csv_lines *self, PyObject *item)
{
    arrow_source *source = &self->table.source;
    int offers = arrow_source_offers(item);
    if (offers == 0 && self->items == CSV_FROM_BATCHES) {
        PyErr_Format(PyExc_TypeError, "item %zd is '%.200s', not an Arrow batch", self->index,
                     Py_TYPE(item)->tp_name);
        return -1;
    }
    if (offers > 0 &&
        (arrow_source_open(source, item) < 0 || arrow_source_read_type(source) < 0)) {
        offers = -1;
    }
    if (offers < 0) {
        stream_note("while reading item %zd", self->index);
        csv_table_end(&self->table);
        return -1;
    }
    if (offers > 0 && source->type.kind != ARROW_STRUCT && self->items == CSV_FROM_ANY) {
        csv_table_end(&self->table);
        return 0;
    }
    if (offers > 0) {
        self->items = CSV_FROM_BATCHES;
        self->chunks.holding = true;
    }
    return offers;
}

/* ---- failures ---- */

/* The row after those that were written cannot be: raise CSVError. */
static int
raise_row(csv_lines *self)
{
    csv_table *table = &self->table;
    self->index = (Py_ssize_t)self->row_count;
    if (table->result != CSV_RAISED) {
        csv_lines_raise_written(self, false, table->result, NULL, table->column);
        return -1;
    }
    PyObject *raised = table->raised;
    table->raised = NULL;
    PyErr_SetRaisedException(Py_NewRef(raised));
    if (PyErr_ExceptionMatches(PyExc_Exception) &&
        !PyErr_ExceptionMatches(PyExc_MemoryError)) {
        PyErr_Clear();
        PyObject *column = csv_lines_column(self, table->column);
        if (!PyErr_Occurred()) {
            PyErr_SetRaisedException(Py_NewRef(raised));
            csv_lines_raise(self, false, column, raised);
        }
        Py_XDECREF(column);
    }
    Py_DECREF(raised);
    return -1;
}

/* ---- lines ---- */

/* Feed the chunks as many bytes as they need for the next chunk. */
static int
feed_bytes(csv_lines *self)
{
    csv_table *table = &self->table;
    coalescer *machine = &self->chunks.machine;
    size_t left = table->size - self->fed;
    size_t count = machine->size - machine->length;
    if (machine->length == 0 && left > count) {
        count = left / machine->size * machine->size;
    }
    count = count < left ? count : left;
    if (!coalescer_feed(machine, table->lines + self->fed, count)) {
        PyErr_NoMemory();
        return -1;
    }
    self->fed += count;
    return 1;
}

/* Encode and feed some bytes of UTF-8.  0 or -1. */
static int
feed_encoded(csv_lines *self, const uint8_t *bytes, size_t count)
{
    PyObject *text = PyUnicode_DecodeUTF8((const char *)bytes, (Py_ssize_t)count, NULL);
    int status = csv_lines_feed_text(self, text);
    Py_XDECREF(text);
    return status;
}

/* The column of the first field of a row that cannot be encoded, or -1.  An exception is set
   if another one was raised. */
static Py_ssize_t
find_unencodable(csv_lines *self, size_t row)
{
    for (size_t i = 0; i < self->table.column_count; i++) {
        csv_cell cell = self->table.columns[i].cells.cells[row];
        PyObject *text =
            PyUnicode_DecodeUTF8((const char *)cell.start, (Py_ssize_t)cell.length, NULL);
        PyObject *bytes = text == NULL ? NULL : text_encode(&self->chunks.text, text);
        Py_XDECREF(text);
        if (bytes == NULL) {
            return raising_forgive(PyExc_UnicodeError) < 0 ? -1 : (Py_ssize_t)i;
        }
        Py_DECREF(bytes);
    }
    return -1;
}

/* The lines could not be encoded: feed those before the one that cannot, and raise for that.
 */
static int
feed_until_unencodable(csv_lines *self)
{
    csv_table *table = &self->table;
    const uint8_t *at = table->lines;
    for (size_t row = 0; row < table->rows; row++) {
        size_t size = csv_table_row_size(table, row);
        if (feed_encoded(self, at, size) < 0) {
            if (!PyErr_ExceptionMatches(PyExc_UnicodeError)) {
                return -1;
            }
            PyObject *raised = PyErr_GetRaisedException();
            Py_ssize_t column = find_unencodable(self, row);
            if (PyErr_Occurred()) {
                Py_DECREF(raised);
                return -1;
            }
            table->result = CSV_RAISED;
            table->column = column;
            Py_XSETREF(table->raised, raised);
            return raise_row(self);
        }
        at += size;
        self->row_count++;
    }
    return 0;
}

/* Feed the lines that the table has just written.  1 or -1. */
static int
feed_lines(csv_lines *self)
{
    csv_table *table = &self->table;
    text_encoding encoding = self->chunks.text.encoding;
    if (encoding == TEXT_UTF8 ||
        (encoding != TEXT_CODEC &&
         utf8_ascii_prefix(table->lines, table->size) == table->size)) {
        self->fed = 0;
        self->row_count += table->rows;
        return 1;
    }
    self->fed = table->size;
    if (feed_encoded(self, table->lines, table->size) == 0) {
        self->row_count += table->rows;
        return 1;
    }
    if (raising_forgive(PyExc_UnicodeError) < 0) {
        return -1;
    }
    return feed_until_unencodable(self) < 0 ? -1 : 1;
}

/* Write the next rows of the batch in hand, and feed them.  1 or -1. */
static int
write_rows(csv_lines *self)
{
    csv_table *table = &self->table;
    if (!self->begun && csv_lines_start(self) < 0) {
        return -1;
    }
    if (csv_table_write(table, self->state->kernel) < 0) {
        return -1;
    }
    return feed_lines(self);
}

/* Take the next batch: 1, 0 at the end, or -1. */
static int
next_batch(csv_lines *self)
{
    csv_table *table = &self->table;
    int status = arrow_source_read_type(&table->source);
    if (status == 0 && !table->planned) {
        if (table->source.type.kind != ARROW_STRUCT) {
            return refuse_type(&table->source);
        }
        if (begin_batches(self) < 0) {
            return -1;
        }
    }
    if (status == 0) {
        status = csv_table_next(table);
    }
    if (status < 0) {
        stream_note("while reading batch %llu", (unsigned long long)table->source.count);
    }
    return status;
}

int
csv_batches_feed(csv_lines *self)
{
    csv_table *table = &self->table;
    if (self->fed < table->size) {
        return feed_bytes(self);
    }
    if (table->result != CSV_WRITTEN) {
        return raise_row(self);
    }
    if (csv_table_has_rows(table)) {
        return write_rows(self);
    }
    table->size = self->fed = 0;
    int status = next_batch(self);
    if (status == 0) {
        csv_table_end(table);
    }
    return status;
}
