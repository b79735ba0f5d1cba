/* A count of references that any thread may change, with or without the interpreter. */
#ifndef GENERATORS_ARROW_REFERENCES_H
#define GENERATORS_ARROW_REFERENCES_H

#include <stdbool.h>

#ifdef _MSC_VER
#include <intrin.h>

typedef volatile long arrow_references;

static inline void
arrow_references_add(arrow_references *count)
{
    (void)_InterlockedIncrement(count);
}

/* Drop one reference.  Whether it was the last. */
static inline bool
arrow_references_drop(arrow_references *count)
{
    return _InterlockedDecrement(count) == 0;
}

#else
#include <stdatomic.h>

typedef atomic_long arrow_references;

static inline void
arrow_references_add(arrow_references *count)
{
    (void)atomic_fetch_add_explicit(count, 1, memory_order_relaxed);
}

/* Drop one reference.  Whether it was the last. */
static inline bool
arrow_references_drop(arrow_references *count)
{
    return atomic_fetch_sub_explicit(count, 1, memory_order_acq_rel) == 1;
}

#endif

#endif
