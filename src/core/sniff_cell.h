/* What a cell looks like, and what it costs to spell it.
 *
 * The cost is the length of a code in which common characters of text are short, and numbers,
 * dates and times shorter than text with the same characters.  A cell of another delimiter's
 * table, such as "12;7", is long: it is text with a rare character in it.
 */
#ifndef GENERATORS_CORE_SNIFF_CELL_H
#define GENERATORS_CORE_SNIFF_CELL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/fields_types.h"
#include "core/sniff_shape.h"

typedef struct {
    sniff_type type;
    bool quoted;      /* it begins with a quote */
    bool damaged;     /* text follows the closing quote, or there is none */
    bool doubled;     /* a doubled quote is in it */
    bool escaped;     /* an escape is in it */
    uint32_t skipped; /* blanks before it, if the dialect skips them */
    uint32_t cost;    /* of its characters, in 64ths of a bit */
    uint32_t count;   /* of characters */
    uint32_t hash;    /* of its characters */
} sniff_cell;

/* Look at the field from `start` up to `end` of a block.  `hashes`: `hash` is wanted. */
void sniff_cell_read(sniff_cell *self, const fields_dialect *dialect, const void *block,
                     int width, size_t start, size_t end, bool hashes);

static inline bool
sniff_type_is_value(sniff_type type)
{
    return type >= SNIFF_INTEGER && type <= SNIFF_DATETIME;
}

#endif
