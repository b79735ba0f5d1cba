/* How rows are made, as the user asked for it: see plan.c. */
#ifndef GENERATORS_CSV_ROW_PLAN_H
#define GENERATORS_CSV_ROW_PLAN_H

#include "state.h"

typedef struct csv_plan csv_plan;

/* Make a plan.  A parameter that was not given is NULL.  Returns NULL with an exception set.
 */
csv_plan *csv_plan_new(generators_state *state, PyObject *into, PyObject *columns,
                       PyObject *types, PyObject *null, PyObject *ragged);
void csv_plan_free(csv_plan *self); /* `self` may be NULL */
int csv_plan_traverse(csv_plan *self, visitproc visit, void *arg);

/* Resolve list[str] and the like: replace *into, which may be NULL, by a new reference to what
   it stands for, or to itself.  0 or -1. */
int csv_into_resolve(PyObject **into);

/* Whether rows have keys, or columns are chosen by name.  False if `self` is NULL. */
bool csv_plan_needs_names(const csv_plan *self);

/* Whether a row is a list (or, if *tuple, a tuple) of all fields as they are read.  Then no
 * plan is needed.
 */
bool csv_plan_is_plain(const csv_plan *self, bool *tuple);

/* Spellings of None need fields that are converted.  0, or -1 with ValueError. */
int csv_plan_check_null(const csv_plan *self);

/* Whether rows are lists or tuples, and whether they are also plain, without types. */
bool csv_plan_makes_lists(const csv_plan *self);
bool csv_plan_keeps_blank(const csv_plan *self);
bool csv_plan_is_ragged(const csv_plan *self);

/* The number of fields that a record should have, for checkpoints, if the first record
   determined it.  A plan that is not settled, or NULL, returns `unsettled`. */
uint32_t csv_plan_width(const csv_plan *self, uint32_t unsettled);

#endif
