/* The log of a Broadcast: see item_log.h.
 *
 * The entries are a ring.  It grows where the oldest item is still to be taken by somebody,
 * and becomes small again where nothing is held.
 */
#include "broadcast/item_log.h"

#define FIRST_ROOM 64
#define KEPT_ROOM 1024 /* more is freed when the log is empty */

static bool
item_log_move(item_log *self, size_t room)
{
    item_log_entry *entries = PyMem_RawCalloc(room, sizeof(item_log_entry));
    if (entries == NULL) {
        return false;
    }
    for (uint64_t number = self->first; number < self->next; number++) {
        entries[number & (room - 1)] = *item_log_at(self, number);
    }
    PyMem_RawFree(self->entries);
    self->entries = entries;
    self->room = room;
    return true;
}

bool
item_log_reserve(item_log *self)
{
    if (self->next - self->first < self->room) {
        return true;
    }
    while (self->first < self->next && item_log_at(self, self->first)->left == 0) {
        self->first++;
    }
    size_t held = (size_t)(self->next - self->first);
    if (held == 0 && self->room > KEPT_ROOM) {
        return item_log_move(self, FIRST_ROOM);
    }
    if (held <= self->room / 2 && self->room > 0) {
        return true;
    }
    if (self->room > SIZE_MAX / (4 * sizeof(item_log_entry))) {
        return held < self->room;
    }
    return item_log_move(self, self->room == 0 ? FIRST_ROOM : 2 * self->room) ||
           held < self->room;
}

void
item_log_free(item_log *self)
{
    PyMem_RawFree(self->entries);
    self->entries = NULL;
    self->room = 0;
    self->first = self->next;
}

int
item_log_traverse(const item_log *self, visitproc visit, void *arg)
{
    for (uint64_t number = self->first; number < self->next; number++) {
        Py_VISIT(item_log_at(self, number)->item);
    }
    return 0;
}
