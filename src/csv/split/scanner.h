/* csv_scanner: a range of bytes in, what every reader would pass in it out. */
#ifndef GENERATORS_CSV_SPLIT_SCANNER_H
#define GENERATORS_CSV_SPLIT_SCANNER_H

#include "state.h"

extern PyType_Spec csv_scanner_spec;

#endif
