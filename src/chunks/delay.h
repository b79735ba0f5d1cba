/* How long what is held may wait: `max_delay`. */
#ifndef GENERATORS_CHUNKS_DELAY_H
#define GENERATORS_CHUNKS_DELAY_H

#include "core/clock.h"
#include "runtime/seconds.h"

typedef struct {
    uint64_t (*clock)(void); /* NULL if the time does not matter */
    uint64_t most;           /* nanoseconds; 0: not at all; SECONDS_FOREVER */
    uint64_t since;          /* when the first of what is held came */
} delay;

/* The clock for a delay of so many nanoseconds, or NULL if the time does not matter. */
static inline uint64_t (*delay_clock(uint64_t nanoseconds))(void)
{
    return nanoseconds == 0 || nanoseconds == SECONDS_FOREVER ? NULL
           : nanoseconds >= 4 * CLOCK_COARSE_ERROR            ? clock_coarse
                                                              : clock_precise;
}

/* Read `max_delay`.  0 or -1. */
static inline int
delay_open(delay *self, PyObject *given)
{
    if (seconds_read(given, "max_delay", &self->most) < 0) {
        return -1;
    }
    self->clock = delay_clock(self->most);
    return 0;
}

/* The first item has come. */
static inline void
delay_start(delay *self)
{
    if (self->clock != NULL) {
        self->since = self->clock();
    }
}

/* How long what is held may still wait. */
static inline uint64_t
delay_left(const delay *self)
{
    if (self->clock == NULL) {
        return self->most;
    }
    uint64_t held = self->clock() - self->since;
    return held < self->most ? self->most - held : 0;
}

#endif
