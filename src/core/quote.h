/* Writes CSV fields: plain, quoted or escaped.
 *
 * A field is given as code units of any width.  It is appended to a block with its separator,
 * exactly as csv.writer of CPython 3.13 writes it.  The quoter knows nothing of numbers, None
 * or rows.  Its owner says which field is quoted in any case.
 */
#ifndef GENERATORS_CORE_QUOTE_H
#define GENERATORS_CORE_QUOTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/buffer.h"
#include "core/scan.h"

typedef enum {
    QUOTE_FINE = 0,
    QUOTE_NO_MEMORY,
    QUOTE_TOO_LONG,
    QUOTE_NO_ESCAPE, /* a character must be escaped, but there is no escape character */
} quote_status;

typedef struct {
    scan_set set; /* quote is the quote character, even if no field is quoted */
    bool doublequote;
    bool escapes; /* special units are escaped, and no field is quoted for them */
} quote_dialect;

typedef struct {
    quote_dialect dialect;
    const scan_kernel *kernel; /* borrowed, lives for ever */
    int width;                 /* bytes that the widest separator needs */
    bool scans;                /* a kernel finds all special units */
    uint8_t special[256];      /* 1 for a unit that a plain field can't contain */
    uint32_t *wide;            /* owned: the special units above 255 */
    size_t wide_count;
} quoter;

/* `terminator` ends the lines.  Its units are special, too.  False if there is no memory; the
   quoter may then be freed. */
bool quote_init(quoter *self, const quote_dialect *dialect, const scan_kernel *kernel,
                const void *terminator, size_t length, int width);
void quote_free(quoter *self);

/* Append a field to the block, after a delimiter if `separated`.  On failure the block is as
   long as before. */
quote_status quote_append(const quoter *self, buffer *block, const void *units, size_t count,
                          int width, bool quoted, bool separated);

/* The position of the first special unit, or `count` if there is none. */
size_t quote_find(const quoter *self, const void *units, size_t count, int width);

#endif
