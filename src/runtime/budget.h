/* How long what is always ready may keep an event loop from running.
 *
 * The clock is read once in several items: rarely where an item takes nanoseconds, for each
 * where one takes long.
 */
#ifndef GENERATORS_RUNTIME_BUDGET_H
#define GENERATORS_RUNTIME_BUDGET_H

#include <stdbool.h>
#include <stdint.h>

typedef struct {
    unsigned unchecked; /* items until the clock is read */
    unsigned stride;    /* how many that is; 0 before the first reading */
    unsigned ready;     /* items since `since` */
    uint64_t since;     /* the start of this turn; 0: the next reading starts it */
    uint64_t checked;   /* when the clock was last read */
} turn_budget;

/* Read the clock: whether the turn has been long enough. */
bool budget_look(turn_budget *self);

/* Count one item that was ready at once: whether the loop must have its turn now. */
static inline bool
budget_spend(turn_budget *self)
{
    if (self->unchecked > 0) {
        self->unchecked--;
        return false;
    }
    return budget_look(self);
}

/* A turn starts now. */
void budget_start(turn_budget *self);

/* It was left: the next item starts one. */
static inline void
budget_stop(turn_budget *self)
{
    self->since = 0;
}

#endif
