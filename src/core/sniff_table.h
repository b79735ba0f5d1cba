/* What is around the records of a table, when its dialect is known: lines above it, comments,
 * and whether its first record is a header.
 *
 * The first records are enough; the rest of the text is not read.
 */
#ifndef GENERATORS_CORE_SNIFF_TABLE_H
#define GENERATORS_CORE_SNIFF_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/sniff_score.h"

typedef struct {
    uint32_t skip;     /* physical lines above the table */
    uint32_t titles;   /* records among them that are neither blank nor comments */
    uint32_t comments; /* records that are comments, above the table and within it */
    uint32_t doubtful; /* those that have as many fields as the table */
    uint32_t records;  /* of the table that were looked at, the first included */
    uint32_t columns;  /* fields that most of them have */
    int32_t
        header; /* how much speaks for a header, in halves of a bit; less than 0: against */
} sniff_table;

/* Look at `length` units, as sniff_score_text() does.  False if there is no memory. */
bool sniff_table_read(sniff_table *self, const fields_dialect *dialect,
                      const sniff_comment *comment, const scan_kernel *kernel,
                      const void *text, int width, size_t length, bool whole);

#endif
