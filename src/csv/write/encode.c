/* csv_encoder: writes rows as text, exactly as csv.writer of CPython 3.13 does.
 *
 * A line is appended to the block field by field.  The caller reads it there and then cuts it
 * off.  User code runs between fields (iterators, str(), __del__) and may write another row
 * with the same encoder.  That line comes after the one in progress, and is cut off before the
 * outer line continues.  Only another thread can leave lines out of order: then `innermost` is
 * another line, and the row is refused.
 */
#include "csv/write/encode.h"

#include <string.h>

#include "core/buffer.h"
#include "core/quote.h"
#include "core/spell.h"
#include "csv/write/formula.h"
#include "csv/write/moments.h"
#include "runtime/raising.h"

struct csv_encoder {
    generators_state *state; /* borrowed from the module of the owner */
    quoter quoter;
    csv_dialect dialect;
    buffer block;               /* the lines in progress, one after the other */
    PyObject *terminator;       /* owned: an exact str */
    uint64_t lines;             /* the number of lines begun */
    uint64_t innermost;         /* the number of the line that may be appended to */
    const csv_formats *formats; /* borrowed, or NULL */
    bool escape_formulas;
    bool marks_null;    /* text that is the same as that of None is quoted */
    bool looks_at_text; /* for either of these */
    bool formats_floats;
    bool ascii;         /* everything that the encoder adds to the fields is ASCII */
    bool quotes_text;   /* `quoting` requires quotes around every text, */
    bool quotes_number; /* every number, */
    bool quotes_none;   /* every None */
};

/* ---- setting up ---- */

static bool
quotes(const csv_encoder *self, bool is_text, bool is_number, bool is_none)
{
    switch (self->dialect.quoting) {
    case CSV_QUOTE_NONNUMERIC:
        return !is_number;
    case CSV_QUOTE_ALL:
        return true;
    case CSV_QUOTE_STRINGS:
        return is_text;
    case CSV_QUOTE_NOTNULL:
        return !is_none;
    default:
        return false;
    }
}

/* Read the line end and the parts of the dialect that a row needs.  0 or -1. */
static int
encoder_open(csv_encoder *self, generators_state *state, PyObject *standard)
{
    PyObject *terminator = PyObject_GetAttrString(standard, "lineterminator");
    if (terminator == NULL) {
        return -1;
    }
    /* Exact, so that it cannot be part of a cycle. */
    self->terminator = PyUnicode_FromObject(terminator);
    Py_DECREF(terminator);
    if (self->terminator == NULL || PyUnicode_READY(self->terminator) < 0) {
        return -1;
    }
    const csv_dialect *dialect = &self->dialect;
    quote_dialect d = {
        .set = dialect->fields.set,
        .doublequote = dialect->fields.doublequote,
        .escapes = dialect->quoting == CSV_QUOTE_NONE,
    };
    d.set.quote = dialect->quotechar;
    if (!quote_init(&self->quoter, &d, state->kernel, PyUnicode_DATA(self->terminator),
                    (size_t)PyUnicode_GET_LENGTH(self->terminator),
                    (int)PyUnicode_KIND(self->terminator))) {
        PyErr_NoMemory();
        return -1;
    }
    self->ascii = PyUnicode_IS_ASCII(self->terminator) && d.set.delimiter < 0x80 &&
                  (d.set.quote < 0x80 || d.set.quote == SCAN_ABSENT) &&
                  (d.set.escape < 0x80 || d.set.escape == SCAN_ABSENT);
    self->quotes_text = quotes(self, true, false, false);
    self->quotes_number = quotes(self, false, true, false);
    self->quotes_none = quotes(self, false, false, true);
    return 0;
}

void
csv_encoder_set_formats(csv_encoder *self, const csv_formats *formats)
{
    self->formats = formats;
    self->marks_null =
        formats != NULL && formats->null != NULL && self->dialect.quoting == CSV_QUOTE_MINIMAL;
    self->looks_at_text = self->escape_formulas || self->marks_null;
    self->formats_floats = formats != NULL && csv_formats_has_floats(formats);
}

