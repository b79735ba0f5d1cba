/* What a CSV field must look like: plain, quoted or escaped.
 *
 * Fields come as code units of any width and are appended to a block, with
 * their separator, exactly as CPython 3.13's csv.writer writes them.  It knows
 * neither numbers nor None nor rows: its owner says which field is quoted in
 * any case.
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
    QUOTE_NO_ESCAPE, /* a character must be escaped, and no character escapes */
} quote_status;

typedef struct {
    scan_set set; /* quote is the quote character also where nothing is quoted */
    bool doublequote;
    bool escapes; /* what is special is escaped, and no field is quoted for it */
} quote_dialect;

typedef struct {
    quote_dialect dialect;
    const scan_kernel *kernel; /* borrowed, for ever */
    int width;                 /* bytes that the widest separator needs */
    bool scans;                /* a kernel sees all that is special */
    uint8_t special[256];      /* 1 for a unit that a plain field can't hold */
    uint32_t *wide;            /* owned: the special units above 255 */
    size_t wide_count;
} quoter;

/* The units of `terminator`, which ends the lines, are special, too.  False when
   there is no memory; a quoter that failed to be made may be freed. */
bool quote_init(quoter *self, const quote_dialect *dialect, const scan_kernel *kernel,
                const void *terminator, size_t length, int width);
void quote_free(quoter *self);

/* Append a field to the block, behind a delimiter if `separated`.  When it fails
   the block is as long as before. */
quote_status quote_append(const quoter *self, buffer *block, const void *units, size_t count,
                          int width, bool quoted, bool separated);

/* Where the first special unit is, `count` if nowhere. */
size_t quote_find(const quoter *self, const void *units, size_t count, int width);

#endif
