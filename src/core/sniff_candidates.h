/* Which characters may be the delimiter, the quote and the escape of a text.
 *
 * Nothing is decided here: a candidate costs time, and one that is left out is never found.
 */
#ifndef GENERATORS_CORE_SNIFF_CANDIDATES_H
#define GENERATORS_CORE_SNIFF_CANDIDATES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/fields_types.h"
#include "core/sniff_bits.h"

#define SNIFF_DELIMITERS 10

/* What it costs that the text is a single column. */
#define SNIFF_SINGLE_COLUMN (16 * SNIFF_BIT)

typedef struct {
    uint32_t delimiter;
    uint32_t prior;   /* what it costs to choose it, in 64ths of a bit */
    bool with_quote;  /* a cell begins with '"' */
    bool with_single; /* cells begin and end with "'" */
    bool with_escape; /* an escape stands before it, or before a quote */
    bool with_space;  /* most of them have a blank after them */
} sniff_delimiter;

typedef struct {
    sniff_delimiter delimiters[SNIFF_DELIMITERS];
    size_t count;
} sniff_candidates;

/* Find the candidates of `length` units.  Units that are no ASCII are no candidates, but
   `declared`, which is the only one unless it is SCAN_ABSENT. */
void sniff_find_candidates(sniff_candidates *self, const void *text, int width, size_t length,
                           uint32_t declared);

#endif
