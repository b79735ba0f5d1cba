/* Dates, times and datetimes of Python as text: see moments.c. */
#ifndef GENERATORS_CSV_WRITE_MOMENTS_H
#define GENERATORS_CSV_WRITE_MOMENTS_H

#include "core/spell_time.h"
#include "state.h"

/* Write str() of a date, time or datetime to `text`, which has SPELL_TIME_ROOM, with another
   character between date and time if `between` is no space, and return its length.  0 if the
   value is anything else, of another class, or has a time zone other than UTC; -1 with an
   exception set. */
Py_ssize_t csv_moment_text(generators_state *state, PyObject *value, char between, char *text);

#endif
