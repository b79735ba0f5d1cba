/* Bytes and text of a source in, lines out: what `lines` and `jsonl_rows` read.
 *
 * The machine `lines` of core with what it knows nothing of: encodings, the source that feeds
 * it, and errors with their place.
 */
#ifndef GENERATORS_TEXT_LINE_READER_H
#define GENERATORS_TEXT_LINE_READER_H

#include "core/lines.h"
#include "source/data_error.h"
#include "source/head.h"
#include "source/sink.h"

/* What the bytes of the machine are. */
typedef enum {
    LINE_BYTES,   /* the source's, which are given as they are */
    LINE_UTF8,    /* the source's, and each line is decoded by itself */
    LINE_ASCII,   /* the same */
    LINE_LATIN1,  /* the same */
    LINE_DECODED, /* UTF-8, into which the source's text, decoded by a codec, was encoded */
} line_encoding;

/* The struct is public for line_rows. */
typedef struct {
    lines machine;
    line_encoding encoding;
    PyObject *path;          /* owned: where the data comes from, for messages, or NULL */
    PyObject *encoding_name; /* owned: an exact str, as the user spelled it, or NULL */
    PyObject *errors_name;   /* owned: an exact str, or NULL */
    PyObject *decoder;       /* owned: a codec's incremental decoder, or NULL */
    PyObject *failure;       /* owned: its error, raised after the lines before it; or NULL */
    uint64_t failure_byte;   /* where in the source */
    uint64_t byte_count;     /* bytes that the decoder was fed */
    uint8_t head[HEAD_LENGTH]; /* the first bytes, until they are checked */
    size_t head_length;
    bool head_checked;   /* or there is nothing to check */
    bool is_utf8_only;   /* lines are needed as UTF-8: other encodings are decoded first */
    bool from_text;      /* fed with str */
    bool ends_complete;  /* the source must end where a line ends */
    bool has_item_lines; /* items are lines whose line ends may be missing */
    int (*check_item)(const void *bytes, size_t count, int earlier); /* or NULL: see sink.h */
    int checked; /* items of text that check_item() was called for; -1: no more */
} line_reader;

/* What the user gives. */
typedef struct {
    PyObject *newline;  /* borrowed: str or bytes; NULL for LF, CR and CR LF */
    PyObject *encoding; /* borrowed: a str; NULL for bytes */
    const char *errors;
    bool keeps_ends;
    size_t max_line;
} line_reader_options;

/* 0, or -1 with an exception set.  A reader that is all zero may be closed and cleared. */
int line_reader_open(line_reader *self, generators_state *state,
                     const line_reader_options *options);

/* Release all but what identifies the format, and release all. */
void line_reader_close(line_reader *self);
void line_reader_clear(line_reader *self);
int line_reader_traverse(line_reader *self, visitproc visit, void *arg);

/* The reader as the sink of a source. */
source_sink line_reader_sink(line_reader *self);

/* Whether the machine is fed with the source's own bytes. */
static inline bool
line_reader_is_native(const line_reader *self)
{
    return self->encoding != LINE_DECODED && !self->from_text;
}

/* The bytes of the machine as text: a new reference, or NULL. */
PyObject *line_reader_text(const line_reader *self, const uint8_t *bytes, size_t count);

/* Raise DataError for a line that starts at that offset and with these bytes, which may be
   NULL.  `within`: how far in the line the error is.  An exception that is set becomes the
   cause. */
void line_reader_raise(const line_reader *self, generators_state *state, uint64_t line,
                       uint64_t byte, const uint8_t *bytes, size_t count, size_t within,
                       const char *format, ...);

/* Raise what the decoder failed with. */
void line_reader_raise_failure(line_reader *self, generators_state *state);

#endif
