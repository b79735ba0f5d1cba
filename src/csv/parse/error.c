/* CSVError: the DataError of CSV data, which is also a csv.Error. */
#include "csv/parse/error.h"

PyDoc_STRVAR(error_doc,
             "CSVError(*args)\n--\n\n"
             "Raised for CSV data that can't be read; says where it is.\n\n"
             "It is a csv.Error and a DataError, and so a ValueError.  An attribute is None\n"
             "if it is unknown:\n\n"
             "    path    of the file, or the file object's name\n"
             "    record  counted from 1, including the header and blank records\n"
             "    line    physical line, counted from 1, where it was found\n"
             "    byte    offset in the source, in bytes, where it was found\n"
             "    column  name of the column, or its index counted from 0\n"
             "    text    the offending text, shortened\n\n"
             "The exception that it comes from, if there is one, is its __cause__.");

PyObject *
csv_error_type(generators_state *state)
{
    static const char *const names[] = {"column", NULL};
    return data_error_subclass("native_generators.CSVError", error_doc,
                               PyTuple_Pack(2, state->csv_base_error, state->data_error),
                               names);
}

void
csv_raise(generators_state *state, const data_place *place, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    data_error_raise_va(state->csv_error, place, format, arguments);
    va_end(arguments);
}
