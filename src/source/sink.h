/* What takes the bytes and the text of a source. */
#ifndef GENERATORS_SOURCE_SINK_H
#define GENERATORS_SOURCE_SINK_H

#include "state.h"

/* Every function gets the sink's `target`.  Functions that return int return 0, or -1 with an
   exception set, unless stated otherwise. */
typedef struct {
    /* Feed bytes cut anywhere.  They are valid only during the call, and their owner may write
       to them when other code runs. */
    int (*feed_bytes)(void *target, generators_state *state, const void *bytes, size_t count);

    /* Feed text cut anywhere; one line of text, with its line end; or one line of exact bytes,
       whose line end may be missing. */
    int (*feed_text)(void *target, generators_state *state, PyObject *text);
    int (*feed_line)(void *target, generators_state *state, PyObject *line);
    int (*feed_bytes_line)(void *target, generators_state *state, PyObject *line);

    /* Memory into which `count` bytes may be read, or NULL with an exception set.  `filled`
       tells how many bytes were then read into it. */
    uint8_t *(*room)(void *target, generators_state *state, size_t count);
    int (*filled)(void *target, generators_state *state, size_t count);

    /* The end of the source. */
    int (*finish)(void *target, generators_state *state);

    /* Check one of the first items of an iterable of bytes; `earlier` is how many were found
       suspicious before.  1 if this one is suspicious, 0 if no more items need to be checked,
       or -1.  NULL if there is nothing to check. */
    int (*check_item)(void *target, const void *bytes, size_t count, int earlier);

    /* Whether bytes were fed, and no line or record ended in them.  NULL if that says nothing.
     */
    bool (*is_one)(const void *target);

    /* Raise an error with the offset in the source, or, if that is -1, with the item that is
       being fed. */
    void (*raise)(void *target, generators_state *state, PyObject *message, int64_t byte);
} source_sink_kind;

typedef struct {
    const source_sink_kind *kind; /* static */
    void *target;                 /* borrowed */
} source_sink;

#endif
