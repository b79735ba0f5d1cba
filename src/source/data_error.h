/* DataError, and raising it or a subclass with its place. */
#ifndef GENERATORS_SOURCE_DATA_ERROR_H
#define GENERATORS_SOURCE_DATA_ERROR_H

#include <stdarg.h>

#include "state.h"

/* Where an error is.  What is unknown is NULL or -1. */
typedef struct {
    PyObject *path;      /* borrowed: a str */
    int64_t record;      /* from 1; every record of the source counts */
    int64_t line;        /* physical, from 1 */
    int64_t byte;        /* from 0 */
    PyObject *column;    /* borrowed: a name, or an index from 0 */
    PyObject *text;      /* borrowed: the wrong text; a long str is shortened */
    int64_t record_line; /* where the record begins; 0 if unknown.  Not told in the message */
    PyObject *problems;  /* borrowed: for errors that have them; or NULL */
} data_place;

PyObject *data_error_type(void);

/* Make a class of errors with these bases, a tuple that is stolen and may be NULL, and these
   attributes, which are None unless they are set.  `attributes` ends with NULL. */
PyObject *data_error_subclass(const char *name, const char *doc, PyObject *bases,
                              const char *const *attributes);

/* Give such a class an attribute.  0 or -1. */
int data_error_add_attribute(PyObject *type, const char *name, PyObject *value);

/* Raise an error of a class that has the attributes of DataError, and `column` if the place
   has one.  The place is also told in the message.  If an exception is set, it becomes the
   cause. */
void data_error_raise_va(PyObject *type, const data_place *place, const char *format,
                         va_list arguments);
void data_error_raise(PyObject *type, const data_place *place, const char *format, ...);

/* The bytes as text for `data_place.text`, cut short: what is not UTF-8 is written as \xNN.  A
   new reference, or NULL. */
PyObject *data_error_excerpt(const void *bytes, size_t count);

#endif