csv_encoder *
csv_encoder_new(generators_state *state, const csv_dialect *dialect, PyObject *standard,
                const csv_formats *formats, bool escape_formulas)
{
    csv_encoder *self = PyMem_Calloc(1, sizeof *self);
    if (self == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    self->state = state;
    self->dialect = *dialect;
    self->escape_formulas = escape_formulas;
    csv_encoder_set_formats(self, formats);
    buffer_init(&self->block);
    if (encoder_open(self, state, standard) < 0) {
        csv_encoder_free(self);
        return NULL;
    }
    return self;
}

void
csv_encoder_free(csv_encoder *self)
{
    if (self != NULL) {
        quote_free(&self->quoter);
        buffer_free(&self->block);
        Py_XDECREF(self->terminator);
        PyMem_Free(self);
    }
}

/* ---- fields ---- */

static csv_written
failed(quote_status status)
{
    switch (status) {
    case QUOTE_NO_ESCAPE:
        return CSV_NO_ESCAPE;
    case QUOTE_TOO_LONG:
        PyErr_SetString(PyExc_OverflowError, "a row of 4 GiB or more");
        return CSV_RAISED;
    default:
        PyErr_NoMemory();
        return CSV_RAISED;
    }
}

/* Whether the line may still be appended to, after user code ran.  If not, raise RuntimeError.
   This is always checked before a line is read. */
static inline bool
is_innermost(const csv_encoder *self, const csv_line *line)
{
    if (self->innermost == line->number) {
        return true;
    }
    PyErr_SetString(PyExc_RuntimeError, "rows are written by two threads at once");
    return false;
}

static inline csv_written
append_units(csv_encoder *self, csv_line *line, const void *units, size_t count, int width,
             bool quoted)
{
    quote_status status = quote_append(&self->quoter, &self->block, units, count, width,
                                       quoted, line->count > 0);
    if (status != QUOTE_FINE) {
        return failed(status);
    }
    line->count++;
    return CSV_WRITTEN;
}

/* Whether an empty field may be quoted if it must be. */
static bool
can_quote(const csv_dialect *d, bool is_none)
{
    return d->quoting != CSV_QUOTE_NONE &&
           !(is_none && (d->quoting == CSV_QUOTE_STRINGS || d->quoting == CSV_QUOTE_NOTNULL));
}

/* A reader that skips spaces would not see an empty field between two space delimiters. */
static bool
is_skipped(const csv_dialect *d)
{
    return d->fields.set.delimiter == ' ' && d->fields.skip_space;
}

static csv_written
append_empty(csv_encoder *self, csv_line *line, bool quoted, bool is_none)
{
    const csv_dialect *d = &self->dialect;
    if (is_skipped(d)) {
        if (!can_quote(d, is_none)) {
            return CSV_EMPTY_FIELD;
        }
        quoted = true;
    }
    return append_units(self, line, "", 0, 1, quoted);
}

static csv_written
append_text(csv_encoder *self, csv_line *line, PyObject *text, bool quoted)
{
    if (PyUnicode_READY(text) < 0) {
        return CSV_RAISED;
    }
    size_t count = (size_t)PyUnicode_GET_LENGTH(text);
    if (count == 0) {
        return append_empty(self, line, quoted, false);
    }
    line->ascii &= PyUnicode_IS_ASCII(text);
    return append_units(self, line, PyUnicode_DATA(text), count, (int)PyUnicode_KIND(text),
                        quoted);
}

/* Append the text of a cell that is not a number. */
static csv_written
append_cell(csv_encoder *self, csv_line *line, PyObject *text, bool quoted)
{
    if (!self->looks_at_text) {
        return append_text(self, line, text, quoted);
    }
    if (PyUnicode_READY(text) < 0) {
        return CSV_RAISED;
    }
    quoted = quoted || (self->marks_null && PyUnicode_Compare(text, self->formats->null) == 0);
    if (!self->escape_formulas || !csv_formula_in_text(text)) {
        return append_text(self, line, text, quoted);
    }
    PyObject *defused = PyUnicode_FromFormat("'%U", text);
    csv_written result =
        defused == NULL ? CSV_RAISED : append_text(self, line, defused, quoted);
    Py_XDECREF(defused);
    return result;
}

/* ---- objects ---- */

static csv_written
append_ascii(csv_encoder *self, csv_line *line, const char *text, size_t count, bool quoted)
{
    return append_units(self, line, text, count, 1, quoted);
}

/* Append what is written for None. */
static csv_written
append_null(csv_encoder *self, csv_line *line)
{
    PyObject *text = self->formats == NULL ? NULL : self->formats->null;
    line->null = true;
    if (text == NULL || PyUnicode_GET_LENGTH(text) == 0) {
        return append_empty(self, line, self->quotes_none, true);
    }
    return append_text(self, line, text, self->quotes_none);
}

static csv_written
append_bool(csv_encoder *self, csv_line *line, bool value)
{
    const csv_formats *formats = self->formats;
    PyObject *text = formats == NULL ? NULL : value ? formats->yes : formats->no;
    if (text != NULL) {
        return append_text(self, line, text, self->quotes_number);
    }
    return append_ascii(self, line, value ? "True" : "False", value ? 4 : 5,
                        self->quotes_number);
}

/* The text of an object: 1 with a new reference, 0 if it is written as None, or -1. */
static int
find_text(const csv_encoder *self, PyObject *field, PyObject **text)
{
    if (self->formats != NULL) {
        return csv_formats_text(self->formats, field, text);
    }
    *text = PyObject_Str(field);
    return *text == NULL ? -1 : 1;
}

/* Write the text of a date, time or datetime as csv_moment_text() does.  0 if it is another
   value, or has a format of its own. */
static Py_ssize_t
spell_moment_field(const csv_encoder *self, PyObject *field, char *text)
{
    const csv_formats *formats = self->formats;
    if (self->marks_null || (formats != NULL && formats->moments != NULL)) {
        return 0;
    }
    bool iso = formats != NULL && formats->datetime != NULL;
    return csv_moment_text(self->state, field, iso ? 'T' : ' ', text);
}

/* Append any object, by its str(). */
static csv_written
append_other(csv_encoder *self, csv_line *line, PyObject *field)
{
    bool is_text = PyUnicode_Check(field), is_number = PyNumber_Check(field);
    bool quoted = quotes(self, is_text, is_number, false);
    if (is_text) {
        return append_cell(self, line, field, quoted);
    }
    char moment[SPELL_TIME_ROOM];
    Py_ssize_t count = is_number ? 0 : spell_moment_field(self, field, moment);
    if (count != 0) {
        return count < 0 ? CSV_RAISED
                         : append_ascii(self, line, moment, (size_t)count, quoted);
    }
    PyObject *text = NULL;
    int found = find_text(self, field, &text);
    if (found <= 0) {
        return found == 0 && is_innermost(self, line) ? append_null(self, line) : CSV_RAISED;
    }
    csv_written result = CSV_RAISED;
    if (is_innermost(self, line)) {
        result = is_number ? append_text(self, line, text, quoted)
                           : append_cell(self, line, text, quoted);
    }
    Py_DECREF(text);
    return result;
}

static csv_written
append_int(csv_encoder *self, csv_line *line, PyObject *field)
{
    int overflow;
    long long number = PyLong_AsLongLongAndOverflow(field, &overflow);
    if (overflow != 0) {
        return append_other(self, line, field);
    }
    char text[SPELL_ROOM];
    return append_ascii(self, line, text, spell_int(number, text), self->quotes_number);
}

/* Append a float as the formats have it. */
static csv_written
append_formatted(csv_encoder *self, csv_line *line, double value)
{
    csv_number number;
    int found = csv_formats_float(self->formats, value, &number);
    if (found <= 0) {
        return found == 0 ? append_null(self, line) : CSV_RAISED;
    }
    csv_written result =
        append_ascii(self, line, number.text, number.count, self->quotes_number);
    csv_number_free(&number);
    return result;
}

static csv_written
append_float(csv_encoder *self, csv_line *line, PyObject *field)
{
    if (self->formats_floats) {
        return append_formatted(self, line, PyFloat_AS_DOUBLE(field));
    }
    char text[SPELL_ROOM];
    size_t count = spell_double(PyFloat_AS_DOUBLE(field), text);
    if (count == 0) {
        return append_other(self, line, field);
    }
    return append_ascii(self, line, text, count, self->quotes_number);
}

static csv_written
append_field(csv_encoder *self, csv_line *line, PyObject *field)
{
    line->null = false;
    if (PyUnicode_CheckExact(field)) {
        return append_cell(self, line, field, self->quotes_text);
    }
    if (PyLong_CheckExact(field)) {
        return append_int(self, line, field);
    }
    if (PyFloat_CheckExact(field)) {
        return append_float(self, line, field);
    }
    if (field == Py_None) {
        return append_null(self, line);
    }
    if (PyBool_Check(field)) {
        return append_bool(self, line, field == Py_True);
    }
    return append_other(self, line, field);
}

/* ---- rows ---- */

#ifndef Py_GIL_DISABLED
/* The list may change meanwhile, so it is read as its own iterator reads it. */
static csv_written
append_list(csv_encoder *self, csv_line *line, PyObject *row)
{
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(row); i++) {
        PyObject *field = Py_NewRef(PyList_GET_ITEM(row, i));
        csv_written result = append_field(self, line, field);
        Py_DECREF(field);
        if (result != CSV_WRITTEN) {
            return result;
        }
    }
    return CSV_WRITTEN;
}

