/* Where core's memory comes from.
 *
 * Core is plain C11 and never includes Python.h.  In the extension, tracemalloc and the tests
 * of failing allocations should still see its blocks, so the build names the two functions to
 * use.  Otherwise they are those of libc.
 */
#ifndef GENERATORS_CORE_MEMORY_H
#define GENERATORS_CORE_MEMORY_H

#include <stddef.h>
#include <stdlib.h>

#ifdef CORE_REALLOC
#ifdef _WIN32
#define CORE_IMPORTED __declspec(dllimport) /* as Python.h declares them */
#else
#define CORE_IMPORTED extern
#endif
CORE_IMPORTED void *CORE_REALLOC(void *block, size_t size);
CORE_IMPORTED void CORE_FREE(void *block);
#else
#define CORE_REALLOC realloc
#define CORE_FREE free
#endif

#endif
