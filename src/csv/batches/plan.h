/* Which columns a batch has, and of which types: see plan.c. */
#ifndef GENERATORS_CSV_BATCHES_PLAN_H
#define GENERATORS_CSV_BATCHES_PLAN_H

#include "arrow/batch.h"
#include "core/columns_types.h"
#include "csv/parse/parser.h"
#include "csv/row/plan.h"

typedef struct {
    columns_spec spec; /* all but `field` */
    char *zone;        /* owned: of a timestamp; or NULL */
} csv_batch_type;

typedef struct {
    /* What the user asked for, beside what the csv_plan holds. */
    PyObject *schema;      /* owned: a dict of exact str to the index in `asked`; or NULL */
    csv_batch_type *asked; /* owned: the types of `schema` */
    Py_ssize_t asked_count;

    /* What this means for the records of the source. */
    bool settled;
    columns_spec *specs; /* owned */
    PyObject **names;    /* owned: the name of each, an exact str, owned as well */
    PyObject **rules;    /* owned: the converter that specs[].rule is of, owned as well; or
                            NULL */
    uint32_t count;
    arrow_fields *fields; /* owned, and shared once nothing is undecided */
    bool *free;           /* owned: whether it is in neither `types` nor `schema` */
    bool *undecided;      /* owned: whether its values are in UTC depends on the first one */
    uint32_t undecided_count;
    PyObject *null_bytes; /* owned: a tuple of bytes, which `nulls` points into */
    columns_text *nulls;  /* owned */
    columns_layout layout;
} csv_batch_plan;

/* Read `schema` and check `types`, which the csv_plan holds.  0 or -1. */
int csv_batch_plan_read(csv_batch_plan *self, generators_state *state, const csv_plan *rows,
                        PyObject *schema);
void csv_batch_plan_clear(csv_batch_plan *self);

/* Settle it, after the csv_plan was settled.  0, or -1 with an exception set: ValueError for a
   request that the names do not allow. */
int csv_batch_plan_settle(csv_batch_plan *self, const csv_plan *rows,
                          const csv_parser *parser);

/* Settle it for a source without any record: there are no columns.  0 or -1. */
int csv_batch_plan_settle_empty(csv_batch_plan *self);

/* Before anything is laid out: give the columns that the user gave no type those of the schema
   in a capsule.  0, or -1 with an exception set: ValueError if that can't be. */
int csv_batch_plan_request(csv_batch_plan *self, const csv_parser *parser, PyObject *capsule);

/* Before records are laid out: set what depends on the parser's units and, from the first
   values, what is undecided.  `rows` is how many more rows the batch may have: the values of
   the first batch decide, however the source is cut into pieces.  0 or -1. */
int csv_batch_plan_look(csv_batch_plan *self, generators_state *state,
                        const csv_parser *parser, int64_t rows);

/* What is still undecided has no zone. */
void csv_batch_plan_decide(csv_batch_plan *self);

#endif
