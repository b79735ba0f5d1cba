/* Where core's memory comes from.
 *
 * Core is plain C11 and never sees Python.h, yet inside the extension its
 * blocks should be seen by tracemalloc and by allocation-failure tests.  The
 * build names the two functions; without it they are libc's.
 */
#ifndef GENERATORS_CORE_MEMORY_H
#define GENERATORS_CORE_MEMORY_H

#include <stddef.h>
#include <stdlib.h>

#ifdef CORE_REALLOC
extern void *CORE_REALLOC(void *block, size_t size);
extern void CORE_FREE(void *block);
#else
#define CORE_REALLOC realloc
#define CORE_FREE free
#endif

#endif
