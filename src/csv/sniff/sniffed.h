/* csv_sniffed(): what core/sniff.h finds out about a str. */
#ifndef GENERATORS_CSV_SNIFF_SNIFFED_H
#define GENERATORS_CSV_SNIFF_SNIFFED_H

#include "state.h"

/* Add the function to the module.  0 or -1. */
int csv_sniffed_add(PyObject *module);

#endif
