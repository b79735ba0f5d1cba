/* Values of the standard library: see library.h. */
#include "csv/row/library.h"

#include <datetime.h>

#include "core/spell_decimal.h"
#include "runtime/raising.h"

static int
import_once(generators_state *state, PyObject **place, const char *module_name,
            const char *name)
{
    if (generators_late(state, place) != NULL) {
        return 0;
    }
    PyObject *module = PyImport_ImportModule(module_name);
    PyObject *value = module == NULL ? NULL : PyObject_GetAttrString(module, name);
    Py_XDECREF(module);
    if (value == NULL) {
        return -1;
    }
    generators_set_late(state, place, value);
    return 0;
}

int
csv_import_dates(generators_state *state)
{
    if (state->datetime_api == NULL) {
        (void)PyDateTimeAPI; /* a static of the header, not used here */
        state->datetime_api = PyCapsule_Import(PyDateTime_CAPSULE_NAME, 0);
        if (state->datetime_api == NULL && raising_forgive_answer() < 0) {
            return -1;
        }
    }
    return import_once(state, &state->date, "datetime", "date") < 0 ||
                   import_once(state, &state->datetime, "datetime", "datetime") < 0 ||
                   import_once(state, &state->time, "datetime", "time") < 0
               ? -1
               : 0;
}

int
csv_import_decimal(generators_state *state)
{
    return import_once(state, &state->decimal, "decimal", "Decimal");
}

PyObject *
csv_new_date(generators_state *state, const number_date_value *v)
{
    PyDateTime_CAPI *api = state->datetime_api;
    if (api != NULL) {
        return api->Date_FromDate(v->year, v->month, v->day, api->DateType);
    }
    return PyObject_CallFunction(state->date, "iii", v->year, v->month, v->day);
}

PyObject *
csv_new_datetime(generators_state *state, const number_datetime_value *v)
{
    PyDateTime_CAPI *api = state->datetime_api;
    if (api != NULL) {
        return api->DateTime_FromDateAndTime(v->date.year, v->date.month, v->date.day, v->hour,
                                             v->minute, v->second, v->microsecond, Py_None,
                                             api->DateTimeType);
    }
    return PyObject_CallFunction(state->datetime, "iiiiiii", v->date.year, v->date.month,
                                 v->date.day, v->hour, v->minute, v->second, v->microsecond);
}

PyObject *
csv_new_time(generators_state *state, const number_datetime_value *v)
{
    PyDateTime_CAPI *api = state->datetime_api;
    if (api != NULL) {
        return api->Time_FromTime(v->hour, v->minute, v->second, v->microsecond, Py_None,
                                  api->TimeType);
    }
    return PyObject_CallFunction(state->time, "iiii", v->hour, v->minute, v->second,
                                 v->microsecond);
}

PyObject *
csv_new_decimal(generators_state *state, wide number, int scale)
{
    const uint32_t words[] = {(uint32_t)number.low, (uint32_t)(number.low >> 32),
                              (uint32_t)number.high, (uint32_t)(number.high >> 32)};
    char text[SPELL_DECIMAL_ROOM];
    size_t length = spell_decimal(words, 4, scale, text);
    return PyObject_CallFunction(state->decimal, "s#", text, (Py_ssize_t)length);
}
