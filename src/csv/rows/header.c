/* The header: reading it, and the names that replace it.
 *
 * `names` is a sequence of as many names as there are columns, a mapping that renames some, a
 * method of str that is called with each, or a callable that is called with all.
 *
 * User code runs in `names`, and in the keys of a mapping.  See records.c.
 */
#include "csv/rows/header.h"

#include "csv/parse/error.h"
#include "csv/row/block.h"
#include "csv/row/convert.h"
#include "csv/row/field_error.h"
#include "csv/row/names.h"
#include "csv/row/settle.h"
#include "csv/rows/take.h"
#include "runtime/attributes.h"

/* ---- names ---- */

static int
header_needs(const char *what)
{
    PyErr_Format(PyExc_ValueError, "%s needs a header to work on, and header is False", what);
    return -1;
}

/* Keep a copy of the mapping.  0 or -1. */
static int
header_read_mapping(csv_records *self, PyObject *names)
{
    self->names = PyDict_New();
    return self->names == NULL ? -1 : PyDict_Update(self->names, names);
}

int
csv_header_read_names(csv_records *self, PyObject *names, bool wanted)
{
    self->reads_header = wanted;
    if (names == NULL) {
        return 0;
    }
    if (PyUnicode_Check(names) || PyBytes_Check(names) || PyAnySet_Check(names)) {
        PyErr_Format(
            PyExc_TypeError,
            "names must be a sequence of names, a mapping or a callable, not %.200s%s",
            Py_TYPE(names)->tp_name, PyAnySet_Check(names) ? ", which has no order" : "");
        return -1;
    }
    int is = PyDict_Check(names) ? 1 : attributes_has(names, "keys");
    if (is < 0) {
        return -1;
    }
    if (is) {
        return wanted ? header_read_mapping(self, names) : header_needs("a mapping `names`");
    }
    if (PyCallable_Check(names)) {
        if (!wanted) {
            return header_needs("a callable `names`");
        }
        self->names = Py_NewRef(names);
        return 0;
    }
    self->names = PySequence_Tuple(names);
    if (self->names != NULL && !wanted) {
        self->header = Py_NewRef(self->names);
        return csv_header_number(self, &self->header);
    }
    return self->names == NULL ? -1 : 0;
}

/* ---- numbers ---- */

/* The name with the lowest number from *number on that is not among `taken`: a new reference,
   or NULL. */
static PyObject *
header_numbered(PyObject *name, PyObject *taken, long *number)
{
    for (;; ++*number) {
        PyObject *numbered = PyUnicode_FromFormat("%U_%ld", name, *number);
        int found = numbered == NULL ? -1 : PySet_Contains(taken, numbered);
        if (found == 0) {
            return numbered;
        }
        Py_XDECREF(numbered);
        if (found < 0) {
            return NULL;
        }
    }
}

/* The name of column `index` in place of `name`, which is taken or empty: a new reference, or
   NULL.  `numbers` has the number after the last one of each name. */
static PyObject *
header_rename(PyObject *name, Py_ssize_t index, PyObject *taken, PyObject *numbers)
{
    if (PyUnicode_GET_LENGTH(name) == 0) {
        PyObject *given = PyUnicode_FromFormat("column_%zd", index + 1);
        int found = given == NULL ? -1 : PySet_Contains(taken, given);
        long number = 2;
        PyObject *result = found > 0    ? header_numbered(given, taken, &number)
                           : found == 0 ? Py_NewRef(given)
                                        : NULL;
        Py_XDECREF(given);
        return result;
    }
    PyObject *last = PyDict_GetItemWithError(numbers, name);
    long number = last == NULL ? 2 : PyLong_AsLong(last);
    if (PyErr_Occurred()) {
        return NULL;
    }
    PyObject *result = header_numbered(name, taken, &number);
    PyObject *next = result == NULL ? NULL : PyLong_FromLong(number + 1);
    if (next == NULL || PyDict_SetItem(numbers, name, next) < 0) {
        Py_CLEAR(result);
    }
    Py_XDECREF(next);
    return result;
}

