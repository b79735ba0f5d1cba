/* Finds out how a text is to be read: csv_sniff() without its files.
 *
 * Every candidate dialect parses the text with the machine of every reader, and the one that
 * describes it in the fewest bits is taken: see sniff_score.h.  No user code runs and nothing
 * is kept between calls.  The time is proportional to the length.
 */
#ifndef GENERATORS_CORE_SNIFF_H
#define GENERATORS_CORE_SNIFF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/fields_types.h"
#include "core/sniff_score.h"

typedef struct {
    fields_dialect dialect; /* the delimiter is SCAN_ABSENT for a single column */
    sniff_score score;
    uint64_t total; /* the cost, with what it costs to choose the dialect */
    bool valid;
} sniff_candidate;

/* SNIFF_MOST candidates: those of SNIFF_DELIMITERS delimiters. */
#define SNIFF_MOST 64

typedef struct {
    sniff_candidate all[SNIFF_MOST];
    size_t count;
    const sniff_candidate *best;
} sniff;

bool sniff_text(sniff *self, const scan_kernel *kernel, const void *text, int width,
                size_t length, bool whole);

#endif
