/* Regular groups, read from their bit masks.  Only fields_feed.c includes this.
 *
 * `carry` (for masks) and fields.state (for the exact machine) hold the same information, so
 * one can be converted to the other at any unit.
 */
#ifndef GENERATORS_CORE_FIELDS_REGULAR_H
#define GENERATORS_CORE_FIELDS_REGULAR_H

#include "core/fields_types.h"
#include "core/units.h"

/* Groups for which one call of the kernel makes masks, and which are listed at once: at
 * most 64. */
#define FIELDS_BATCH 32

/* What one group hands to the next: the same as fields.state, for the states in which a group
   can end. */
typedef struct {
    uint64_t in_quote; /* all ones inside a quoted field */
    uint64_t closed;   /* 1 right after a closing quote */
    uint64_t may_open; /* 1 if a quote would open a field here */
    uint64_t after_carriage;
} carry;

/* What the masks of regular groups mean, one after another. */
typedef struct {
    scan_ends ends[FIELDS_BATCH];
    uint64_t inner[FIELDS_BATCH];         /* line ends inside quotes */
    uint64_t swallowed[FIELDS_BATCH + 1]; /* outside quotes, each '\n' that follows a '\r' */
    uint64_t any_ends, any_inner, any_swallowed;
    uint64_t quoted, doubled, high; /* bit i: some unit of group i is such */
} proof;

/* Find out what the masks of `groups` groups mean, up to the first that can't be proved
   regular. Returns how many were. `count` is the units in each: 64, or less if there is only
   one group, the last one of a feed.  `one_line`: line ends inside quotes are not regular. */
INLINE unsigned
prove_groups(proof *p, carry *c, const scan_masks *masks, unsigned groups, unsigned count,
             bool doublequote, bool stream, bool one_line)
{
    const uint64_t valid = ~UINT64_C(0) >> (SCAN_GROUP - count);
    const unsigned last = count - 1;
    uint64_t in_quote = c->in_quote, was_closed = c->closed, may_open = c->may_open;
    uint64_t after_carriage = c->after_carriage;
    uint64_t any_ends = 0, any_inner = 0, any_swallowed = 0, quoted = 0, doubled = 0, high = 0;
    unsigned i = 0;
    for (; i < groups; i++) {
        const scan_masks *m = &masks[i];
        const uint64_t end = m->end & valid, separators = m->delimiter | end;
        uint64_t opening = separators, inside = 0, closed = 0, inner = 0, swallowed = 0;
        if (m->escape) {
            break;
        }
        if (m->quote | in_quote | was_closed) {
            inside = m->inside ^ in_quote;
            closed = m->quote & ~inside;
            opening |= doublequote ? closed : 0;
            const uint64_t open = m->quote & inside;
            const uint64_t behind = closed << 1 | was_closed;
            const uint64_t opens_well = opening << 1 | may_open;
            const uint64_t closes_well = doublequote ? separators | m->quote : separators;
            const uint64_t broken = one_line ? end & inside : 0;
            if ((open & ~opens_well) | (behind & ~closes_well & valid) | broken) {
                break;
            }
            inner = end & inside;
            quoted |= UINT64_C(1) << i;
            doubled |= (uint64_t)((behind & open) != 0) << i;
        }
        uint64_t field_ends = separators & ~inside, record_ends = end & ~inside;
        if (!stream) {
            if (record_ends != 0) {
                break;
            }
            inner = 0;
        }
        else if (m->carriage | after_carriage) {
            const uint64_t carriage = m->carriage & valid;
            swallowed = (carriage << 1 | after_carriage) & end & ~carriage;
            after_carriage = carriage >> last & 1;
            inner &= ~swallowed;
            field_ends &= ~swallowed;
            record_ends &= ~swallowed;
            swallowed &= ~inside;
            any_swallowed |= swallowed;
        }
        any_ends |= field_ends;
        any_inner |= inner;
        high |= (uint64_t)((m->high & valid) != 0) << i;
        p->ends[i] = (scan_ends){field_ends, record_ends};
        p->inner[i] = inner;
        p->swallowed[i] = swallowed;
        in_quote = 0 - (inside >> last & 1);
        was_closed = closed >> last & 1;
        may_open = opening >> last & 1;
    }
    const uint64_t proved = i == 0 ? 0 : ~UINT64_C(0) >> (64 - i);
    p->swallowed[i] = 0;
    p->any_ends = any_ends;
    p->any_inner = any_inner;
    p->any_swallowed = any_swallowed;
    p->quoted = quoted & proved;
    p->doubled = doubled & proved;
    p->high = high;
    *c = (carry){in_quote, was_closed, may_open, after_carriage};
    return i;
}

/* The flags of what is in these groups: bit i stands for group i. */
INLINE uint32_t
proof_flags(const proof *p, uint64_t groups)
{
    return (p->quoted & groups ? FIELDS_QUOTED : 0) |
           (p->doubled & groups ? FIELDS_DOUBLED : 0) | (p->high & groups ? FIELDS_HIGH : 0);
}

INLINE uint32_t *
list_positions(uint32_t *out, uint64_t bits, uint32_t at)
{
    while (bits != 0) {
        *out++ = at + lowest_bit(bits);
        bits &= bits - 1;
    }
    return out;
}

/* Read groups of `count` units from self->pos on: as many of them as are regular.  Returns how
   many, and lists what ends in them. */
unsigned regular_groups(fields *self, carry *c, const scan_masks *masks, unsigned groups,
                        unsigned count);

#endif
