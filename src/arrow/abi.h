/* The structs of the Arrow C data interface and the Arrow C stream interface.
 *
 * Their layout is fixed for ever, and libraries exchange them without knowing one another.  A
 * struct is filled by its producer.  Its owner calls `release` once, which sets `release` to
 * NULL.  A struct whose `release` is NULL holds nothing.  To move a struct, copy it and set
 * `release` of the old place to NULL.  A child or a dictionary is released by its parent, but
 * it may be moved out before.
 *
 * The guards and names are those that the specification gives, so that this file may stand
 * beside another copy of it.
 */
#ifndef GENERATORS_ARROW_ABI_H
#define GENERATORS_ARROW_ABI_H

#include <stdint.h>

#ifndef ARROW_C_DATA_INTERFACE
#define ARROW_C_DATA_INTERFACE

#define ARROW_FLAG_DICTIONARY_ORDERED 1
#define ARROW_FLAG_NULLABLE 2
#define ARROW_FLAG_MAP_KEYS_SORTED 4

/* A type, or a field with its name. */
struct ArrowSchema {
    const char *format;            /* the type: see format.c */
    const char *name;              /* UTF-8, or NULL */
    const char *metadata;          /* or NULL */
    int64_t flags;                 /* ARROW_FLAG_... */
    int64_t n_children;            /* length of `children` */
    struct ArrowSchema **children; /* may be NULL if there are none */
    struct ArrowSchema
        *dictionary; /* type of the values if `format` is that of their indices */
    void (*release)(struct ArrowSchema *self);
    void *private_data; /* the producer's */
};

/* The values of one type.  A record batch is an array of structs. */
struct ArrowArray {
    int64_t length;
    int64_t null_count; /* -1 if it was not counted */
    int64_t offset;     /* values before the first one, in each buffer of this array */
    int64_t n_buffers;
    int64_t n_children;
    const void **buffers; /* the first is the bitmap of values that are there, or NULL */
    struct ArrowArray **children;
    struct ArrowArray *dictionary;
    void (*release)(struct ArrowArray *self);
    void *private_data;
};

#endif

#ifndef ARROW_C_STREAM_INTERFACE
#define ARROW_C_STREAM_INTERFACE

/* Record batches of one schema.  The functions return 0 or an errno.  A stream is used by one
   thread at a time. */
struct ArrowArrayStream {
    int (*get_schema)(struct ArrowArrayStream *self, struct ArrowSchema *out);
    int (*get_next)(struct ArrowArrayStream *self, struct ArrowArray *out); /* end: released */
    const char *(*get_last_error)(
        struct ArrowArrayStream *self); /* or NULL; until next call */
    void (*release)(struct ArrowArrayStream *self);
    void *private_data;
};

#endif

#endif
