#include "csv/schema/ask.h"

/* Read what was returned.  0 or -1. */
static int
read_answer(csv_schema_asker *asker, schema_type type, PyObject *returned,
            schema_answer *answer)
{
    if (SCHEMA_NUMBERS & SCHEMA_BIT(type)) {
        PyObject *number = PyUnicode_AsASCIIString(returned), *before = asker->answered;
        if (number == NULL) {
            return -1;
        }
        asker->answered = number;
        Py_XDECREF(before);
        answer->number = (const uint8_t *)PyBytes_AS_STRING(number);
        answer->length = (size_t)PyBytes_GET_SIZE(number);
        return 0;
    }
    PyObject *value = returned;
    if (type == SCHEMA_DATETIME) {
        value = PyTuple_GetItem(returned, 0);
        PyObject *zoned = value == NULL ? NULL : PyTuple_GetItem(returned, 1);
        if (zoned == NULL) {
            return -1;
        }
        answer->zoned = zoned == Py_True;
    }
    answer->value = PyLong_AsLongLong(value);
    return answer->value == -1 && PyErr_Occurred() ? -1 : 0;
}

schema_verdict
csv_schema_ask(void *context, schema_type type, const uint8_t *text, size_t length,
               schema_answer *answer)
{
    csv_schema_asker *asker = context;
    PyObject *returned = PyObject_CallFunction(asker->ask, "is#", (int)type,
                                               (const char *)text, (Py_ssize_t)length);
    schema_verdict verdict = SCHEMA_NO;
    if (returned == NULL) {
        return SCHEMA_RAISED;
    }
    if (returned != Py_None) {
        verdict = read_answer(asker, type, returned, answer) < 0 ? SCHEMA_RAISED : SCHEMA_YES;
    }
    Py_DECREF(returned);
    return verdict;
}
