/* The async front end of chunks: see achunks.h.
 *
 * It pulls items until a chunk is ready.  While bytes are held, it waits for the source no
 * longer than the bytes may be held.  Then they go out, and the source's step continues
 * without it.
 *
 * User code runs in the source and in the machine, while the stream is `running`.
 */
#include "chunks/achunks.h"

#include "stream/gather.h"

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

/* A step: what achunks_step() is given. */
typedef struct {
    bool *asked;
    chunks *machine;
    const chunks_kind *kind;
} achunks;

/* Take the chunk that is ready.  ASTREAM_AGAIN if there is none and more must be fed. */
static astream_outcome
achunks_prepare(astream *Py_UNUSED(face), void *context, uint64_t *nanoseconds,
                PyObject **value)
{
    achunks *self = context;
    chunks *machine = self->machine;
    if (!*self->asked) {
        *self->asked = true;
        chunks_ask(machine);
    }
    *value = chunks_take(machine);
    if (*value != NULL) {
        *self->asked = false;
        return ASTREAM_ITEM;
    }
    if (PyErr_Occurred()) {
        return ASTREAM_ERROR;
    }
    if (machine->holding) {
        *nanoseconds = GATHER_NO_PULL;
        return chunks_feed_more(machine, self->kind) < 0 && !chunks_fail(machine)
                   ? ASTREAM_ERROR
                   : ASTREAM_AGAIN;
    }
    *nanoseconds = achunks_time_left(machine);
    return machine->finished ? ASTREAM_END : ASTREAM_AGAIN;
}

/* Take the `answer` to a pull.  ASTREAM_AGAIN if the next chunk may now be ready. */
static astream_outcome
achunks_take_answer(astream *face, void *context, astream_answer answer, PyObject **value)
{
    achunks *self = context;
    PyObject *item = answer == ASTREAM_GAVE ? *value : NULL;
    if (item != NULL && chunks_is_whole(self->machine, self->kind, item)) {
        *self->asked = false;
        return ASTREAM_ITEM;
    }
    *value = NULL;
    if (achunks_feed(face, self->machine, self->kind, answer, item) < 0 &&
        !chunks_fail(self->machine)) {
        return ASTREAM_ERROR;
    }
    return ASTREAM_AGAIN;
}

static const astream_gathering achunks_gathering = {achunks_prepare, achunks_take_answer};

astream_outcome
achunks_step(bool *asked, astream *face, chunks *machine, const chunks_kind *kind,
             astream_answer answer, PyObject **value)
{
    achunks self = {asked, machine, kind};
    return astream_gather(face, &self, &achunks_gathering, answer, value);
}
