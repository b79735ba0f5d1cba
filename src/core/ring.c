#include "core/ring.h"

#include <stdint.h>
#include <string.h>

#include "core/memory.h"

#define FIRST_ROOM ((size_t)8)

void
ring_init(ring *self, size_t max_items, size_t max_bytes)
{
    *self = (ring){.max_items = max_items, .max_bytes = max_bytes};
}

void
ring_free(ring *self)
{
    CORE_FREE(self->entries);
    ring_init(self, self->max_items, self->max_bytes);
}

/* Double the room when all of it is in use.  Entries that had wrapped around to the start then
   follow the old end. */
static bool
grow(ring *self)
{
    size_t room = self->room > 0 ? 2 * self->room : FIRST_ROOM;
    if (room > SIZE_MAX / sizeof(ring_entry)) {
        return false;
    }
    ring_entry *entries = CORE_REALLOC(self->entries, room * sizeof(ring_entry));
    if (entries == NULL) {
        return false;
    }
    if (self->first > 0) {
        memcpy(entries + self->room, entries, self->first * sizeof(ring_entry));
    }
    self->entries = entries;
    self->room = room;
    return true;
}

bool
ring_put(ring *self, void *item, size_t bytes)
{
    if (self->count == self->room && !grow(self)) {
        return false;
    }
    size_t counted = SIZE_MAX - self->bytes;
    counted = bytes < counted ? bytes : counted;
    size_t place = (self->first + self->count) & (self->room - 1);
    self->entries[place] = (ring_entry){.item = item, .bytes = counted};
    self->count++;
    self->bytes += counted;
    return true;
}

void *
ring_take(ring *self)
{
    if (self->count == 0) {
        return NULL;
    }
    ring_entry entry = self->entries[self->first];
    self->first = (self->first + 1) & (self->room - 1);
    self->count--;
    self->bytes -= entry.bytes;
    return entry.item;
}
