/* CSVError: the DataError of CSV data, which is also a csv.Error. */
#include "csv/parse/error.h"

PyDoc_STRVAR(error_doc,
             "CSVError(*args)\n"
             "--\n\n"
             "Raised for CSV data that can't be read.  Its attributes say where the error\n"
             "is.\n"
             "\n"
             "It is a subclass of csv.Error and of DataError, and thus of ValueError.  An\n"
             "attribute that is unknown is None:\n"
             "\n"
             "    path    path of the file, or the name of the file object\n"
             "    record  number of the record, counted from 1, including the header and\n"
             "            blank records\n"
             "    line    number of the physical line with the error, counted from 1; for a\n"
             "            quote that is not closed, the line where it opens\n"
             "    record_line    number of the physical line where the record begins\n"
             "    byte    offset of the error in the source, in bytes\n"
             "    column  name of the column, or its index counted from 0\n"
             "    text    the text that can't be read, shortened\n"
             "    problems    a tuple of (column, text, message) for every field of the\n"
             "            record that can't be converted; () for other errors\n"
             "\n"
             "If another exception caused the error, that is its __cause__.");

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
