/* acsv_batches: the records of an async CSV source as Arrow record batches. */
#ifndef GENERATORS_CSV_BATCHES_ABATCHES_H
#define GENERATORS_CSV_BATCHES_ABATCHES_H

#include "state.h"

extern PyType_Spec acsv_batches_spec;

#endif
