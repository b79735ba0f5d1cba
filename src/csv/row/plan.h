/* What becomes of each field of a record, decided once.
 *
 * A csv_plan holds first what the user asked for (csv_plan_read), then, when the
 * names are known, what that means for this file (csv_plan_settle): which
 * fields are built, in what order, each as what.  A row costs one pass over
 * its columns.  Rows that are plainly lists or tuples of all fields need no
 * plan: see csv_plan_is_plain().
 *
 *   plan.c    what was asked, and the plan's lifetime
 *   settle.c  what that means for a file
 *   classes.c what a NamedTuple or a dataclass takes
 *   typed.c   the text of a field -> a value
 *   shape.c   a record -> a row
 */
#ifndef GENERATORS_CSV_ROW_PLAN_H
#define GENERATORS_CSV_ROW_PLAN_H

#include "csv/parse/parser.h"
#include "csv/row/block.h"

typedef enum {
    CSV_INTO_LIST,
    CSV_INTO_TUPLE,
    CSV_INTO_DICT,
    CSV_INTO_NAMED_TUPLE,
    CSV_INTO_DATACLASS,
    CSV_INTO_CALL,
    CSV_INTO_ROW, /* CSVRow: what is text is made when it is asked for */
} csv_into;

typedef enum {
    CSV_RAGGED_ALLOW,
    CSV_RAGGED_PAD,
    CSV_RAGGED_ERROR,
} csv_ragged;

typedef enum {
    CSV_AS_READ, /* text, or what `quoting` makes of it */
    CSV_AS_STR,
    CSV_AS_INT,
    CSV_AS_FLOAT,
    CSV_AS_BOOL,
    CSV_AS_BYTES,
    CSV_AS_DECIMAL,
    CSV_AS_DATE,
    CSV_AS_DATETIME,
    CSV_AS_CALL,  /* what a callable makes of its text */
    CSV_AS_GIVEN, /* no field: `given` itself, a default of the class */
} csv_kind;

typedef struct {
    csv_kind kind;
    bool allows_none;
    PyObject *given; /* owned: as the user named it, or NULL for CSV_AS_READ */
} csv_type;

typedef struct {
    uint32_t field; /* its place in the record */
    csv_type type;
    PyObject *name; /* owned: what errors call it; NULL where it has none */
} csv_column;

/* One parameter of a class, in the order of its constructor. */
typedef struct {
    PyObject *name;  /* owned */
    PyObject *hint;  /* owned: its annotation, or NULL */
    bool optional;   /* it may be left out */
    bool keyword;    /* it must be given by name */
    PyObject *value; /* owned: what it is when left out, if the class tells, or NULL */
} csv_parameter;

typedef struct {
    csv_parameter *items; /* owned */
    Py_ssize_t count;
} csv_signature;

typedef struct {
    csv_into into;
    csv_ragged ragged;
    PyObject *target;        /* owned: the class or callable, or NULL */
    PyObject *init;          /* owned: the class's __init__, where that is called directly */
    PyObject *chosen;        /* owned: `columns` as a tuple, or NULL */
    PyObject *types;         /* owned: `types` as a dict, or NULL */
    PyObject *null;          /* owned: `null` as a tuple of str */
    csv_signature signature; /* of a NamedTuple or dataclass */
    bool direct;             /* NamedTuple: made as its own __new__ would */

    bool settled;
    bool open;           /* all fields, however many, in their order */
    uint32_t width;      /* fields that a record should have; 0 while not known */
    PyObject *header;    /* owned: the names, or NULL */
    PyObject *places;    /* owned: where each name is, once one was looked up, or NULL */
    PyObject *by_index;  /* owned: `types` by the index of the field, or NULL */
    csv_column *columns; /* owned: what is built, in order */
    Py_ssize_t count;
    PyObject **values;  /* owned: room for them, and one before them */
    PyObject *keywords; /* owned: names of the last values, or NULL */
    PyObject *model;    /* dict: owned: a dict of all keys, to be copied */
    PyObject **last;    /* owned: the model's values, borrowed from it; NULL: it keeps None */
} csv_plan;

/* Take the parameters (NULL for what was not given).  0 or -1. */
int csv_plan_read(csv_plan *self, generators_state *state, PyObject *into, PyObject *columns,
                  PyObject *types, PyObject *null, PyObject *ragged);
void csv_plan_free(csv_plan *self);
int csv_plan_traverse(csv_plan *self, visitproc visit, void *arg);

/* Rows are keyed by names, or columns chosen by them. */
bool csv_plan_needs_names(const csv_plan *self);

/* Lists or tuples of all fields as they are read. */
static inline bool
csv_plan_is_plain(const csv_plan *self)
{
    return self->into <= CSV_INTO_TUPLE && self->chosen == NULL && self->types == NULL &&
           self->ragged == CSV_RAGGED_ALLOW;
}

/* How many fields a record should have, if that was told by the first record; for
   checkpoints. */
static inline uint32_t
csv_plan_width(const csv_plan *self, uint32_t unsettled)
{
    return !self->settled ? unsettled : self->header == NULL ? self->width : 0;
}

/* A field that a CSVRow makes when it is asked for. */
static inline bool
csv_column_is_text(const csv_column *column)
{
    return column->type.kind == CSV_AS_READ ||
           (column->type.kind == CSV_AS_STR && !column->type.allows_none);
}

/* Settled, for CSVRows: have the parser's block lay out its rows.  0 or -1. */
int csv_plan_lay_out(const csv_plan *self, generators_state *state, csv_block *block);

/* Make the plan for records with these names (a tuple, or NULL), else of `width`
   fields.  0, or -1 with an exception set. */
int csv_plan_settle(csv_plan *self, generators_state *state, PyObject *header, uint32_t width);

/* Open plans: have `count` columns. */
int csv_plan_widen(csv_plan *self, generators_state *state, Py_ssize_t count);

/* ---- classes.c ---- */

/* What a class is called with.  0 or -1. */
int csv_signature_of_named_tuple(csv_signature *self, PyObject *type, bool *direct);
int csv_signature_of_dataclass(csv_signature *self, PyObject *type, PyObject **init);
void csv_signature_free(csv_signature *self);
int csv_signature_traverse(csv_signature *self, visitproc visit, void *arg);

/* ---- typed.c ---- */

/* What `types` or an annotation names.  0, or -1 with TypeError. */
int csv_type_read(csv_type *self, generators_state *state, PyObject *given, PyObject *column,
                  bool annotation);

/* The value of ASCII, UTF-8 or Latin-1 text if that is plain to see; else NULL, with
   an exception only where there is no memory. */
PyObject *csv_quick_value(const csv_type *type, generators_state *state, const uint8_t *text,
                          size_t count);

/* What Python makes of it: a new reference or NULL. */
PyObject *csv_text_value(const csv_type *type, generators_state *state, PyObject *text);

/* ---- shape.c ---- */

/* A record as a row: a new reference; NULL with an exception (*fault: it is a
   CSVError of this record), or without one where the record gives no row. */
PyObject *csv_plan_row(csv_plan *self, csv_parser *parser, generators_state *state,
                       const fields_record *record, bool *fault);

#endif
