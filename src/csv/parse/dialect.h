/* The dialect: the formatting parameters in a form that the parser uses. */
#ifndef GENERATORS_CSV_PARSE_DIALECT_H
#define GENERATORS_CSV_PARSE_DIALECT_H

#include "core/fields.h"
#include "state.h"

/* csv's constants, which are part of its interface. */
enum {
    CSV_QUOTE_MINIMAL,
    CSV_QUOTE_ALL,
    CSV_QUOTE_NONNUMERIC,
    CSV_QUOTE_NONE,
    CSV_QUOTE_STRINGS,
    CSV_QUOTE_NOTNULL,
};

typedef struct {
    fields_dialect fields;
    int quoting;
    bool text_only;     /* every field is read as a str */
    bool plain;         /* and is its span, unless it has a quote or an escape */
    uint32_t quotechar; /* also under QUOTE_NONE, where fields.set has no quote */
} csv_dialect;

/* The formatting parameters as given; NULL for one that was not given. */
typedef struct {
    PyObject *dialect;
    PyObject *delimiter;
    PyObject *doublequote;
    PyObject *escapechar;
    PyObject *lineterminator;
    PyObject *quotechar;
    PyObject *quoting;
    PyObject *skipinitialspace;
    PyObject *strict;
} csv_parameters;

/* Read the parameters by the rules of CPython 3.13, with the standard module's exceptions.
   The limits are not changed.  0 or -1. */
int csv_dialect_read(csv_dialect *dialect, generators_state *state,
                     const csv_parameters *parameters);

/* The same, but returns the standard module's object for the parameters, a new reference, or
   NULL. */
PyObject *csv_dialect_make(csv_dialect *dialect, generators_state *state,
                           const csv_parameters *parameters);

/* The same for the arguments `dialect` (NULL if not given) and **fmtparams of a call. */
PyObject *csv_dialect_from_call(csv_dialect *dialect, generators_state *state,
                                PyObject *dialect_given, PyObject *fmtparams);

#endif
