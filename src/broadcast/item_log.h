/* The items that the subscribers of a Broadcast are still to take: one log for all of them.
 *
 * Items are numbered from 0.  Each subscriber keeps the number of the item that it takes next,
 * and each entry counts how many are still to take it.  The last one takes the log's own
 * reference, so that no item stays longer than it is wanted.
 *
 * Nothing here runs user code, or is safe to call from two threads at once; the owner locks.
 */
#ifndef GENERATORS_BROADCAST_ITEM_LOG_H
#define GENERATORS_BROADCAST_ITEM_LOG_H

#include "state.h"

typedef struct {
    PyObject *item; /* owned; NULL once nobody is left to take it */
    size_t left;    /* how many are still to take it */
} item_log_entry;

typedef struct {
    item_log_entry *entries; /* owned; NULL until something was put */
    size_t room;             /* allocated entries: 0 or a power of two */
    uint64_t first;          /* entries with lower numbers are empty */
    uint64_t next;           /* the number of the next item that is put */
} item_log;

/* Make room for one more item.  False if there is no memory. */
bool item_log_reserve(item_log *self);

/* Free the memory.  No item may be held. */
void item_log_free(item_log *self);

int item_log_traverse(const item_log *self, visitproc visit, void *arg);

static inline item_log_entry *
item_log_at(const item_log *self, uint64_t number)
{
    return &self->entries[number & (self->room - 1)];
}

/* Put an item that so many, at least one, are to take.  There must be room. */
static inline void
item_log_put(item_log *self, PyObject *item, size_t left)
{
    *item_log_at(self, self->next++) = (item_log_entry){Py_NewRef(item), left};
}

/* Take an item for one of those who are to take it: a new reference. */
static inline PyObject *
item_log_take(item_log *self, uint64_t number)
{
    item_log_entry *entry = item_log_at(self, number);
    PyObject *item = entry->item;
    if (--entry->left > 0) {
        return Py_NewRef(item);
    }
    entry->item = NULL;
    return item;
}

/* One of those who were to take an item will not.  What the caller must release once the log
   is whole and unlocked, or NULL. */
static inline PyObject *
item_log_skip(item_log *self, uint64_t number)
{
    item_log_entry *entry = item_log_at(self, number);
    PyObject *item = --entry->left > 0 ? NULL : entry->item;
    if (entry->left == 0) {
        entry->item = NULL;
    }
    return item;
}

#endif
