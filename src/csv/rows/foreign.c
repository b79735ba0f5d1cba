/* Keywords that other libraries have, and what is used in place of them. */
#include "csv/rows/foreign.h"

#include "runtime/raising.h"

#define LISTS "itertools.islice(rows, n)"

static const struct {
    const char *name;
    const char *ours;
} foreign[] = {
    {"batch_size", "rows= of csv_batches()"},
    {"chunksize", "csv_batches(source, rows=n), or batched(csv_rows(source), n)"},
    {"col_names", "names"},
    {"column_names", "names"},
    {"column_types", "types"},
    {"comment_char", "comment"},
    {"comment_prefix", "comment"},
    {"commentstr", "comment"},
    {"converters", "types"},
    {"decimal_point", "types, with a converter"},
    {"delim", "delimiter"},
    {"delim_whitespace", "delimiter=' ' and skipinitialspace=True"},
    {"dtype", "types"},
    {"dtypes", "types"},
    {"encoding_errors", "errors"},
    {"escape_char", "escapechar"},
    {"fieldnames", "names (with header=False if the file has no header)"},
    {"has_header", "header"},
    {"ignore_errors", "on_error='skip'"},
    {"include_columns", "columns"},
    {"infer_schema_length", "types"},
    {"keep_default_na", "null"},
    {"mangle_dupe_cols", "duplicates='number'"},
    {"n_rows", LISTS},
    {"na_values", "null"},
    {"new_columns", "names"},
    {"nrows", LISTS},
    {"null_values", "null"},
    {"nullstr", "null"},
    {"on_bad_lines", "on_error"},
    {"parse_dates", "types, such as {'day': datetime.date}"},
    {"quote", "quotechar"},
    {"quote_char", "quotechar"},
    {"restkey", "ragged='allow'"},
    {"restval", "ragged='pad'"},
    {"sep", "delimiter"},
    {"separator", "delimiter"},
    {"skip_blank_lines", "blank='skip' or blank='keep'"},
    {"skip_rows", "skip"},
    {"skipfooter", "footer"},
    {"skiprows", "skip"},
    {"truncate_ragged_lines", "ragged"},
    {"use_cols", "columns"},
    {"usecols", "columns"},
};

void
csv_foreign_explain(PyObject *kwargs, const char *function)
{
    if (kwargs == NULL || !PyErr_ExceptionMatches(PyExc_TypeError)) {
        return;
    }
    PyObject *error = PyErr_GetRaisedException();
    for (size_t i = 0; i < Py_ARRAY_LENGTH(foreign); i++) {
        PyObject *name = PyUnicode_FromString(foreign[i].name);
        int given = name == NULL ? -1 : PyDict_Contains(kwargs, name);
        Py_XDECREF(name);
        if (given < 0) {
            raising_chain(error);
            return;
        }
        if (given) {
            PyErr_Format(PyExc_TypeError,
                         "%s() got an unexpected keyword argument '%s': use %s", function,
                         foreign[i].name, foreign[i].ours);
            Py_DECREF(error);
            return;
        }
    }
    PyErr_SetRaisedException(error);
}
