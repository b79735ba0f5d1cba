/* CSVError for a field that can't be converted. */
#include "csv/row/field_error.h"

#include "csv/parse/fault.h"
#include "csv/row/convert.h"
#include "runtime/raising.h"

void
csv_raise_field(csv_parser *parser, generators_state *state, const fields_record *record,
                Py_ssize_t index, PyObject *name)
{
    PyObject *cause = PyErr_GetRaisedException();
    PyObject *column = name != NULL ? Py_NewRef(name) : PyLong_FromSsize_t(index);
    PyObject *text =
        column == NULL ? NULL : csv_field_text(parser, state, record, (uint32_t)index);
    if (text == NULL) {
        raising_chain(cause); /* the context of the MemoryError */
    }
    else {
        PyErr_SetRaisedException(cause);
        csv_parser_raise_at(parser, state, record,
                            fields_start(&parser->machine, record, (uint32_t)index), column,
                            text);
    }
    Py_XDECREF(column);
    Py_XDECREF(text);
}
