#include "core/schema_distinct.h"

#define FIRST_SLOTS 16

void
schema_distinct_free(schema_distinct *self, columns_allocator allocate)
{
    columns_buffer_free(&self->slots, allocate);
    columns_buffer_free(&self->entries, allocate);
    columns_buffer_free(&self->bytes, allocate);
}

void
schema_distinct_clear(schema_distinct *self)
{
    self->slots.length = self->entries.length = self->bytes.length = 0;
    self->count = 0;
    self->over = false;
}

/* Put an entry into a free slot.  There is one. */
static void
insert_entry(schema_distinct *self, uint64_t hash, uint32_t entry)
{
    schema_slot *slots = (schema_slot *)self->slots.data;
    const size_t mask = self->slots.length / sizeof *slots - 1;
    size_t at = (size_t)hash & mask;
    while (slots[at].entry != 0) {
        at = (at + 1) & mask;
    }
    slots[at] = (schema_slot){(uint32_t)(hash >> 32), entry + 1};
}

/* Make the table larger. */
static bool
grow_slots(schema_distinct *self, uint64_t seed, columns_allocator allocate)
{
    size_t length = self->slots.length * 2;
    length = length > 0 ? length : FIRST_SLOTS * sizeof(schema_slot);
    if (!columns_buffer_reserve(&self->slots, allocate, length)) {
        return false;
    }
    self->slots.length = length;
    memset(self->slots.data, 0, length);
    const schema_entry *entries = (const schema_entry *)self->entries.data;
    for (uint32_t i = 0; i < self->count; i++) {
        insert_entry(self,
                     schema_hash(seed, entries[i].word, self->bytes.data + entries[i].start,
                                 entries[i].length),
                     i);
    }
    return true;
}

bool
schema_distinct_add(schema_distinct *self, const schema_layout *layout,
                    columns_allocator allocate, uint64_t hash, const schema_entry *entry,
                    const uint8_t *bytes)
{
    const size_t length = entry->length;
    const size_t entries = self->entries.length + sizeof(schema_entry);
    if (self->count >= layout->most_distinct ||
        self->bytes.length + length > SCHEMA_DISTINCT_BYTES) {
        schema_distinct_free(self, allocate);
        *self = (schema_distinct){.over = true};
        return true;
    }
    if ((self->count + 1) * 2 > self->slots.length / sizeof(schema_slot) &&
        !grow_slots(self, layout->reading.seed, allocate)) {
        return false;
    }
    if (!columns_buffer_reserve(&self->entries, allocate, entries) ||
        !columns_buffer_reserve(&self->bytes, allocate, self->bytes.length + length)) {
        return false;
    }
    schema_entry *own = (schema_entry *)(self->entries.data + self->entries.length);
    *own = *entry;
    own->start = (uint32_t)self->bytes.length;
    if (length > 0) {
        memcpy(self->bytes.data + self->bytes.length, bytes, length);
    }
    self->bytes.length += length;
    self->entries.length = entries;
    insert_entry(self, hash, self->count++);
    return true;
}

bool
schema_distinct_merge(schema_distinct *self, const schema_layout *layout,
                      columns_allocator allocate, const schema_distinct *other)
{
    const schema_entry *entries = (const schema_entry *)other->entries.data;
    if (other->over && !self->over) {
        schema_distinct_free(self, allocate);
        *self = (schema_distinct){.over = true};
    }
    for (uint32_t i = 0; !self->over && i < other->count; i++) {
        const schema_entry *e = &entries[i];
        const uint8_t *bytes = other->bytes.data + e->start;
        uint64_t hash = schema_hash(layout->reading.seed, e->word, bytes, e->length);
        schema_entry *own = schema_distinct_find(self, hash, e->word, bytes, e->length);
        if (own != NULL) {
            own->count += e->count;
        }
        else if (!schema_distinct_add(self, layout, allocate, hash, e, bytes)) {
            return false;
        }
    }
    return true;
}
