/* Where bytes and text come from: paths, files, buffers and iterables. */
#ifndef GENERATORS_SOURCE_SOURCE_H
#define GENERATORS_SOURCE_SOURCE_H

#include "csv/parse/parser.h"
#include "stream/stream.h"

typedef enum {
    CSV_ITEMS_AUTO,
    CSV_ITEMS_LINES,
    CSV_ITEMS_CHUNKS,
} csv_items;

typedef enum {
    CSV_FROM_ITERATOR, /* the stream's own source */
    CSV_FROM_BUFFER,   /* `view` */
    CSV_FROM_READ,     /* `file.read(n)` */
    CSV_FROM_READINTO, /* `file.readinto(memory)`, of the standard types only */
} csv_source_kind;

/* Where the pieces come from. */
typedef struct {
    csv_source_kind kind;
    csv_items items;
    PyObject *file;   /* owned, or NULL */
    PyObject *reader; /* owned: the bound method used */
    Py_buffer view;   /* held while view.obj is not NULL */
    Py_ssize_t offset;
    uint64_t bytes_read;
    uint64_t total_bytes; /* or CSV_SIZE_UNKNOWN */
    int suspects;         /* first bytes items that look like lines without their end */
    bool owns_file;
    bool suspicious; /* such items are still looked for */
} csv_source;

#define CSV_SIZE_UNKNOWN UINT64_MAX

/* `into`: the parser takes bytes as they are, so they may be read into its block.
 *path is what messages call the source: a new reference, or NULL. */
int csv_source_open(csv_source *self, generators_state *state, stream *face, PyObject *source,
                    csv_items items, bool into, PyObject **path);

/* For a face that pulls by itself: items come, or what read() gives. */
void csv_source_open_items(csv_source *self, csv_items items);

/* Feed an item, of which `index` came before, or what read() gave.  0 or -1. */
int csv_source_feed(csv_source *self, generators_state *state, csv_parser *parser,
                    PyObject *item, Py_ssize_t index);
int csv_source_feed_read(csv_source *self, generators_state *state, csv_parser *parser,
                         PyObject *data);

/* Close what was opened here and let go of the rest. 0 or -1. */
int csv_source_close(csv_source *self);
int csv_source_traverse(csv_source *self, visitproc visit, void *arg);

/* Take one piece and feed it, or finish the parser at the end.  0 or -1. */
int csv_source_pull(csv_source *self, generators_state *state, stream *face,
                    csv_parser *parser);

#endif