#endif

static csv_written
append_tuple(csv_encoder *self, csv_line *line, PyObject *row)
{
    Py_ssize_t count = PyTuple_GET_SIZE(row);
    for (Py_ssize_t i = 0; i < count; i++) {
        csv_written result = append_field(self, line, PyTuple_GET_ITEM(row, i));
        if (result != CSV_WRITTEN) {
            return result;
        }
    }
    return CSV_WRITTEN;
}

static csv_written
append_iterable(csv_encoder *self, csv_line *line, PyObject *row)
{
    PyObject *iterator = PyObject_GetIter(row);
    if (iterator == NULL) {
        return raising_forgive(PyExc_TypeError) < 0 ? CSV_RAISED : CSV_NOT_ITERABLE;
    }
    csv_written result = CSV_WRITTEN;
    PyObject *field;
    while (result == CSV_WRITTEN && (field = PyIter_Next(iterator)) != NULL) {
        result = is_innermost(self, line) ? append_field(self, line, field) : CSV_RAISED;
        Py_DECREF(field);
    }
    Py_DECREF(iterator);
    return result == CSV_WRITTEN && PyErr_Occurred() ? CSV_RAISED : result;
}

static csv_written
append_terminator(csv_encoder *self)
{
    PyObject *t = self->terminator;
    buffer_status status =
        buffer_append(&self->block, PyUnicode_DATA(t), (size_t)PyUnicode_GET_LENGTH(t),
                      (int)PyUnicode_KIND(t));
    if (status == BUFFER_OK) {
        return CSV_WRITTEN;
    }
    return failed(status == BUFFER_NO_MEMORY ? QUOTE_NO_MEMORY : QUOTE_TOO_LONG);
}

