/* A clock that never goes back, in nanoseconds from an unspecified start. */
#ifndef GENERATORS_CORE_CLOCK_H
#define GENERATORS_CORE_CLOCK_H

#include <stdint.h>

/* How far the coarse clock may be behind: one tick of the kernel's timer. */
#define CLOCK_COARSE_ERROR UINT64_C(16000000)

#define CLOCK_SECOND UINT64_C(1000000000)

uint64_t clock_precise(void);

/* The time of the last tick, if the system has such a clock; reading it costs a few loads.
   Elsewhere the precise time. */
uint64_t clock_coarse(void);

/* Sleep that long, or less if a signal arrives. */
void clock_sleep(uint64_t nanoseconds);

#endif
