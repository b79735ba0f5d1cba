/* Where the bytes and the text of a stream come from: a path, a file object, a buffer, or an
 * iterable of lines or chunks.  They are fed to a sink.
 */
#ifndef GENERATORS_SOURCE_DATA_SOURCE_H
#define GENERATORS_SOURCE_DATA_SOURCE_H

#include "source/file.h"
#include "source/sink.h"
#include "source/unpack.h"
#include "stream/stream.h"

#define DATA_SOURCE_BLOCK (128 * 1024) /* bytes that are read or copied at a time */

/* What the items of an iterable are. */
typedef enum {
    DATA_SOURCE_AUTO,   /* lines if they are str, chunks if they are bytes */
    DATA_SOURCE_LINES,  /* lines, whose line ends may be missing */
    DATA_SOURCE_CHUNKS, /* chunks */
} data_source_items;

typedef enum {
    DATA_SOURCE_FROM_ITERATOR, /* the stream's own source */
    DATA_SOURCE_FROM_BUFFER,   /* `view` */
    DATA_SOURCE_FROM_READ,     /* `file.read(n)` */
    DATA_SOURCE_FROM_READINTO, /* `file.readinto(memory)`: see file_plain_reader() */
} data_source_kind;

typedef struct {
    data_source_kind kind;
    data_source_items items;
    PyObject *file;   /* owned, or NULL */
    PyObject *reader; /* owned: the bound method that reads, or NULL */
    Py_buffer view;   /* held while view.obj is not NULL */
    Py_ssize_t offset;
    uint64_t bytes_read;
    uint64_t total_bytes; /* or FILE_SIZE_UNKNOWN */
    uint64_t end;         /* of a file: reading ends there; or FILE_SIZE_UNKNOWN */
    int suspicious;       /* items that the sink's check_item() found suspicious */
    int bytes_items;      /* that are not empty, up to 2 */
    bool at_once; /* set before it is opened: a file is not to wait for more than it has */
    bool checks_items; /* check_item() is still called */
    bool gave_bytes;   /* bytes were fed that are not empty */
    bool gave_text;    /* text was fed; no source gives both */
    bool owns_file;    /* the file was opened here */
    unpack unpack;     /* between what is read and the sink */
} data_source;

/* Open a source.  `owner` pulls from it if it is an iterable.  `reads_into`: the sink has
   `room`.  *path is the name of the source for messages: a new reference to an exact str, or
   NULL. 0 or -1. */
int data_source_open(data_source *self, generators_state *state, stream *owner,
                     PyObject *source, data_source_items items, bool reads_into,
                     PyObject **path);

/* For an owner that pulls items, or calls read(), and feeds the results. */
void data_source_open_items(data_source *self, data_source_items items);

/* Feed an item, which is number `index` of the iterable from 0 on, or the result of read().  0
   or -1. */
int data_source_feed_item(data_source *self, generators_state *state, const source_sink *sink,
                          PyObject *item, Py_ssize_t index);
int data_source_feed_read(data_source *self, generators_state *state, const source_sink *sink,
                          PyObject *data);

/* Whether there is something to feed before another item is pulled, and feed it.  0 or -1. */
static inline bool
data_source_has_output(const data_source *self)
{
    return unpack_has_output(&self->unpack);
}
int data_source_feed_output(data_source *self, generators_state *state,
                            const source_sink *sink);

/* There are no more items: finish the sink.  0 or -1. */
int data_source_finish_items(data_source *self, generators_state *state,
                             const source_sink *sink);

/* Pull one piece and feed it, or finish the sink at the end.  0 or -1. */
int data_source_pull(data_source *self, generators_state *state, stream *owner,
                     const source_sink *sink);

/* Seek in a file whose position was origin->base when it was opened.  The new position is
   `offset` bytes after `base`, and `base` is the new origin->base.  Reading ends at
   origin->end.  0 or -1. */
int data_source_seek(data_source *self, file_origin *origin, int64_t base, int64_t offset);

/* Close the file if it was opened here, and release the rest.  0 or -1. */
int data_source_close(data_source *self);
int data_source_traverse(data_source *self, visitproc visit, void *arg);

/* A line of text with its line end, which is added if it is missing: a new reference, or
   NULL. */
PyObject *data_source_whole_line(generators_state *state, PyObject *line);

#endif