/* All names: a new set of exact str, or NULL.  Other names are left alone. */
static PyObject *
header_all_names(PyObject *names)
{
    PyObject *all = PySet_New(NULL);
    for (Py_ssize_t i = 0; all != NULL && i < PyTuple_GET_SIZE(names); i++) {
        PyObject *name = PyTuple_GET_ITEM(names, i);
        if (PyUnicode_CheckExact(name) && PySet_Add(all, name) < 0) {
            Py_CLEAR(all);
        }
    }
    return all;
}

/* One name of the tuple in `seen`, which has those before it: a new reference, or NULL. */
static PyObject *
header_number_one(PyObject *name, Py_ssize_t index, PyObject *seen, PyObject *taken,
                  PyObject *numbers)
{
    if (!PyUnicode_CheckExact(name)) {
        return Py_NewRef(name);
    }
    int known = PyUnicode_GET_LENGTH(name) == 0 ? 1 : PySet_Contains(seen, name);
    if (known <= 0) {
        return known < 0 || PySet_Add(seen, name) < 0 ? NULL : Py_NewRef(name);
    }
    PyObject *result = header_rename(name, index, taken, numbers);
    if (result != NULL && PySet_Add(taken, result) < 0) {
        Py_CLEAR(result);
    }
    return result;
}

int
csv_header_number(const csv_records *self, PyObject **names)
{
    if (!self->numbers) {
        return 0;
    }
    PyObject *given = *names;
    PyObject *seen = PySet_New(NULL);
    PyObject *taken = seen == NULL ? NULL : header_all_names(given);
    PyObject *numbers = taken == NULL ? NULL : PyDict_New();
    PyObject *result = numbers == NULL ? NULL : PyTuple_New(PyTuple_GET_SIZE(given));
    for (Py_ssize_t i = 0; result != NULL && i < PyTuple_GET_SIZE(given); i++) {
        PyObject *name =
            header_number_one(PyTuple_GET_ITEM(given, i), i, seen, taken, numbers);
        if (name == NULL) {
            Py_CLEAR(result);
            break;
        }
        PyTuple_SET_ITEM(result, i, name);
    }
    Py_XDECREF(seen);
    Py_XDECREF(taken);
    Py_XDECREF(numbers);
    if (result == NULL) {
        return -1;
    }
    *names = result;
    Py_DECREF(given);
    return 0;
}

/* ---- the plan ---- */

int
csv_records_settle_width(csv_records *self, generators_state *state, PyObject *header,
                         uint32_t width)
{
    if (self->plain_maker != NULL) {
        return 0;
    }
    self->settled = true;
    if (csv_plan_settle(self->plan, state, header, width) == 0 &&
        (!self->lazy ||
         csv_plan_lay_out(self->plan, state, csv_block_of(&self->parser)) == 0)) {
        return 0;
    }
    csv_records_blame_names(self, state);
    return -1;
}

int
csv_records_settle(csv_records *self, generators_state *state, PyObject *names)
{
    return csv_records_settle_width(self, state, names, 0);
}

/* ---- the header ---- */

/* Whether it is a method of str, such as str.lower: 1, 0 or -1. */
static int
is_method_of_str(PyObject *callable)
{
    if (!Py_IS_TYPE(callable, &PyMethodDescr_Type)) {
        return 0;
    }
    PyObject *type = PyObject_GetAttrString(callable, "__objclass__");
    bool is = type == (PyObject *)&PyUnicode_Type;
    Py_XDECREF(type);
    return type == NULL ? -1 : is;
}

/* Call a method of str, such as str.lower, with each name: a new tuple of the results. */
static PyObject *
records_call_with_each(PyObject *method, PyObject *header)
{
    Py_ssize_t count = PyTuple_GET_SIZE(header);
    PyObject *result = PyTuple_New(count);
    for (Py_ssize_t i = 0; result != NULL && i < count; i++) {
        PyObject *name = PyObject_CallOneArg(method, PyTuple_GET_ITEM(header, i));
        if (name == NULL) {
            Py_CLEAR(result);
            break;
        }
        PyTuple_SET_ITEM(result, i, name);
    }
    return result;
}

