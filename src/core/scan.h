/* 64 code units at a time -> bit masks of the characters that matter, and these -> positions.
 *
 * There is one kernel for each instruction set; the caller chooses one and keeps it.  A kernel
 * is stateless.  All that it knows of CSV is which characters to look for.  Bit i of a mask
 * stands for unit i of the group.  All kernels make the same masks; `scalar` always exists.
 */
#ifndef GENERATORS_CORE_SCAN_H
#define GENERATORS_CORE_SCAN_H

#include <stddef.h>
#include <stdint.h>

#include "core/scan_list.h"

#define SCAN_KERNELS 8
#define SCAN_ABSENT UINT32_MAX

/* The characters to look for.  SCAN_ABSENT for one that is not used. */
typedef struct {
    uint32_t delimiter;
    uint32_t quote;
    uint32_t escape;
} scan_set;

typedef struct {
    uint64_t delimiter;
    uint64_t quote;
    uint64_t inside; /* prefix XOR of quote: from each odd quote up to the next */
    uint64_t escape;
    uint64_t end;      /* '\n' or '\r' */
    uint64_t carriage; /* '\r' */
    uint64_t high;     /* 1-byte units: 0x80 and above; wider ones: every unit */
} scan_masks;

/* Scan `groups` whole groups of 64 units. `units` needs no alignment. */
typedef void (*scan_function)(const void *units, size_t groups, const scan_set *set,
                              scan_masks *masks);

typedef struct {
    const char *name;
    scan_function scan[3]; /* for units of 1, 2 and 4 bytes: see scan_units */
    scan_list_function list;
    /* How many bytes from the start are known to be valid UTF-8: see utf8_blocks.h. */
    size_t (*utf8_blocks)(const uint8_t *bytes, size_t count);
} scan_kernel;

/* Write the kernels that this machine can run to `kernels`, best first, then NULL.  There are
   at most SCAN_KERNELS entries. */
void scan_kernels(const scan_kernel **kernels);

/* The kernel of that name, or the best one if `name` is NULL.  NULL if this machine has no
   such kernel. */
const scan_kernel *scan_choose(const char *name);

static inline void
scan_units(const scan_kernel *kernel, const void *units, size_t groups, int width,
           const scan_set *set, scan_masks *masks)
{
    kernel->scan[width >> 1](units, groups, set, masks);
}

#endif
