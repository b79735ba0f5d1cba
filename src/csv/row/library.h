/* Values of the standard library: dates, times and Decimals.
 *
 * datetime and decimal are imported when a column first needs them.  The C interface of
 * datetime is used if its capsule can be imported; not every subinterpreter can do this.
 * Otherwise the class is called.
 */
#ifndef GENERATORS_CSV_ROW_LIBRARY_H
#define GENERATORS_CSV_ROW_LIBRARY_H

#include "core/number_moment.h"
#include "core/wide.h"
#include "state.h"

/* Import what values of dates and times, or of Decimals, are made with.  0 or -1. */
int csv_import_dates(generators_state *state);
int csv_import_decimal(generators_state *state);

/* Make a value, after its class was imported: a new reference, or NULL. */
PyObject *csv_new_date(generators_state *state, const number_date_value *value);
PyObject *csv_new_datetime(generators_state *state, const number_datetime_value *value);
PyObject *csv_new_time(generators_state *state, const number_datetime_value *value);

/* The Decimal of number * 10^-scale. */
PyObject *csv_new_decimal(generators_state *state, wide number, int scale);

#endif
