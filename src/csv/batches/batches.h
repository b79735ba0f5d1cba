/* csv_batches: the records of a CSV source as Arrow record batches. */
#ifndef GENERATORS_CSV_BATCHES_BATCHES_H
#define GENERATORS_CSV_BATCHES_BATCHES_H

#include "state.h"

extern PyType_Spec csv_batches_spec;

#endif
