/* Finds out how a text is to be read: csv_sniff() without its files.
 *
 * Every candidate dialect parses the text with the machine of every reader, and the one that
 * describes it in the fewest bits is taken: see sniff_score.h.  All of them parse the first
 * SNIFF_FIRST units, and the best few the whole text, so that a long text costs little more
 * time a unit than to read it a few times.  No user code runs and nothing is kept between
 * calls.
 */
#ifndef GENERATORS_CORE_SNIFF_H
#define GENERATORS_CORE_SNIFF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/sniff_candidates.h"
#include "core/sniff_table.h"

#define SNIFF_FIRST ((size_t)32 * 1024)
#define SNIFF_MOST (SNIFF_DELIMITERS * 12)
#define SNIFF_BEST 4 /* that parse the whole text */

typedef struct {
    fields_dialect dialect; /* the delimiter is SCAN_ABSENT for a single column */
    sniff_score score;
    uint64_t prior; /* what it costs to choose it */
    uint64_t total; /* all costs, in 64ths of a bit */
} sniff_candidate;

typedef struct {
    sniff_candidate all[SNIFF_MOST]; /* best first */
    size_t count;                    /* at least 1 */
    size_t compared;                 /* how many parsed the whole text */
    sniff_comment comment;           /* length 0 for none */
    sniff_table table;
    bool declared; /* the first line says which delimiter: "sep=;" */
} sniff;

/* Find out about `length` units, which are less than 4 G.  `whole`: nothing follows them.
   False if there is no memory. */
bool sniff_text(sniff *self, const scan_kernel *kernel, const void *text, int width,
                size_t length, bool whole);

#endif
