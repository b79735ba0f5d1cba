/* Keywords of other libraries: see foreign.c. */
#ifndef GENERATORS_CSV_ROWS_FOREIGN_H
#define GENERATORS_CSV_ROWS_FOREIGN_H

#include "state.h"

/* The arguments could not be parsed.  If a keyword is one of another library, say what it is
   called here.  `function` is "csv_rows" or the like. */
void csv_foreign_explain(PyObject *kwargs, const char *function);

#endif