/* A single empty field would be read back as an empty row. */
static csv_written
append_line_end(csv_encoder *self, csv_line *line)
{
    if (!is_innermost(self, line)) {
        return CSV_RAISED;
    }
    if (line->count > 0 && self->block.length == line->start) {
        if (!can_quote(&self->dialect, line->null)) {
            return CSV_EMPTY_RECORD;
        }
        line->count--;
        csv_written result = append_empty(self, line, true, true);
        if (result != CSV_WRITTEN) {
            return result;
        }
    }
    return append_terminator(self);
}

csv_written
csv_encode_row(csv_encoder *self, csv_line *line, PyObject *row)
{
    line->start = self->block.length;
    line->count = 0;
    line->ascii = self->ascii;
    line->null = false;
    line->number = ++self->lines;
    line->outer = self->innermost;
    self->innermost = line->number;
    csv_written result;
#ifndef Py_GIL_DISABLED
    if (PyList_CheckExact(row)) {
        result = append_list(self, line, row);
    }
    else
#endif
        if (PyTuple_CheckExact(row)) {
        result = append_tuple(self, line, row);
    }
    else {
        result = append_iterable(self, line, row);
    }
    return result == CSV_WRITTEN ? append_line_end(self, line) : result;
}

const void *
csv_line_units(const csv_encoder *self, const csv_line *line, size_t *count, int *width)
{
    *count = self->block.length - line->start;
    *width = self->block.width;
    return self->block.data + line->start * (size_t)self->block.width;
}

