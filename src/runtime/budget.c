/* The fairness budget: see budget.h.
 *
 * A turn ends after a millisecond, which costs less than one part in a hundred, or after
 * BUDGET_ITEMS, should the clock stand still.
 */
#include "runtime/budget.h"

#include "core/clock.h"

#define BUDGET_TIME (CLOCK_SECOND / 1000)
#define BUDGET_ITEMS 16384
#define BUDGET_STRIDE 64 /* items between two readings of the clock, at most */

/* Where the turn was left since the last reading, `elapsed` has more in it than the items. */
static void
adapt_stride(turn_budget *self, uint64_t elapsed)
{
    if (elapsed < BUDGET_TIME / 16) {
        self->stride = self->stride < BUDGET_STRIDE ? 2 * self->stride : BUDGET_STRIDE;
    }
    else if (elapsed > BUDGET_TIME / 4 && self->since != 0) {
        self->stride = self->stride > 8 ? self->stride / 8 : 1;
    }
}

bool
budget_look(turn_budget *self)
{
    uint64_t now = clock_precise();
    if (self->stride == 0) {
        self->stride = 1;
    }
    else {
        adapt_stride(self, now - self->checked);
    }
    self->checked = now;
    self->unchecked = self->stride - 1;
    if (self->since == 0) {
        self->since = now;
        self->ready = 0;
    }
    self->ready += self->stride;
    if (now - self->since < BUDGET_TIME && self->ready < BUDGET_ITEMS) {
        return false;
    }
    self->since = 0;
    return true;
}

void
budget_start(turn_budget *self)
{
    self->checked = self->since = clock_precise();
    self->ready = 0;
}
