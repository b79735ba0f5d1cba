/* Reads the formatting parameters.
 *
 * The standard module's own Dialect checks them, so that its exceptions are raised.  The rules
 * are those of 3.13.  What 3.11 and 3.12 do not accept or do not check is added here.
 */
#include "csv/parse/dialect.h"
#include "runtime/raising.h"

/* Set *quoting to a new reference: `quoting` if it was given, or else the dialect's, or else
   NULL.  As in csv, an attribute that can't be read counts as not given.  0 or -1. */
static int
read_quoting(PyObject *given, PyObject *dialect, PyObject **quoting)
{
    if (given != NULL || dialect == NULL) {
        *quoting = Py_XNewRef(given);
        return 0;
    }
    *quoting = PyObject_GetAttrString(dialect, "quoting");
    return *quoting == NULL ? raising_forgive_answer() : 0;
}

static PyObject *
registered_dialect(PyObject *name)
{
    /* Importing csv registers the standard dialects. */
    PyObject *csv = PyImport_ImportModule("csv");
    if (csv == NULL) {
        return NULL;
    }
    PyObject *dialect = PyObject_CallMethod(csv, "get_dialect", "O", name);
    Py_DECREF(csv);
    return dialect;
}

static int
add(PyObject *keywords, const char *name, PyObject *value)
{
    return value == NULL ? 0 : PyDict_SetItemString(keywords, name, value);
}

/* Make the standard module's Dialect from the parameters, with `quoting` in place of the
   user's. */
static PyObject *
standard_dialect(generators_state *state, PyObject *base, const csv_parameters *p,
                 PyObject *quoting)
{
    PyObject *result = NULL;
    PyObject *keywords = PyDict_New();
    PyObject *arguments = base == NULL ? PyTuple_New(0) : PyTuple_Pack(1, base);
    if (keywords != NULL && arguments != NULL &&
        add(keywords, "delimiter", p->delimiter) == 0 &&
        add(keywords, "doublequote", p->doublequote) == 0 &&
        add(keywords, "escapechar", p->escapechar) == 0 &&
        add(keywords, "lineterminator", p->lineterminator) == 0 &&
        add(keywords, "quotechar", p->quotechar) == 0 &&
        add(keywords, "quoting", quoting) == 0 &&
        add(keywords, "skipinitialspace", p->skipinitialspace) == 0 &&
        add(keywords, "strict", p->strict) == 0) {
        result = PyObject_Call(state->csv_dialect, arguments, keywords);
    }
    Py_XDECREF(keywords);
    Py_XDECREF(arguments);
    return result;
}

static int
read_character(PyObject *dialect, const char *name, uint32_t *character)
{
    PyObject *value = PyObject_GetAttrString(dialect, name);
    if (value == NULL) {
        return -1;
    }
    *character = SCAN_ABSENT;
    if (PyUnicode_Check(value) && PyUnicode_GET_LENGTH(value) == 1) {
        *character = PyUnicode_READ_CHAR(value, 0);
    }
    Py_DECREF(value);
    return 0;
}

static int
read_flag(PyObject *dialect, const char *name, bool *flag)
{
    PyObject *value = PyObject_GetAttrString(dialect, name);
    int truth = value == NULL ? -1 : PyObject_IsTrue(value);
    Py_XDECREF(value);
    *flag = truth > 0;
    return truth < 0 ? -1 : 0;
}

#if PY_VERSION_HEX < 0x030D0000
/* ---- the checks that came with 3.13 ---- */

static int
check_character(const char *name, uint32_t c, PyObject *terminator, bool blank_allowed)
{
    if (c == SCAN_ABSENT) {
        return 0;
    }
    if (c == '\r' || c == '\n' || (c == ' ' && !blank_allowed)) {
        PyErr_Format(PyExc_ValueError, "bad %s value", name);
        return -1;
    }
    Py_ssize_t at = PyUnicode_FindChar(terminator, c, 0, PyUnicode_GET_LENGTH(terminator), 1);
    if (at >= 0) {
        PyErr_Format(PyExc_ValueError, "bad %s or lineterminator value", name);
    }
    return at == -1 ? 0 : -1;
}