/* Rename the columns that are keys of the mapping: a new tuple, or NULL. */
static PyObject *
records_rename(PyObject *mapping, PyObject *header)
{
    PyObject *key, *value;
    Py_ssize_t at = 0;
    while (PyDict_Next(mapping, &at, &key, &value)) {
        int found = PySequence_Contains(header, key);
        if (found <= 0) {
            if (found == 0) {
                PyErr_Format(PyExc_ValueError, "names: there is no column %R among %R", key,
                             header);
            }
            return NULL;
        }
    }
    PyObject *result = PyTuple_New(PyTuple_GET_SIZE(header));
    for (Py_ssize_t i = 0; result != NULL && i < PyTuple_GET_SIZE(header); i++) {
        PyObject *name = PyTuple_GET_ITEM(header, i);
        value = PyDict_GetItemWithError(mapping, name);
        if (value == NULL && PyErr_Occurred()) {
            Py_CLEAR(result);
            break;
        }
        PyTuple_SET_ITEM(result, i, Py_NewRef(value == NULL ? name : value));
    }
    return result;
}

/* The names that replace those of the header: a new tuple, or NULL. */
static PyObject *
records_replace_names(csv_records *self, generators_state *state, PyObject *header)
{
    PyObject *names = Py_XNewRef(self->names);
    if (names == NULL) {
        return Py_NewRef(header);
    }
    PyObject *given = NULL;
    if (PyDict_CheckExact(names)) {
        given = records_rename(names, header);
        if (given == NULL) {
            csv_records_blame_names(self, state);
        }
    }
    else if (PyTuple_CheckExact(names)) {
        given = Py_NewRef(names);
    }
    else {
        int each = is_method_of_str(names);
        if (each >= 0) {
            given = each ? records_call_with_each(names, header)
                         : PyObject_CallOneArg(names, header);
        }
    }
    Py_DECREF(names);
    PyObject *result = given == NULL ? NULL : PySequence_Tuple(given);
    Py_XDECREF(given);
    if (result != NULL && PyTuple_GET_SIZE(result) != PyTuple_GET_SIZE(header)) {
        PyErr_Format(PyExc_ValueError, "names: %zd name%s for the %zd column%s %R",
                     PyTuple_GET_SIZE(result), PyTuple_GET_SIZE(result) == 1 ? "" : "s",
                     PyTuple_GET_SIZE(header), PyTuple_GET_SIZE(header) == 1 ? "" : "s",
                     header);
        csv_records_blame_names(self, state);
        Py_CLEAR(result);
    }
    return result;
}

/* Drop a U+FEFF before the first name.  0 or -1. */
static int
records_drop_mark(PyObject *header)
{
    PyObject *name = PyTuple_GET_SIZE(header) > 0 ? PyTuple_GET_ITEM(header, 0) : NULL;
    if (name == NULL || !PyUnicode_Check(name) || PyUnicode_GET_LENGTH(name) == 0 ||
        PyUnicode_READ_CHAR(name, 0) != 0xFEFF) {
        return 0;
    }
    PyObject *rest = PyUnicode_Substring(name, 1, PyUnicode_GET_LENGTH(name));
    if (rest == NULL) {
        return -1;
    }
    PyTuple_SET_ITEM(header, 0, rest); /* no other code has seen the tuple */
    Py_DECREF(name);
    return 0;
}

int
csv_records_key(csv_records *self, generators_state *state)
{
    csv_names *names = csv_names_new(state, self->header);
    if (names == NULL) {
        return -1;
    }
    self->width = PyTuple_GET_SIZE(csv_names_tuple(names));
    csv_block_set_names(csv_block_of(&self->parser), names);
    Py_DECREF((PyObject *)names);
    return 0;
}

/* The same for names that were read.  An error in them is an error of the first record. */
static int
records_key_by_header(csv_records *self, generators_state *state)
{
    int status = csv_records_key(self, state);
    const bool given = self->names != NULL && !PyDict_CheckExact(self->names);
    if (status < 0 && !given && PyErr_ExceptionMatches(PyExc_ValueError)) {
        PyObject *cause = PyErr_GetRaisedException();
        const data_place place = {
            .path = self->parser.path,
            .record = (int64_t)self->parser.record_count,
            .line = (int64_t)self->parser.line_count,
            .byte = -1,
        };
        PyErr_SetRaisedException(Py_NewRef(cause));
        csv_raise(state, &place, "%S", cause);
        Py_DECREF(cause);
    }
    return status;
}

