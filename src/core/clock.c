#ifndef _WIN32
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* -std=c11 hides the clocks otherwise */
#endif
#endif
#include "core/clock.h"

#ifdef _WIN32
#define WIN32_LEAN_AND_MEAN
#include <windows.h>

uint64_t
clock_precise(void)
{
    LARGE_INTEGER count, frequency;
    QueryPerformanceCounter(&count);
    QueryPerformanceFrequency(&frequency);
    uint64_t c = (uint64_t)count.QuadPart, f = (uint64_t)frequency.QuadPart;
    return c / f * CLOCK_SECOND + c % f * CLOCK_SECOND / f;
}

uint64_t
clock_coarse(void)
{
    return GetTickCount64() * UINT64_C(1000000);
}

void
clock_sleep(uint64_t nanoseconds)
{
    Sleep((DWORD)(nanoseconds / UINT64_C(1000000)));
}

#else
#include <time.h>

static uint64_t
read_clock(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (uint64_t)t.tv_sec * CLOCK_SECOND + (uint64_t)t.tv_nsec;
}

uint64_t
clock_precise(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

uint64_t
clock_coarse(void)
{
#ifdef CLOCK_MONOTONIC_COARSE
    return read_clock(CLOCK_MONOTONIC_COARSE);
#else
    return read_clock(CLOCK_MONOTONIC);
#endif
}

void
clock_sleep(uint64_t nanoseconds)
{
    struct timespec t = {.tv_sec = (time_t)(nanoseconds / CLOCK_SECOND),
                         .tv_nsec = (long)(nanoseconds % CLOCK_SECOND)};
    nanosleep(&t, NULL);
}
#endif
