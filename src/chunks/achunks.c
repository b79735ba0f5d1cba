/* The asynchronous face of chunks: see achunks.h.
 *
 * Items are pulled until a chunk is ready.  While bytes are held, a step of the source is
 * waited for no longer than they may be: then they go out, and the step stays under way
 * (see pending.h).
 *
 * User code runs in the source and in the machine, under the stream's `running`.
 */
#include "chunks/achunks.h"

/* How long the source may be waited for: nanoseconds, or ASOURCE_NEVER. */
static uint64_t
time_left(const chunks *machine)
{
    const coalescer *c = &machine->machine;
    if (machine->clock == NULL || coalescer_is_empty(c)) {
        return ASOURCE_NEVER;
    }
    uint64_t held = c->waiting ? machine->clock() - c->since : 0;
    return held < c->delay ? c->delay - held : 0;
}

/* Feed what was pulled, or the end.  0 or -1. */
static int
feed(astream *face, chunks *machine, const chunks_kind *kind, astream_answer answer,
     PyObject *item)
{
    generators_state *state = generators_state_of((PyObject *)face);
    if (answer == ASTREAM_FAILED) {
        return -1;
    }
    if (answer == ASTREAM_ENDED) {
        return kind->end(machine);
    }
    if (asource_is_late(item) || item == state->flush) {
        coalescer_flush(&machine->machine);
        Py_XDECREF(item);
        return 0;
    }
    int status = kind->take(machine, state, item, face->pulled - 1);
    Py_DECREF(item);
    if (status == 0) {
        chunks_tick(machine);
    }
    return status;
}

/* The chunk that is ready, if any: ASTREAM_AGAIN where more must be fed. */
static astream_outcome
take_chunk(achunks *self, chunks *machine, PyObject **value)
{
    if (!self->asked) {
        self->asked = true;
        chunks_ask(machine);
    }
    *value = chunks_take(machine);
    if (*value != NULL) {
        self->asked = false;
        return ASTREAM_ITEM;
    }
    return PyErr_Occurred() ? ASTREAM_ERROR : machine->finished ? ASTREAM_END : ASTREAM_AGAIN;
}

astream_outcome
achunks_step(achunks *self, astream *face, chunks *machine, const chunks_kind *kind,
             astream_answer answer, PyObject **value)
{
    if (answer == ASTREAM_ASKED) {
        astream_outcome outcome = take_chunk(self, machine, value);
        if (outcome != ASTREAM_AGAIN) {
            return outcome;
        }
        answer = asource_pull(&self->source, face, time_left(machine), value);
        if (answer == ASTREAM_PENDING) {
            return ASTREAM_AWAIT;
        }
    }
    else {
        answer = asource_answer(&self->source, face, answer, value);
    }
    PyObject *item = answer == ASTREAM_GAVE ? *value : NULL;
    if (item != NULL && chunks_is_whole(machine, kind, item)) {
        self->asked = false;
        return ASTREAM_ITEM;
    }
    *value = NULL;
    if (feed(face, machine, kind, answer, item) < 0 && !chunks_fail(machine)) {
        return ASTREAM_ERROR;
    }
    return ASTREAM_AGAIN;
}
