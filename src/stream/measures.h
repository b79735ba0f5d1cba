/* What every stream tells of itself: attributes for metrics, and its repr(). */
#ifndef GENERATORS_STREAM_MEASURES_H
#define GENERATORS_STREAM_MEASURES_H

#include "state.h"

#define MEASURES_UNBOUNDED (-1)

typedef struct {
    uint64_t items;        /* given */
    uint64_t errors;       /* of the source, or of what the type does with an item */
    Py_ssize_t held;       /* items that were made or taken, and not given */
    Py_ssize_t held_bytes; /* or MEASURES_UNBOUNDED */
    Py_ssize_t running;    /* calls */
    bool is_closed;
    const char *waits_for; /* static, or NULL */
    Py_ssize_t sources;    /* that it reads from, where it is not one */
    PyObject *source;      /* owned: what it reads from, or a text that names it; or NULL */
} measures;

/* It reads from what `name` (or NULL) names, if it is not known yet. */
static inline void
measures_name_source(measures *into, PyObject *name)
{
    if (into->source == NULL) {
        into->source = Py_XNewRef(name);
    }
}

/* The type itself has counted so many errors, of which the stream has raised one at most. */
static inline void
measures_count_errors(measures *into, uint64_t errors)
{
    into->errors = errors > into->errors ? errors : into->errors;
}

/* Read those of a stream, in its critical section.  No user code runs. */
typedef struct {
    void (*read)(PyObject *op, measures *into);
} measures_reader;

PyObject *measures_get_items(PyObject *op, void *reader);
PyObject *measures_get_held(PyObject *op, void *reader);
PyObject *measures_get_held_bytes(PyObject *op, void *reader);
PyObject *measures_get_running(PyObject *op, void *reader);
PyObject *measures_get_errors(PyObject *op, void *reader);
PyObject *measures_get_closed(PyObject *op, void *reader);
PyObject *measures_get_waits_for(PyObject *op, void *reader);

/* The getters, for the table of a base; `reader` is a const measures_reader. */
#define MEASURES_ATTRIBUTES(reader)                                                      \
    {"items", measures_get_items, NULL, "The number of items that it has yielded.",      \
     (void *)(reader)},                                                                  \
        {"held", measures_get_held, NULL,                                                \
         "The number of items that it holds and has not yielded.", (void *)(reader)},    \
        {"held_bytes", measures_get_held_bytes, NULL,                                    \
         "The number of bytes that it holds.  None if they are not limited.",            \
         (void *)(reader)},                                                              \
        {"running", measures_get_running, NULL, "The number of calls that are running.", \
         (void *)(reader)},                                                              \
        {"errors", measures_get_errors, NULL,                                            \
         "The number of exceptions of the source and of calls.", (void *)(reader)},      \
        {"closed", measures_get_closed, NULL, "Whether the stream has ended.",           \
         (void *)(reader)},                                                              \
    {                                                                                    \
        "waits_for", measures_get_waits_for, NULL,                                       \
            "'source' while a step runs, 'consumer' between two steps, or else None.",   \
            (void *)(reader)                                                             \
    }

PyObject *measures_repr(PyObject *op, const measures_reader *reader);

/* The text that names a source in a repr(): a new reference, or NULL. */
PyObject *measures_source_name(PyObject *source);

#endif
