/* The step of an async stream that makes one item of many of its source's: pieces into chunks,
 * items into batches.
 *
 * It pulls until an item is ready, the source must be waited for, or other tasks must have
 * their turn.  What it waits for may have a deadline: see astream_pull_within().  A step that
 * is left loses nothing: what was taken is the owner's, and the source's step goes on.
 *
 * Inline, so that the compiler knows the functions.
 */
#ifndef GENERATORS_STREAM_GATHER_H
#define GENERATORS_STREAM_GATHER_H

#include "stream/astream.h"

#define GATHER_NO_PULL (ASTREAM_FOREVER - 1) /* instead of a time to pull for */

typedef struct {
    /* Before a pull: ASTREAM_AGAIN with how long it may last in *nanoseconds, which counts
       only if the stream is timed; or the outcome of the step.  ASTREAM_AGAIN with
       GATHER_NO_PULL: nothing is pulled, and prepare() is next. */
    astream_outcome (*prepare)(astream *face, void *context, uint64_t *nanoseconds,
                               PyObject **value);

    /* Take the answer to a pull, and *value if it is ASTREAM_GAVE.  ASTREAM_AGAIN: prepare()
       is next. */
    astream_outcome (*take)(astream *face, void *context, astream_answer answer,
                            PyObject **value);
} astream_gathering;

static inline astream_outcome
astream_gather_entered(astream *face, void *context, const astream_gathering *how,
                       PyObject **value)
{
    for (;;) {
        uint64_t nanoseconds = ASTREAM_FOREVER;
        astream_outcome outcome = how->prepare(face, context, &nanoseconds, value);
        if (outcome != ASTREAM_AGAIN) {
            return outcome;
        }
        if (nanoseconds == GATHER_NO_PULL) {
            if (astream_spend(face)) {
                return ASTREAM_AGAIN;
            }
            continue;
        }
        astream_answer answer = face->is_timed ? astream_pull_within(face, nanoseconds, value)
                                               : astream_pull(face, value);
        if (answer == ASTREAM_PENDING) {
            return ASTREAM_AWAIT;
        }
        outcome = how->take(face, context, answer, value);
        if (outcome != ASTREAM_AGAIN || astream_spend(face)) {
            return outcome;
        }
    }
}

static inline astream_outcome
astream_gather(astream *face, void *context, const astream_gathering *how,
               astream_answer answer, PyObject **value)
{
    if (answer != ASTREAM_ASKED) {
        astream_outcome outcome = how->take(face, context, answer, value);
        if (outcome != ASTREAM_AGAIN) {
            return outcome;
        }
    }
    bool entered = face->home != NULL;
    if (entered && astream_enter_source(face) < 0) {
        return ASTREAM_ERROR;
    }
    astream_outcome outcome = astream_gather_entered(face, context, how, value);
    astream_leave_source(face, entered);
    return outcome;
}

#endif
