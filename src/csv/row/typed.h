/* The type of a column, and the values that it makes of text. */
#ifndef GENERATORS_CSV_ROW_TYPED_H
#define GENERATORS_CSV_ROW_TYPED_H

#include "state.h"

typedef enum {
    CSV_AS_READ, /* text, or the value that `quoting` makes of it */
    CSV_AS_STR,
    CSV_AS_INT,
    CSV_AS_FLOAT,
    CSV_AS_BOOL,
    CSV_AS_BYTES,
    CSV_AS_DECIMAL,
    CSV_AS_DATE,
    CSV_AS_DATETIME,
    CSV_AS_TIME,
    CSV_AS_STRIP,     /* text without whitespace around: a converter */
    CSV_AS_CONVERTER, /* what any other converter, `given`, makes of it */
    CSV_AS_CALL,      /* the result of calling `given` with the text */
    CSV_AS_GIVEN,     /* not read from a field: `given` itself, a default of the class */
} csv_kind;

typedef struct {
    csv_kind kind;
    bool allows_none;
    PyObject *given; /* owned: as the user named it, or NULL for CSV_AS_READ */
} csv_type;

/* Where a type comes from. */
typedef enum {
    CSV_TYPE_GIVEN, /* `types` */
    CSV_TYPE_HINT,  /* an annotation of a class */
    CSV_TYPE_LOOSE, /* the same; what can't be read is left as text to the class */
} csv_type_origin;

/* Read a type.  Errors name `column`.  0, or -1 with an exception set: TypeError for an object
   that is not a usable type. */
int csv_type_read(csv_type *self, generators_state *state, PyObject *given, PyObject *column,
                  csv_type_origin origin);

/* The value of ASCII, UTF-8 or (but for a converter) Latin-1 text, if it has one of the common
   spellings.  Otherwise NULL, with an exception set only if memory ran out. */
PyObject *csv_quick_value(const csv_type *type, generators_state *state, const uint8_t *text,
                          size_t count);

/* The value that Python itself gives for the text: a new reference or NULL. */
PyObject *csv_text_value(const csv_type *type, generators_state *state, PyObject *text);

/* Whether a CSVRow may hold the value.  The garbage collector does not track rows, so they
   must not be part of a cycle.  A row holds only values that are not tracked either, such as
   numbers, texts and dates, and Decimals, which refer to nothing.  1, 0 or -1. */
int csv_value_is_acyclic(generators_state *state, PyObject *value);

#endif
