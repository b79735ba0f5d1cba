/* Bit masks -> the positions of their bits.
 *
 * A mask stands for a group of 64 units, bit i for unit i of it.  There is one function for
 * each kind of machine; each scan_kernel (scan.h) names the one that its machine can run.
 */
#ifndef GENERATORS_CORE_SCAN_LIST_H
#define GENERATORS_CORE_SCAN_LIST_H

#include <stddef.h>
#include <stdint.h>

#define SCAN_GROUP 64

/* What ends in a group. */
typedef struct {
    uint64_t fields;
    uint64_t records; /* only where a field ends too */
} scan_ends;

/* What is listed of groups. */
typedef struct {
    uint32_t *ends;     /* where each field ends; room for 64 more for each group */
    size_t ends_length; /* less than 4 G */
    uint32_t *lasts;    /* ends_length after each record; room for 64 more for each group, and
                           SCAN_LISTED_AHEAD */
    size_t lasts_length;
} scan_lists;

#define SCAN_LISTED_AHEAD 2

/* List what ends in `count` groups.  The first unit of the first one is at `at`.  Entries of
   the arrays behind their lengths may change, as far as there must be room. */
typedef void (*scan_list_function)(const scan_ends *groups, size_t count, uint32_t at,
                                   scan_lists *to);

void scan_list_scalar(const scan_ends *groups, size_t count, uint32_t at, scan_lists *to);
void scan_list_avx2(const scan_ends *groups, size_t count, uint32_t at, scan_lists *to);
void scan_list_vbmi2(const scan_ends *groups, size_t count, uint32_t at, scan_lists *to);
void scan_list_neon(const scan_ends *groups, size_t count, uint32_t at, scan_lists *to);

#endif
