/* A number of seconds: see seconds.h.  User code runs in its __float__() and __repr__(). */
#include "runtime/seconds.h"

#include <math.h>

#include "core/clock.h"
#include "runtime/raising.h"

#define MOST 9e18 /* nanoseconds that a clock can count */

int
seconds_read(PyObject *given, const char *name, bool takes_zero, uint64_t *nanoseconds)
{
    double seconds = PyFloat_AsDouble(given);
    if (seconds == -1.0 && PyErr_Occurred()) {
        if (!PyNumber_Check(given) && raising_forgive(PyExc_TypeError) == 0) {
            PyErr_Format(PyExc_TypeError, "%s must be a number of seconds, not '%.200s'", name,
                         Py_TYPE(given)->tp_name);
        }
        return -1;
    }
    if (isnan(seconds) || seconds < 0 || (seconds == 0 && !takes_zero)) {
        PyErr_Format(PyExc_ValueError, "%s must be %s seconds, not %R", name,
                     takes_zero ? "at least 0" : "more than 0", given);
        return -1;
    }
    double counted = ceil(seconds * (double)CLOCK_SECOND);
    *nanoseconds = counted < MOST ? (uint64_t)counted : SECONDS_FOREVER;
    return 0;
}