PyObject *
csv_line_text(const csv_encoder *self, const csv_line *line)
{
    size_t count;
    int width;
    const void *units = csv_line_units(self, line, &count, &width);
    if (!line->ascii || width != 1) {
        return PyUnicode_FromKindAndData(width, units, (Py_ssize_t)count);
    }
    PyObject *text = PyUnicode_New((Py_ssize_t)count, 127);
    if (text != NULL && count > 0) {
        memcpy(PyUnicode_1BYTE_DATA(text), units, count);
    }
    return text;
}

void
csv_line_end(csv_encoder *self, const csv_line *line)
{
    self->innermost = line->outer;
    if (line->start <= self->block.length) {
        buffer_cut(&self->block, line->start);
    }
}

const quoter *
csv_encoder_quoter(const csv_encoder *self)
{
    return &self->quoter;
}

PyObject *
csv_encoder_terminator(const csv_encoder *self)
{
    return self->terminator;
}

bool
csv_encoder_escapes_formulas(const csv_encoder *self)
{
    return self->escape_formulas;
}

const csv_formats *
csv_encoder_formats(const csv_encoder *self)
{
    return self->formats;
}

bool
csv_encoder_marks_null(const csv_encoder *self)
{
    return self->marks_null;
}

bool
csv_encoder_quotes(const csv_encoder *self, bool is_text, bool is_number, bool is_none)
{
    return quotes(self, is_text, is_number, is_none);
}

csv_written
csv_encoder_blank(const csv_encoder *self, bool is_none, bool alone, bool *quoted)
{
    bool skipped = is_skipped(&self->dialect);
    if (skipped || (alone && !*quoted)) {
        if (!can_quote(&self->dialect, is_none)) {
            return skipped ? CSV_EMPTY_FIELD : CSV_EMPTY_RECORD;
        }
        *quoted = true;
    }
    return CSV_WRITTEN;
}

PyObject *
csv_written_message(csv_written result, PyObject *row)
{
    switch (result) {
    case CSV_NO_ESCAPE:
        return PyUnicode_FromString("need to escape, but no escapechar set");
    case CSV_EMPTY_FIELD:
        return PyUnicode_FromString("empty field must be quoted if delimiter is a space and "
                                    "skipinitialspace is true");
    case CSV_EMPTY_RECORD:
        return PyUnicode_FromString("single empty field record must be quoted");
    default:
        return PyUnicode_FromFormat("iterable expected, not %.200s", Py_TYPE(row)->tp_name);
    }
}