/* A header of one column that holds another separator: raise CSVError.  0 or -1. */
static int
records_check_delimiter(csv_records *self, const fields_record *record, PyObject *header)
{
    static const char others[] = ";\t";
    PyObject *name = PyTuple_GET_SIZE(header) == 1 ? PyTuple_GET_ITEM(header, 0) : NULL;
    const uint32_t delimiter = self->parser.dialect.fields.set.delimiter;
    if (!self->guesses || delimiter != ',' || name == NULL || !PyUnicode_Check(name) ||
        (record->flags & (FIELDS_QUOTED | FIELDS_IRREGULAR))) {
        return 0;
    }
    for (const char *other = others; *other != '\0'; other++) {
        Py_ssize_t found =
            PyUnicode_FindChar(name, (Py_UCS4)*other, 0, PyUnicode_GET_LENGTH(name), 1);
        if (found >= 0) {
            PyErr_Format(PyExc_ValueError,
                         "the header has one column, %R: pass delimiter=%s, or delimiter=',' "
                         "if it is one",
                         name, *other == ';' ? "';'" : "'\\t'");
        }
        if (found != -1) {
            return -1;
        }
    }
    return 0;
}

/* Set *header to the first record, a new tuple. */
static csv_step
records_take_first(csv_records *self, generators_state *state, PyObject **header)
{
    bool fault, blank;
    const fields_record *record;
    do {
        csv_step step = csv_records_take(self, state, &record, &fault);
        if (step != CSV_DONE) {
            self->error_count += fault;
            return step;
        }
        blank = fields_count(&self->parser.machine, record) == 0;
    } while (blank && self->blank == CSV_BLANK_SKIP);
    if (blank && self->blank == CSV_BLANK_ERROR) {
        csv_records_raise_blank(self, state, record);
        self->error_count++;
        return CSV_RAISED_ERROR;
    }
    Py_ssize_t bad;
    *header = csv_record_tuple(&self->parser, state, record, &bad);
    if (*header == NULL && bad >= 0) {
        csv_raise_field(&self->parser, state, record, bad, NULL);
    }
    if (*header != NULL && records_check_delimiter(self, record, *header) < 0) {
        Py_CLEAR(*header);
        csv_records_blame_names(self, state);
    }
    return *header == NULL ? CSV_RAISED_ERROR : CSV_DONE;
}

/* Use a record (stolen) as the header.  0 or -1. */
static int
records_set_header(csv_records *self, generators_state *state, PyObject *header)
{
    if (records_drop_mark(header) < 0) {
        Py_DECREF(header);
        return -1;
    }
    PyObject *names = records_replace_names(self, state, header);
    Py_DECREF(header);
    if (names == NULL) {
        return -1;
    }
    if (csv_header_number(self, &names) < 0) {
        Py_DECREF(names);
        return -1;
    }
    self->header = names;
    return self->keyed ? records_key_by_header(self, state)
                       : csv_records_settle(self, state, self->header);
}

csv_step
csv_records_read_header(csv_records *self, generators_state *state)
{
    if (!self->reads_header) {
        return CSV_DONE;
    }
    csv_mark before;
    csv_records_mark_next(self, &before);
    PyObject *header;
    csv_step step = records_take_first(self, state, &header);
    if (step == CSV_MORE) {
        return step;
    }
    self->reads_header = false;
    if (step == CSV_OVER) {
        self->header = PyTuple_New(0);
        step = self->header == NULL ? CSV_RAISED_ERROR : CSV_DONE;
    }
    else if (step == CSV_DONE && records_set_header(self, state, header) < 0) {
        step = CSV_RAISED_ERROR;
    }
    if (step == CSV_RAISED_ERROR) {
        Py_CLEAR(self->header);
        self->mark = before; /* another reader starts with the header */
        self->marked = true;
    }
    return step;
}
