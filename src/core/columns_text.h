/* Lays out columns of texts: see columns.h. */
#ifndef GENERATORS_CORE_COLUMNS_TEXT_H
#define GENERATORS_CORE_COLUMNS_TEXT_H

#include "core/columns_content.h"

/* Lay out column `j`.  False if there is no memory. */
bool columns_lay_texts(const columns_region *g, uint32_t j);

/* How many records of the region fit, with `charge` bytes in the column before them.  -1 if
   there is no memory. */
int64_t columns_fitting(const columns_region *g, uint32_t j);

#endif
