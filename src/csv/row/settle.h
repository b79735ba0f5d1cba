/* Settles a plan for the names of one source: see settle.c. */
#ifndef GENERATORS_CSV_ROW_SETTLE_H
#define GENERATORS_CSV_ROW_SETTLE_H

#include "csv/row/block.h"
#include "csv/row/plan.h"

/* Settle the plan for records with these names (a tuple) or, if `header` is NULL, of `width`
   fields.  0, or -1 with an exception set. */
int csv_plan_settle(csv_plan *self, generators_state *state, PyObject *header, uint32_t width);

/* Find the field that a name or an index refers to, for that parameter.  0, or -1 with
   ValueError. */
int csv_plan_find_field(csv_plan *self, const char *parameter, PyObject *column,
                        uint32_t *index);

/* Make a settled plan that is open have `count` columns.  0 or -1. */
int csv_plan_widen(csv_plan *self, generators_state *state, Py_ssize_t count);

/* Give the parser's block the layout of the CSVRows of a settled plan.  0 or -1. */
int csv_plan_lay_out(const csv_plan *self, generators_state *state, csv_block *block);

#endif
