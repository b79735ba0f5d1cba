/* Steps that split.c and split_feed.c share.  No other file includes this.
 *
 * split.c begins and ends a range, joins spans, and lets lanes that became the same go on as
 * one.  split_feed.c reads bytes.
 */
#ifndef GENERATORS_CORE_SPLIT_INNER_H
#define GENERATORS_CORE_SPLIT_INNER_H

#include "core/split_types.h"
#include "core/units.h"

/* What is in split.steps: the next state, and what the byte does. */
enum {
    STEP_STATE = 7,
    STEP_ENDS_RECORD = 8,
    STEP_ENDS_FIELD = 16,
};

/* The bits below bit `at`, which may be 64. */
INLINE uint64_t
bits_below(uint32_t at)
{
    return at < 64 ? (UINT64_C(1) << at) - 1 : ~UINT64_C(0);
}

#endif
