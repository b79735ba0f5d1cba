/* Lines that are comments: what they begin with. */
#ifndef GENERATORS_CORE_SNIFF_COMMENT_H
#define GENERATORS_CORE_SNIFF_COMMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/units.h"

typedef struct {
    uint8_t prefix[2];
    uint8_t length; /* 0: there are none */
} sniff_comment;

/* What comments of a text may begin with: lines do that are less than half of all. */
sniff_comment sniff_find_comment(const void *text, int width, size_t length);

/* Whether the text from `start` up to `end` begins so. */
static inline bool
sniff_is_comment(const sniff_comment *self, const void *text, int width, size_t start,
                 size_t end)
{
    if (self->length == 0 || end - start < self->length ||
        unit_at(text, start, width) != self->prefix[0]) {
        return false;
    }
    return self->length == 1 || unit_at(text, start + 1, width) == self->prefix[1];
}

#endif