static int
check_distinct(const char *one, const char *other, uint32_t a, uint32_t b)
{
    if (a == b && a != SCAN_ABSENT) {
        PyErr_Format(PyExc_ValueError, "bad %s or %s value", one, other);
        return -1;
    }
    return 0;
}

static int
check_as_3_13(PyObject *standard, const fields_dialect *d, uint32_t quotechar)
{
    PyObject *terminator = PyObject_GetAttrString(standard, "lineterminator");
    if (terminator == NULL) {
        return -1;
    }
    const scan_set *set = &d->set;
    int status = -1;
    if (check_character("delimiter", set->delimiter, terminator, true) == 0 &&
        check_character("escapechar", set->escape, terminator, !d->skip_space) == 0 &&
        check_character("quotechar", quotechar, terminator, !d->skip_space) == 0 &&
        check_distinct("delimiter", "escapechar", set->delimiter, set->escape) == 0 &&
        check_distinct("delimiter", "quotechar", set->delimiter, quotechar) == 0 &&
        check_distinct("escapechar", "quotechar", set->escape, quotechar) == 0) {
        status = 0;
    }
    Py_DECREF(terminator);
    return status;
}

#else
#define check_as_3_13(standard, dialect, quotechar) ((void)(quotechar), 0)
#endif

/* 3.11 does not know QUOTE_STRINGS and QUOTE_NOTNULL.  QUOTE_ALL stands in for them, because
   3.13 makes the same checks for all three. */
static int
stand_in_quoting(PyObject *quoting, int *value, PyObject **stand_in)
{
    *stand_in = Py_XNewRef(quoting);
    *value = -1;
    if (quoting != NULL && PyLong_CheckExact(quoting)) {
        long number = PyLong_AsLong(quoting);
        if (number == -1 && PyErr_Occurred()) {
            /* The value is too large, and the standard module refuses it. */
            if (raising_forgive(PyExc_OverflowError) < 0) {
                return -1;
            }
        }
        else if (number == CSV_QUOTE_STRINGS || number == CSV_QUOTE_NOTNULL) {
            *value = (int)number;
            PyObject *all = PyLong_FromLong(CSV_QUOTE_ALL);
            Py_XSETREF(*stand_in, all);
            return all == NULL ? -1 : 0;
        }
    }
    return 0;
}

static void
set_quoting(csv_dialect *dialect, int quoting, uint32_t quotechar)
{
    fields_dialect *d = &dialect->fields;
    dialect->quoting = quoting;
    dialect->text_only = quoting < CSV_QUOTE_STRINGS && quoting != CSV_QUOTE_NONNUMERIC;
    dialect->plain = dialect->text_only && !d->skip_space;
    dialect->quotechar = quotechar;
    d->set.quote = quoting == CSV_QUOTE_NONE ? SCAN_ABSENT : quotechar;
}

static int
read_standard(csv_dialect *dialect, PyObject *standard, int quoting)
{
    uint32_t quotechar;
    fields_dialect *d = &dialect->fields;
    if (read_character(standard, "delimiter", &d->set.delimiter) < 0 ||
        read_character(standard, "escapechar", &d->set.escape) < 0 ||
        read_character(standard, "quotechar", &quotechar) < 0 ||
        read_flag(standard, "doublequote", &d->doublequote) < 0 ||
        read_flag(standard, "skipinitialspace", &d->skip_space) < 0 ||
        read_flag(standard, "strict", &d->strict) < 0) {
        return -1;
    }
    if (quoting < 0) {
        PyObject *value = PyObject_GetAttrString(standard, "quoting");
        quoting = value == NULL ? -1 : (int)PyLong_AsLong(value);
        Py_XDECREF(value);
        if (quoting < 0) {
            return -1;
        }
    }
    set_quoting(dialect, quoting, quotechar);
    return check_as_3_13(standard, d, quotechar);
}

