/* Lays out columns of numbers, dates and other values of fixed size: see columns.h. */
#ifndef GENERATORS_CORE_COLUMNS_VALUE_H
#define GENERATORS_CORE_COLUMNS_VALUE_H

#include "core/columns_content.h"

/* Lay out column `j`.  False if there is no memory. */
bool columns_lay_values(const columns_region *g, uint32_t j);

#endif
