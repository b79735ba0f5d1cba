/* The arguments that say what is around the records: see around.h. */
#include "csv/rows/around.h"

#include "csv/parse/lead.h"
#include "source/options.h"

static PyObject *
around_given(PyObject *value)
{
    return value == Py_None ? NULL : value;
}

static bool
around_is(PyObject *value, const char *name)
{
    return PyUnicode_Check(value) && PyUnicode_CompareWithASCIIString(value, name) == 0;
}

void
csv_around_read_sep(csv_parameters *given, bool *sep)
{
    *sep = given->delimiter == Py_None &&
           (given->dialect == NULL || around_is(given->dialect, "excel"));
    if (*sep) {
        given->delimiter = NULL;
    }
}

/* ---- for the machine ---- */

/* How many units the character has in UTF-8. */
static uint32_t
around_units(uint32_t c)
{
    return c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
}

static int
around_read_comment(PyObject *comment, fields_dialect *d)
{
    if (comment == NULL) {
        return 0;
    }
    if (!PyUnicode_Check(comment)) {
        PyErr_Format(PyExc_TypeError, "comment must be str, not %.200s",
                     Py_TYPE(comment)->tp_name);
        return -1;
    }
    if (PyUnicode_READY(comment) < 0) {
        return -1;
    }
    const Py_ssize_t length = PyUnicode_GET_LENGTH(comment);
    uint32_t units = 0;
    for (Py_ssize_t i = 0; i < length && units <= FIELDS_COMMENT_MOST; i++) {
        const uint32_t c = PyUnicode_READ_CHAR(comment, i);
        if (c == '\n' || c == '\r' || c == d->set.delimiter || c == d->set.quote ||
            c == d->set.escape) {
            PyErr_Format(PyExc_ValueError,
                         "comment must hold no line end, delimiter, quotechar or escapechar, "
                         "but it is %R",
                         comment);
            return -1;
        }
        units += around_units(c);
        if (units <= FIELDS_COMMENT_MOST) {
            d->comment[i] = c;
        }
    }
    if (length == 0 || units > FIELDS_COMMENT_MOST) {
        PyErr_Format(PyExc_ValueError, "comment must be 1 to %d bytes of UTF-8, not %R",
                     FIELDS_COMMENT_MOST, comment);
        return -1;
    }
    d->comment_length = (uint32_t)length;
    return 0;
}

int
csv_around_read_dialect(const csv_around *self, fields_dialect *dialect)
{
    if (self->multiline != NULL) {
        int truth = PyObject_IsTrue(self->multiline);
        if (truth < 0) {
            return -1;
        }
        dialect->one_line = !truth;
    }
    return around_read_comment(around_given(self->comment), dialect);
}

/* ---- for the records ---- */

static int
around_read_blank(PyObject *blank, csv_records *records, csv_blank otherwise, bool lists)
{
    static const char *const names[] = {"keep", "skip", "error"};
    records->blank = otherwise;
    if (blank == NULL) {
        return 0;
    }
    for (int i = 0; i < 3; i++) {
        if (!around_is(blank, names[i])) {
            continue;
        }
        if (i == CSV_BLANK_KEEP && !lists) {
            PyErr_SetString(PyExc_ValueError,
                            "blank='keep' is for rows that are lists or tuples, which can be "
                            "empty: it must be 'skip' or 'error'");
            return -1;
        }
        records->blank = (csv_blank)i;
        return 0;
    }
    PyErr_Format(PyExc_ValueError, "blank must be 'skip', 'keep' or 'error', not %R", blank);
    return -1;
}

int
csv_around_read_duplicates(const csv_around *self, csv_records *records)
{
    PyObject *given = around_given(self->duplicates);
    records->numbers = given != NULL && around_is(given, "number");
    if (given == NULL || records->numbers || around_is(given, "error")) {
        return 0;
    }
    PyErr_Format(PyExc_ValueError, "duplicates must be 'error' or 'number', not %R", given);
    return -1;
}

int
csv_around_read_records(const csv_around *self, csv_records *records, csv_blank blank,
                        bool lists)
{
    PyObject *footer = around_given(self->footer);
    if (footer != NULL && options_read_limit(footer, "footer", &records->footer) < 0) {
        return -1;
    }
    return around_read_blank(around_given(self->blank), records, blank, lists);
}

int
csv_around_open(const csv_around *self, csv_records *records, bool sep)
{
    csv_parser *parser = &records->parser;
    PyObject *skip = around_given(self->skip);
    const bool marked = parser->dialect.fields.comment_length > 0;
    parser->holds_back = records->footer > 0;
    return skip == NULL && !sep && !marked ? 0 : csv_lead_open(parser, skip, sep, marked);
}

int
csv_around_read_header(PyObject *header)
{
    if (header == NULL || header == Py_None) {
        return -1;
    }
    if (!PyBool_Check(header)) {
        PyErr_Format(PyExc_TypeError,
                     "header must be True, False or None, not %R: skip is for lines above it, "
                     "and names for other names",
                     header);
        return -2;
    }
    return header == Py_True;
}
