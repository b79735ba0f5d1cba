/* The async front end of chunks: see achunks.h.
 *
 * It pulls items until a chunk is ready.  While bytes are held, it waits for the source no
 * longer than the bytes may be held.  Then they go out, and the source's step continues
 * without it.
 *
 * User code runs in the source and in the machine, while the stream is `running`.
 */
#include "chunks/achunks.h"

/* How long it may wait for the source: nanoseconds, or ASTREAM_FOREVER. */
static uint64_t
achunks_time_left(const chunks *machine)
{
    const coalescer *c = &machine->machine;
    if (machine->clock == NULL || coalescer_is_empty(c)) {
        return ASTREAM_FOREVER;
    }
    uint64_t held = c->waiting ? machine->clock() - c->since : 0;
    return held < c->delay ? c->delay - held : 0;
}

/* Feed the item that was pulled (stolen), or the end.  0 or -1. */
static int
achunks_feed(astream *face, chunks *machine, const chunks_kind *kind, astream_answer answer,
             PyObject *item)
{
    generators_state *state = generators_state_of((PyObject *)face);
    switch (answer) {
    case ASTREAM_FAILED:
        return -1;
    case ASTREAM_ENDED:
        return kind->end(machine);
    case ASTREAM_LATE:
        coalescer_flush(&machine->machine);
        return 0;
    default:
        break;
    }
    if (item == state->flush) {
        coalescer_flush(&machine->machine);
        Py_DECREF(item);
        return 0;
    }
    int status = kind->take(machine, state, item, face->pulled - 1);
    Py_DECREF(item);
    if (status == 0) {
        chunks_tick(machine);
    }
    return status;
}

/* Take the chunk that is ready.  ASTREAM_AGAIN if there is none and more must be fed. */
static astream_outcome
achunks_take(bool *asked, chunks *machine, PyObject **value)
{
    if (!*asked) {
        *asked = true;
        chunks_ask(machine);
    }
    *value = chunks_take(machine);
    if (*value != NULL) {
        *asked = false;
        return ASTREAM_ITEM;
    }
    return PyErr_Occurred() ? ASTREAM_ERROR : machine->finished ? ASTREAM_END : ASTREAM_AGAIN;
}

/* Take the `answer` to a pull.  ASTREAM_AGAIN if the next chunk may now be ready. */
static astream_outcome
achunks_take_answer(bool *asked, astream *face, chunks *machine, const chunks_kind *kind,
                    astream_answer answer, PyObject **value)
{
    PyObject *item = answer == ASTREAM_GAVE ? *value : NULL;
    if (item != NULL && chunks_is_whole(machine, kind, item)) {
        *asked = false;
        return ASTREAM_ITEM;
    }
    *value = NULL;
    if (achunks_feed(face, machine, kind, answer, item) < 0 && !chunks_fail(machine)) {
        return ASTREAM_ERROR;
    }
    return ASTREAM_AGAIN;
}

/* Pull and feed until a chunk is ready, the source must be waited for, or other tasks must
   have a turn. */
static astream_outcome
achunks_pull(bool *asked, astream *face, chunks *machine, const chunks_kind *kind,
             PyObject **value)
{
    for (;;) {
        astream_outcome outcome = achunks_take(asked, machine, value);
        if (outcome != ASTREAM_AGAIN) {
            return outcome;
        }
        if (machine->holding) {
            if (chunks_feed_more(machine, kind) < 0 && !chunks_fail(machine)) {
                return ASTREAM_ERROR;
            }
            if (astream_spend(face)) {
                return ASTREAM_AGAIN;
            }
            continue;
        }
        astream_answer answer = astream_pull_within(face, achunks_time_left(machine), value);
        if (answer == ASTREAM_PENDING) {
            return ASTREAM_AWAIT;
        }
        outcome = achunks_take_answer(asked, face, machine, kind, answer, value);
        if (outcome != ASTREAM_AGAIN || astream_spend(face)) {
            return outcome;
        }
    }
}

astream_outcome
achunks_step(bool *asked, astream *face, chunks *machine, const chunks_kind *kind,
             astream_answer answer, PyObject **value)
{
    if (answer != ASTREAM_ASKED) {
        astream_outcome outcome =
            achunks_take_answer(asked, face, machine, kind, answer, value);
        if (outcome != ASTREAM_AGAIN) {
            return outcome;
        }
    }
    bool entered = face->home != NULL;
    if (entered && astream_enter_source(face) < 0) {
        return ASTREAM_ERROR;
    }
    astream_outcome outcome = achunks_pull(asked, face, machine, kind, value);
    astream_leave_source(face, entered);
    return outcome;
}
