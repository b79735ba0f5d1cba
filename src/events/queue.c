/* The events that wait for the dispatch under way to end, in a ring that grows.
 *
 * Owned: what the events hold.  For who holds the dispatcher's critical section; no
 * user code runs in put and take.
 */
#include "events/events.h"

#define FIRST_ROOM 8

void
posted_clear(posted *self)
{
    Py_CLEAR(self->event);
    Py_CLEAR(self->type);
    Py_CLEAR(self->data);
}

static int
grow(event_queue *self)
{
    size_t room = self->room == 0 ? FIRST_ROOM : 2 * self->room;
    posted *items =
        room > PY_SSIZE_T_MAX / sizeof(posted) ? NULL : PyMem_Malloc(room * sizeof(posted));
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
event_queue_put(event_queue *self, posted *item)
{
    if (self->count == self->room && grow(self) < 0) {
        return -1;
    }
    self->items[(self->first + self->count++) & (self->room - 1)] = *item;
    *item = (posted){0};
    return 0;
}

bool
event_queue_take(event_queue *self, posted *item)
{
    if (self->count == 0) {
        return false;
    }
    *item = self->items[self->first];
    self->first = (self->first + 1) & (self->room - 1);
    self->count--;
    return true;
}

void
event_queue_clear(event_queue *self)
{
    event_queue left = *self;
    *self = (event_queue){0};
    posted item;
    while (event_queue_take(&left, &item)) {
        posted_clear(&item);
    }
    PyMem_Free(left.items);
}

int
event_queue_traverse(event_queue *self, visitproc visit, void *arg)
{
    for (size_t i = 0; i < self->count; i++) {
        posted *item = &self->items[(self->first + i) & (self->room - 1)];
        Py_VISIT(item->event);
        Py_VISIT(item->type);
        Py_VISIT(item->data);
    }
    return 0;
}
