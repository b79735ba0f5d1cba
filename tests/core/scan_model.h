/* What a kernel finds in a group of units, by a loop over them. */
#ifndef TESTS_SCAN_MODEL_H
#define TESTS_SCAN_MODEL_H

#include "core/scan.h"

#include <string.h>

static inline uint32_t
model_unit(const void *units, size_t i, int width)
{
    uint32_t unit = 0;
    uint16_t half;
    if (width == 1) {
        return ((const uint8_t *)units)[i];
    }
    if (width == 2) {
        memcpy(&half, (const uint8_t *)units + 2 * i, sizeof half);
        return half;
    }
    memcpy(&unit, (const uint8_t *)units + 4 * i, sizeof unit);
    return unit;
}

static inline uint64_t
bit_if(int condition, int i)
{
    return condition ? UINT64_C(1) << i : 0;
}

static inline scan_masks
expected_masks(const void *units, int width, const scan_set *set)
{
    scan_masks m = {0};
    int inside = 0;
    for (int i = 0; i < SCAN_GROUP; i++) {
        uint32_t c = model_unit(units, (size_t)i, width);
        inside ^= c == set->quote;
        m.delimiter |= bit_if(c == set->delimiter, i);
        m.quote |= bit_if(c == set->quote, i);
        m.inside |= bit_if(inside, i);
        m.escape |= bit_if(c == set->escape, i);
        m.end |= bit_if(c == '\n' || c == '\r', i);
        m.carriage |= bit_if(c == '\r', i);
        m.high |= bit_if(width > 1 || c >= 0x80, i);
    }
    return m;
}

#endif
