/* Checks UTF-8 one vector at a time. */
#ifndef GENERATORS_CORE_UTF8_BLOCKS_H
#define GENERATORS_CORE_UTF8_BLOCKS_H

#include <stddef.h>
#include <stdint.h>

/* How many bytes from the start are whole, valid UTF-8 sequences.  These functions may return
   less than utf8_valid_prefix() does, but never stop within a sequence. utf8_blocks_none()
   returns 0.  Each scan_kernel names the one that its machine can run. */
size_t utf8_blocks_avx2(const uint8_t *bytes, size_t count);
size_t utf8_blocks_neon(const uint8_t *bytes, size_t count);
size_t utf8_blocks_none(const uint8_t *bytes, size_t count);

#endif
