/* The inside of a plan, for plan.c, settle.c and shape.c.
 *
 * A plan first holds what the user asked for (plan.c).  When the names are known, it is
 * settled (settle.c): each field that is built gets a column.  A row then takes one pass over
 * the columns (shape.c).
 */
#ifndef GENERATORS_CSV_ROW_PLAN_INNER_H
#define GENERATORS_CSV_ROW_PLAN_INNER_H

#include "csv/row/classes.h"
#include "csv/row/typed.h"

typedef enum {
    CSV_INTO_LIST,
    CSV_INTO_TUPLE,
    CSV_INTO_DICT,
    CSV_INTO_NAMED_TUPLE,
    CSV_INTO_DATACLASS, /* or another class that is called with names */
    CSV_INTO_CALL,
    CSV_INTO_ROW, /* CSVRow: makes a text when it is asked for */
} csv_into;

typedef enum {
    CSV_RAGGED_ALLOW,
    CSV_RAGGED_PAD,
    CSV_RAGGED_ERROR,
} csv_ragged;

typedef struct {
    uint32_t field; /* index in the record */
    csv_type type;
    bool by_default;   /* the type is that of all columns that have none */
    bool left_out;     /* it is not passed for a record that has no such field */
    PyObject *missing; /* owned: the value for such a record; NULL: None */
    PyObject *name;    /* owned: the name or index in errors; NULL for a default of a class */
} csv_column;

struct csv_plan {
    /* What the user asked for.  Every str is exact. */
    csv_into into;
    csv_ragged ragged;
    PyObject *target;        /* owned: the class or callable, or NULL */
    PyObject *init;          /* owned: the __init__ of `target`, if called directly, or NULL */
    PyObject *chosen;        /* owned: `columns` as a tuple, or NULL */
    PyObject *types;         /* owned: `types` as a dict, or NULL */
    PyObject *default_type;  /* owned: what `types` has under None, or NULL */
    PyObject *null;          /* owned: `null` as a tuple of str */
    csv_signature signature; /* of a class */
    bool direct;             /* NamedTuple: made here, as its own __new__ would make it */

    /* What this means for the records of the source. */
    bool settled;
    bool open;           /* all fields, however many, in order */
    uint32_t width;      /* fields that a record should have; 0 until known */
    PyObject *header;    /* owned: a tuple of names, or NULL */
    PyObject *places;    /* owned: the index of each name; NULL until one is looked up */
    PyObject *by_index;  /* owned: `types` by field index, or NULL */
    csv_column *columns; /* owned: `count` of them, in the order of the row */
    Py_ssize_t count;
    PyObject **values;  /* owned: room for the values of a row, and for one before them */
    PyObject *keywords; /* owned: the names of the last values in a call, or NULL */
    PyObject *model;    /* owned: dict rows are copies of this dict, or NULL */
    PyObject **last;    /* owned: the model's values, borrowed from it; NULL: all are None */
};

/* Whether a CSVRow makes the column's value when it is asked for. */
static inline bool
csv_column_is_text(const csv_column *column)
{
    return column->type.kind == CSV_AS_READ ||
           (column->type.kind == CSV_AS_STR && !column->type.allows_none);
}

#endif
