/* Feeds the CSV machine what benchmarks/index.py gives, by blocks, and counts what it finds.
   It is compiled with src/core as it is and as it was, so it uses nothing that has changed. */
#include <stdlib.h>
#include <string.h>

#include "core/fields.h"
#include "core/fields_feed.h"

/* A function that others may call. */
#define EXPORT __attribute__((visibility("default")))

EXPORT int index_has(const char *kernel);
EXPORT int index_run(const char *kernel, const uint8_t *data, size_t length, size_t size,
                     int copied, uint64_t *found);

EXPORT int
index_has(const char *kernel)
{
    return scan_choose(kernel) != NULL;
}

/* `copied`: blocks are copied to one place, as a file's are when it is read.  Returns 0, or 1
   if there was a fault or no memory.  found[0] is records, found[1] fields. */
EXPORT int
index_run(const char *kernel, const uint8_t *data, size_t length, size_t size, int copied,
          uint64_t *found)
{
    const fields_dialect dialect = {
        .set = {',', '"', SCAN_ABSENT},
        .doublequote = true,
        .utf8 = true,
        .max_field = 131072,
        .max_record = (size_t)64 << 20,
    };
    fields machine;
    size_t at = 0, held = 0;
    uint8_t *block = malloc(copied ? length + 1 : 1);
    found[0] = found[1] = 0;
    fields_init(&machine, &dialect, scan_choose(kernel), FIELDS_STREAM);
    while (block != NULL && at + held < length) {
        const size_t left = length - at - held, more = left < size ? left : size;
        if (copied) {
            memcpy(block + held, data + at + held, more);
        }
        held += more;
        if (!fields_feed(&machine, copied ? block : data + at, 1, held) ||
            machine.error != FIELDS_FINE) {
            break;
        }
        found[0] += machine.records_length;
        found[1] += machine.first;
        machine.taken = machine.records_length;
        const size_t drop = fields_rewind(&machine);
        at += drop;
        held -= drop;
        if (copied) {
            memmove(block, block + drop, held);
        }
    }
    const int failed = at + held < length;
    fields_free(&machine);
    free(block);
    return failed;
}
