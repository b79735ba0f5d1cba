/* The rule of csv.writer for a field, one unit at a time: what is expected of core/quote.h. */
#ifndef TESTS_QUOTE_MODEL_H
#define TESTS_QUOTE_MODEL_H

#include "core/quote.h"

#include <stdbool.h>

#define LONGEST 400

static uint32_t expected[4 * LONGEST];
static size_t expected_length;

static void
expect(uint32_t unit)
{
    expected[expected_length++] = unit;
}

static bool
among(uint32_t unit, const uint32_t *units, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (units[i] == unit) {
            return true;
        }
    }
    return false;
}

/* False where a character cannot be escaped. */
static bool
say(const quote_dialect *d, const uint32_t *terminator, size_t length, const uint32_t *field,
    size_t count, bool quoted, bool separated)
{
    uint32_t body[2 * LONGEST];
    size_t body_length = 0;
    for (size_t i = 0; i < count; i++) {
        uint32_t unit = field[i];
        bool escape = false;
        if (unit == d->set.delimiter || unit == d->set.quote || unit == d->set.escape ||
            unit == '\n' || unit == '\r' || among(unit, terminator, length)) {
            escape = d->escapes || (unit == d->set.quote && !d->doublequote) ||
                     (unit != d->set.quote && unit == d->set.escape);
            quoted |= !escape;
            if (!escape && unit == d->set.quote) {
                body[body_length++] = unit;
            }
        }
        if (escape) {
            if (d->set.escape == SCAN_ABSENT) {
                return false;
            }
            body[body_length++] = d->set.escape;
        }
        body[body_length++] = unit;
    }
    if (separated) {
        expect(d->set.delimiter);
    }
    if (quoted) {
        expect(d->set.quote);
    }
    for (size_t i = 0; i < body_length; i++) {
        expect(body[i]);
    }
    if (quoted) {
        expect(d->set.quote);
    }
    return true;
}

#endif
