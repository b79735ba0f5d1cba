/* What takes the bytes and the text that a source provides. */
#ifndef GENERATORS_SOURCE_SINK_H
#define GENERATORS_SOURCE_SINK_H

#include "state.h"

/* Every function gets the sink's `target`.  Those that return int return 0, or -1 with an
   exception set, unless they say otherwise. */
typedef struct {
    /* Bytes cut anywhere.  They are valid during the call only, and their owner may write to
       them when other code runs. */
    int (*feed_bytes)(void *target, generators_state *state, const void *bytes, size_t count);

    /* Text cut anywhere; one line of text, with its line end; and one line of exact bytes,
       whose line end may be missing. */
    int (*feed_text)(void *target, generators_state *state, PyObject *text);
    int (*feed_line)(void *target, generators_state *state, PyObject *line);
    int (*feed_bytes_line)(void *target, generators_state *state, PyObject *line);

    /* Memory that `count` bytes may be read into, or NULL with an exception set; and how many
       bytes were then read into it. */
    uint8_t *(*room)(void *target, generators_state *state, size_t count);
    int (*filled)(void *target, generators_state *state, size_t count);

    /* The end of the source. */
    int (*finish)(void *target, generators_state *state);

    /* Check one of the first items of an iterable of bytes, of which `earlier` were found
       suspicious: 1 if this one is too, 0 if no more items need to be checked, or -1.  NULL if
       there is nothing to check. */
    int (*check_item)(void *target, const void *bytes, size_t count, int earlier);

    /* Raise an error: at that offset in the source, or, if it is -1, at the item that is being
       fed. */
    void (*raise)(void *target, generators_state *state, PyObject *message, int64_t byte);
} source_sink_kind;

typedef struct {
    const source_sink_kind *kind; /* static */
    void *target;                 /* borrowed */
} source_sink;

#endif
