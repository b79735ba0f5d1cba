/* What a Broadcast holds, and what its subscribers hold of it: see hub.c. */
#ifndef GENERATORS_BROADCAST_HUB_STATE_H
#define GENERATORS_BROADCAST_HUB_STATE_H

#include "broadcast/gate.h"
#include "broadcast/item_log.h"
#include "runtime/budget.h"

/* What becomes of a subscriber that holds `buffersize` items when another one comes. */
typedef enum {
    ON_FULL_WAIT,        /* nobody gets the item: whoever publishes waits */
    ON_FULL_DROP_OLDEST, /* the oldest item that it holds is dropped */
    ON_FULL_DROP_NEWEST, /* it does not get the item */
    ON_FULL_CLOSE,       /* it gets no more items, and fails once it took those it holds */
} on_full;

typedef struct hub hub;

/* A subscriber's part.  The hub's lock guards it. */
typedef struct {
    hub *hub;         /* owned, or NULL */
    uint64_t at;      /* the number of the next item to take; not where it is apart */
    uint64_t dropped; /* items that it did not get */
    PyObject **own; /* owned: the ring of `buffersize` items that it holds while it is apart */
    size_t own_first, own_count;
    size_t buffersize; /* at least one */
    size_t index;      /* in the hub's list, while it is a member */
    on_full policy;
    bool is_member;     /* it gets what is published */
    bool is_apart;      /* it holds items in `own`, and none in the log */
    bool is_overflowed; /* it is no member any more because it was full */
    bool is_lost;       /* the same because its loop is closed */
    gate_place place;   /* of its step that waits */
    gate_thread thread; /* the same where it is a thread that waits */
} subscription;

struct hub {
    PyObject_HEAD
    generators_state *state; /* borrowed: the type holds the module */
    PyObject *weak_references;

    generators_lock lock; /* guards all that follows.  No user code runs under it */
    item_log log;
    subscription **members; /* borrowed; each leaves before it is freed */
    size_t count, room;     /* of `members` */
    size_t near;            /* the first so many are looked at for each item */
    size_t apart;           /* how many members are apart: they are all near */
    uint64_t limit;         /* before this item is put, no other member is full */
    size_t replay;          /* how many items a new subscriber gets at first */
    uint64_t replay_first;  /* the log holds the items from here on for them */
    gate items, vacancy;    /* who waits for an item, and who waits to publish one */
    PyObject *failure;      /* owned: what the source raised, or NULL */
    PyObject *traceback;    /* owned: its traceback then, or NULL */
    turn_budget budget;     /* of apublish() */
    PyObject *guard;        /* owned: called before a step of a subscriber waits, and what it
                               raises is raised by the step; or NULL.  Set once */
    bool is_closed;
    bool is_watched;   /* somebody waits for room */
    size_t buffersize; /* of a new subscriber */
    on_full policy;
};

#endif
