/* The arguments that say what is around the records: skip, comment, footer, blank, multiline,
 * duplicates, and a line "sep=;".  Each function returns 0, or -1 with an exception set.
 */
#ifndef GENERATORS_CSV_ROWS_AROUND_H
#define GENERATORS_CSV_ROWS_AROUND_H

#include "csv/rows/records.h"

/* As they were given: borrowed; NULL for one that was not. */
typedef struct {
    PyObject *skip;
    PyObject *comment;
    PyObject *footer;
    PyObject *blank;
    PyObject *multiline;
    PyObject *duplicates;
} csv_around;

/* A delimiter of None, with the dialect 'excel', is the one of a line "sep=;".  *sep: whether
   it is; then it counts as not given. */
void csv_around_read_sep(csv_parameters *given, bool *sep);

/* Read what the machine must know, into a dialect that is known but for a line "sep=;". */
int csv_around_read_dialect(const csv_around *self, fields_dialect *dialect);

/* Read what the records must know. `kept`: what blank records are if `blank` was not given;
   `lists`: whether rows may be empty. */
int csv_around_read_records(const csv_around *self, csv_records *records, csv_blank blank,
                            bool lists);
int csv_around_read_duplicates(const csv_around *self, csv_records *records);

/* Tell the parser, which is open. */
int csv_around_open(const csv_around *self, csv_records *records, bool sep);

/* Read `header`, which is True, False or None: 1, 0, or -1 for not given; -2 with TypeError.
 */
int csv_around_read_header(PyObject *header);

#endif
