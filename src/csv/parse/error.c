/* CSVError: the DataError of CSV data, which is also a csv.Error. */
#include "csv/parse/error.h"

PyDoc_STRVAR(error_doc,
             "CSVError(*args)\n--\n\n"
             "Raised for CSV data that can't be read; says where it is.\n\n"
             "It is a csv.Error and a DataError, and so a ValueError.  An attribute is None\n"
             "if it is unknown:\n\n"
             "    path    of the file, or the file object's name\n"
             "    record  counted from 1, including the header and blank records\n"
             "    line    physical line, counted from 1, where it was found: of a quote that\n"
             "            is not closed, where it opens\n"
             "    record_line    the physical line where the record begins\n"
             "    byte    offset in the source, in bytes, where it was found\n"
             "    column  name of the column, or its index counted from 0\n"
             "    text    the offending text, shortened\n"
             "    problems    a tuple of (column, text, message) for every field of the\n"
             "            record that can't be converted; () for other errors\n\n"
             "The exception that it comes from, if there is one, is its __cause__.");

PyObject *
csv_error_type(generators_state *state)
{
    static const char *const names[] = {"column", "record_line", NULL};
    PyObject *type =
        data_error_subclass("native_generators.CSVError", error_doc,
                            PyTuple_Pack(2, state->csv_base_error, state->data_error), names);
    PyObject *none = type == NULL ? NULL : PyTuple_New(0);
    if (none == NULL || data_error_add_attribute(type, "problems", none) < 0) {
        Py_CLEAR(type);
    }
    Py_XDECREF(none);
    return type;
}

void
csv_raise(generators_state *state, const data_place *place, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    data_error_raise_va(state->csv_error, place, format, arguments);
    va_end(arguments);
}
