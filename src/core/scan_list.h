/* Bit masks -> the positions of their bits, by instruction set: see scan_list_function in
 * scan.h.  Each scan_kernel names the one that its machine can run. */
#ifndef GENERATORS_CORE_SCAN_LIST_H
#define GENERATORS_CORE_SCAN_LIST_H

#include "core/scan.h"

void scan_list_scalar(const scan_ends *groups, size_t count, uint32_t at, scan_lists *to);
void scan_list_avx2(const scan_ends *groups, size_t count, uint32_t at, scan_lists *to);
void scan_list_vbmi2(const scan_ends *groups, size_t count, uint32_t at, scan_lists *to);
void scan_list_neon(const scan_ends *groups, size_t count, uint32_t at, scan_lists *to);

#endif
