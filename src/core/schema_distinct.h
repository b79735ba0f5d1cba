/* The values of a column, counted one by one, as long as there are few: see schema.h. */
#ifndef GENERATORS_CORE_SCHEMA_DISTINCT_H
#define GENERATORS_CORE_SCHEMA_DISTINCT_H

#include <string.h>

#include "core/schema_types.h"
#include "core/units.h"
#include "core/wide.h"

#define SCHEMA_HASH_1 UINT64_C(0x9E3779B97F4A7C15)
#define SCHEMA_HASH_2 UINT64_C(0xD6E8FEB86659FD93)

typedef struct {
    uint32_t hash;  /* the upper half */
    uint32_t entry; /* and 1; 0 for a free slot */
} schema_slot;

/* Hash a text whose first eight bytes, or fewer, are `word`. */
INLINE uint64_t
schema_hash(uint64_t seed, uint64_t word, const uint8_t *bytes, size_t length)
{
    wide product = wide_multiply(word ^ seed, SCHEMA_HASH_1 ^ length);
    uint64_t hash = product.high ^ product.low;
    for (size_t at = 8; at < length; at += 8) {
        uint64_t next;
        memcpy(&next, bytes + (at + 8 <= length ? at : length - 8), 8);
        product = wide_multiply(next ^ hash, SCHEMA_HASH_2 ^ seed);
        hash = product.high ^ product.low;
    }
    return hash;
}

/* The entry of a text, or NULL. */
INLINE schema_entry *
schema_distinct_find(const schema_distinct *self, uint64_t hash, uint64_t word,
                     const uint8_t *bytes, size_t length)
{
    const schema_slot *slots = (const schema_slot *)self->slots.data;
    const size_t mask = self->slots.length / sizeof *slots - 1;
    if (self->slots.length == 0) {
        return NULL;
    }
    for (size_t at = (size_t)hash & mask; slots[at].entry != 0; at = (at + 1) & mask) {
        if (slots[at].hash != (uint32_t)(hash >> 32)) {
            continue;
        }
        schema_entry *entry = (schema_entry *)self->entries.data + (slots[at].entry - 1);
        if (entry->word == word && entry->length == length &&
            (length <= 8 ||
             memcmp(self->bytes.data + entry->start + 8, bytes + 8, length - 8) == 0)) {
            return entry;
        }
    }
    return NULL;
}

/* Add a text that is not there, or give up: then nothing is kept.  `entry` has all but its
   `start`.  False if there is no
   memory. */
bool schema_distinct_add(schema_distinct *self, const schema_layout *layout,
                         columns_allocator allocate, uint64_t hash, const schema_entry *entry,
                         const uint8_t *bytes);

/* Add the values of another part.  False if there is no memory. */
bool schema_distinct_merge(schema_distinct *self, const schema_layout *layout,
                           columns_allocator allocate, const schema_distinct *other);

/* Forget the values, and keep the memory. */
void schema_distinct_clear(schema_distinct *self);
void schema_distinct_free(schema_distinct *self, columns_allocator allocate);

#endif
