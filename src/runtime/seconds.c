/* Reading a number of seconds: see seconds.h.  User code: the number's __float__(). */
#include "runtime/seconds.h"

#include <math.h>

#include "core/clock.h"
#include "runtime/raising.h"

int
seconds_read(PyObject *given, const char *name, uint64_t *nanoseconds)
{
    *nanoseconds = SECONDS_FOREVER;
    if (given == Py_None) {
        return 0;
    }
    double seconds = PyFloat_AsDouble(given);
    if (seconds == -1.0 && PyErr_Occurred()) {
        if (!PyNumber_Check(given) && raising_forgive(PyExc_TypeError) == 0) {
            PyErr_Format(PyExc_TypeError, "%s must be a number of seconds, not '%.200s'", name,
                         Py_TYPE(given)->tp_name);
        }
        return -1;
    }
    if (isnan(seconds) || seconds < 0) {
        PyErr_Format(PyExc_ValueError, "%s must be None or at least 0, not %R", name, given);
        return -1;
    }
    double rounded = ceil(seconds * (double)CLOCK_SECOND);
    if (rounded < 9e18) {
        *nanoseconds = (uint64_t)rounded;
    }
    return 0;
}
