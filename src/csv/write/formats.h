/* How values are written, where that is not as csv.writer does: see formats.c. */
#ifndef GENERATORS_CSV_WRITE_FORMATS_H
#define GENERATORS_CSV_WRITE_FORMATS_H

#include "core/spell.h"
#include "state.h"

/* The parameters as they were given, borrowed.  NULL or None means not given. */
typedef struct {
    PyObject *null, *yes, *no, *float_format, *datetime_format, *decimal;
} csv_given_formats;

/* Zeros: as csv.writer writes, but for what pandas has in place of None. */
typedef struct {
    PyObject *null;     /* owned: the text of None, or NULL */
    PyObject *yes;      /* owned: the text of True, or NULL */
    PyObject *no;       /* owned: the text of False, or NULL */
    PyObject *datetime; /* owned: the class, if datetimes have a format; or NULL */
    PyObject *moments;  /* owned: what strftime() is given, or NULL for isoformat() */
    char float_type;    /* of PyOS_double_to_string(); 0: floats have no format */
    int float_precision;
    int float_flags;
    bool comma;       /* the decimal point is a comma */
    bool nan_is_null; /* so is the NaN of a float, and of a Decimal */
} csv_formats;

/* The struct must be zeros.  0 or -1. */
int csv_formats_open(csv_formats *self, const csv_given_formats *given);
void csv_formats_close(csv_formats *self);
int csv_formats_traverse(const csv_formats *self, visitproc visit, void *arg);

static inline bool
csv_formats_has_floats(const csv_formats *self)
{
    return self->float_type != 0 || self->comma || self->nan_is_null;
}

/* The text of a float. */
typedef struct {
    char room[SPELL_ROOM];
    char *owned;      /* NULL, or what csv_number_free() frees */
    const char *text; /* ASCII */
    size_t count;
} csv_number;

/* Write a float: 1; 0 if it is written as None; or -1.  The number must be freed only after
   1. */
int csv_formats_float(const csv_formats *self, double value, csv_number *number);
void csv_number_free(csv_number *number);

/* Make the decimal point of a text a comma, if that is asked for. */
void csv_formats_set_point(const csv_formats *self, char *text, size_t count);

/* The text of a value that is no exact str, int, float, bool or None: 1 with a new reference,
   0 if it is written as None, or -1.  Runs code of the user's. */
int csv_formats_text(const csv_formats *self, PyObject *value, PyObject **text);

#endif