/* The standard module's Dialect().  Most readers and writers are given no parameter, and many
   are made for a single line. */
static PyObject *
default_dialect(csv_dialect *dialect, generators_state *state)
{
    fields_dialect *d = &dialect->fields;
    d->set.delimiter = ',';
    d->set.escape = SCAN_ABSENT;
    d->doublequote = true;
    d->skip_space = false;
    d->strict = false;
    set_quoting(dialect, CSV_QUOTE_MINIMAL, '"');
    return Py_NewRef(state->csv_default_dialect);
}

static bool
none_given(const csv_parameters *p)
{
    return p->dialect == NULL && p->delimiter == NULL && p->doublequote == NULL &&
           p->escapechar == NULL && p->lineterminator == NULL && p->quotechar == NULL &&
           p->quoting == NULL && p->skipinitialspace == NULL && p->strict == NULL;
}

PyObject *
csv_dialect_make(csv_dialect *dialect, generators_state *state,
                 const csv_parameters *parameters)
{
    PyObject *base = NULL, *quoting = NULL, *stand_in = NULL, *standard = NULL;
    int value;

    if (none_given(parameters)) {
        return default_dialect(dialect, state);
    }
    if (parameters->dialect != NULL) {
        base = PyUnicode_Check(parameters->dialect) ? registered_dialect(parameters->dialect)
                                                    : Py_NewRef(parameters->dialect);
        if (base == NULL) {
            return NULL;
        }
    }
    if (read_quoting(parameters->quoting, base, &quoting) < 0 ||
        stand_in_quoting(quoting, &value, &stand_in) < 0) {
        goto done;
    }
    standard = standard_dialect(state, base, parameters, stand_in);
    if (standard != NULL && read_standard(dialect, standard, value) < 0) {
        Py_CLEAR(standard);
    }
done:
    Py_XDECREF(base);
    Py_XDECREF(quoting);
    Py_XDECREF(stand_in);
    return standard;
}

int
csv_dialect_read(csv_dialect *dialect, generators_state *state,
                 const csv_parameters *parameters)
{
    PyObject *standard = csv_dialect_make(dialect, state, parameters);
    Py_XDECREF(standard);
    return standard == NULL ? -1 : 0;
}

/* Set the parameters, as borrowed references, from **fmtparams.  0 or -1. */
static int
dialect_sort_parameters(csv_parameters *p, PyObject *fmtparams)
{
    const struct {
        const char *name;
        PyObject **place;
    } known[] = {
        {"dialect", &p->dialect},
        {"delimiter", &p->delimiter},
        {"doublequote", &p->doublequote},
        {"escapechar", &p->escapechar},
        {"lineterminator", &p->lineterminator},
        {"quotechar", &p->quotechar},
        {"quoting", &p->quoting},
        {"skipinitialspace", &p->skipinitialspace},
        {"strict", &p->strict},
    };
    Py_ssize_t at = 0;
    PyObject *name, *value;
    while (PyDict_Next(fmtparams, &at, &name, &value)) {
        size_t i = 0;
        while (i < Py_ARRAY_LENGTH(known) &&
               PyUnicode_CompareWithASCIIString(name, known[i].name) != 0) {
            i++;
        }
        if (i == Py_ARRAY_LENGTH(known)) {
            PyErr_Format(PyExc_TypeError,
                         "this function got an unexpected keyword argument '%U'", name);
            return -1;
        }
        if (*known[i].place != NULL) {
            PyErr_Format(PyExc_TypeError, "argument for '%U' given twice", name);
            return -1;
        }
        *known[i].place = value;
    }
    return 0;
}

PyObject *
csv_dialect_from_call(csv_dialect *dialect, generators_state *state, PyObject *dialect_given,
                      PyObject *fmtparams)
{
    csv_parameters parameters = {.dialect = dialect_given};
    if (fmtparams != NULL && dialect_sort_parameters(&parameters, fmtparams) < 0) {
        return NULL;
    }
    return csv_dialect_make(dialect, state, &parameters);
}
