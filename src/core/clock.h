/* Time that never goes back, in nanoseconds from some moment on. */
#ifndef GENERATORS_CORE_CLOCK_H
#define GENERATORS_CORE_CLOCK_H

#include <stdint.h>

/* What the coarse clock may be behind by: a tick of the kernel's timer. */
#define CLOCK_COARSE_ERROR UINT64_C(16000000)

#define CLOCK_SECOND UINT64_C(1000000000)

uint64_t clock_precise(void);

/* The time of the last tick where the system keeps one, which costs a few
   loads; elsewhere the precise time. */
uint64_t clock_coarse(void);

/* Do nothing for that long, or less where a signal comes. */
void clock_sleep(uint64_t nanoseconds);

#endif
