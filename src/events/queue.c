/* A queue of events that wait for the current dispatch to end: a ring that grows.
 *
 * Owned: the objects of the events.
 *
 * User code: none runs in put and take.
 *
 * Threads: the caller holds the critical section of the dispatcher.
 */
#include "events/queue.h"

#define FIRST_ROOM 8

void
event_record_clear(event_record *self)
{
    Py_CLEAR(self->event);
    Py_CLEAR(self->type);
    Py_CLEAR(self->data);
}

/* Double the room.  0, or -1 with MemoryError. */
static int
event_queue_grow(event_queue *self)
{
    size_t room = self->room == 0 ? FIRST_ROOM : 2 * self->room;
    event_record *items = room > PY_SSIZE_T_MAX / sizeof(event_record)
                              ? NULL
                              : PyMem_Malloc(room * sizeof(event_record));
    if (items == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    for (size_t i = 0; i < self->count; i++) {
        items[i] = self->items[(self->first + i) & (self->room - 1)];
    }
    PyMem_Free(self->items);
    self->items = items;
    self->room = room;
    self->first = 0;
    return 0;
}

int
event_queue_put(event_queue *self, event_record *item)
{
    if (self->count == self->room && event_queue_grow(self) < 0) {
        return -1;
    }
    self->items[(self->first + self->count++) & (self->room - 1)] = *item;
    *item = (event_record){0};
    return 0;
}

bool
event_queue_take(event_queue *self, event_record *item)
{
    if (self->count == 0) {
        return false;
    }
    *item = self->items[self->first];
    self->first = (self->first + 1) & (self->room - 1);
    self->count--;
    return true;
}

bool
event_queue_take_last(event_queue *self, event_record *item)
{
    if (self->count == 0) {
        return false;
    }
    *item = self->items[(self->first + --self->count) & (self->room - 1)];
    return true;
}

void
event_queue_clear(event_queue *self)
{
    event_queue left = *self;
    *self = (event_queue){0};
    event_record item;
    while (event_queue_take(&left, &item)) {
        event_record_clear(&item);
    }
    PyMem_Free(left.items);
}

int
event_queue_traverse(event_queue *self, visitproc visit, void *arg)
{
    for (size_t i = 0; i < self->count; i++) {
        event_record *item = &self->items[(self->first + i) & (self->room - 1)];
        Py_VISIT(item->event);
        Py_VISIT(item->type);
        Py_VISIT(item->data);
    }
    return 0;
}
