/* How many bits it takes to write a text down as the table that a dialect makes of it.
 *
 * The right dialect gives the shortest description: rows that all have the same number of
 * fields, columns whose cells are of one type, numbers and dates instead of text, and no
 * delimiters or quotes left over within cells.  Every candidate describes the same text, so
 * the sums can be compared.
 */
#ifndef GENERATORS_CORE_SNIFF_SCORE_H
#define GENERATORS_CORE_SNIFF_SCORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/fields_types.h"
#include "core/sniff_comment.h"

typedef struct {
    uint64_t cost;    /* in 64ths of a bit */
    uint32_t records; /* whole ones that are not blank */
    uint32_t cells;   /* of these */
    uint32_t quoted;  /* cells in quotes */
    uint32_t doubled; /* those that hold a doubled quote */
    uint32_t escaped; /* cells that hold an escape */
    uint32_t damaged; /* text after the closing quote, or none */
} sniff_score;

/* Score `length` units.  `whole`: nothing follows them.  Otherwise the last record may be cut
   off, and what there is of it is only spelled, as comments are.  False if there is no
   memory. */
bool sniff_score_text(sniff_score *self, const fields_dialect *dialect,
                      const sniff_comment *comment, const scan_kernel *kernel,
                      const void *text, int width, size_t length, bool whole);

#endif
