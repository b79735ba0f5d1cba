/* Compressed sources: the bytes of a source come in, those of its text go out. */
#ifndef GENERATORS_SOURCE_UNPACK_H
#define GENERATORS_SOURCE_UNPACK_H

#include "source/head.h"
#include "source/sink.h"

/* The struct is public for data_source.  All zero, it takes bytes as they are if they do not
   begin as compressed data. */
typedef struct {
    packing kind;
    PyObject *member;          /* owned: a str, or NULL */
    PyObject *unpacker;        /* owned: of native_generators._unpack, or NULL */
    PyObject *output;          /* owned: exact bytes that it gave, or NULL */
    Py_ssize_t at;             /* how many of them were fed */
    uint8_t head[HEAD_PACKED]; /* the first bytes, until `kind` is known */
    size_t head_length;
    bool is_packed; /* the source is compressed; for ever */
    bool pulls;     /* the unpacker reads the file */
    bool has_more;  /* it may give more before more is pushed */
} unpack;

/* Read `compression` and `member`, which may be NULL.  0 or -1. */
int unpack_read_options(unpack *self, PyObject *compression, PyObject *member);

/* Where a source is read from, for an unpacker that reads by itself. */
typedef struct {
    PyObject *file;   /* borrowed: a file or an object with a buffer, or NULL */
    bool is_own;      /* opened here: no one else reads it */
    bool reads_ahead; /* a thread may do so */
} unpack_file;

/* Whether bytes are fed to the sink as they are. */
static inline bool
unpack_is_plain(const unpack *self)
{
    return self->kind == PACKING_NONE;
}

/* Whether there is something to feed before more is read. */
static inline bool
unpack_has_output(const unpack *self)
{
    return self->output != NULL || self->has_more;
}

/* Whether the first bytes tell that the source is not compressed.  None of them is held. */
bool unpack_takes_plain(unpack *self, const uint8_t *bytes, size_t count);

/* Take bytes of the source, of which those that are no compressed data are fed to the sink.
   0 or -1. */
int unpack_push(unpack *self, generators_state *state, const source_sink *sink,
                const unpack_file *from, const void *bytes, size_t count);

/* Feed the next bytes of text, if there are any.  1; 0 if the unpacker needs more, or has read
   all of its file; or -1. *bytes_read is set by one that reads. */
int unpack_feed(unpack *self, generators_state *state, const source_sink *sink,
                uint64_t *bytes_read);

/* The source has ended, and everything was fed.  0 or -1. */
int unpack_finish(unpack *self, generators_state *state, const source_sink *sink);

/* What is read is no beginning of the source: it can't be decompressed.  0 or -1. */
int unpack_skip_head(unpack *self);

/* Stop the thread of an unpacker that has one, and release all.  0 or -1. */
int unpack_close(unpack *self);
int unpack_traverse(unpack *self, visitproc visit, void *arg);

#endif
