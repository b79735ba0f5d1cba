/* The parser: pieces of bytes or text in, records out. */
#ifndef GENERATORS_CSV_PARSE_PARSER_H
#define GENERATORS_CSV_PARSE_PARSER_H

#include "core/buffer.h"
#include "csv/parse/dialect.h"
#include "csv/row/memo.h"
#include "state.h"

#define CSV_BLOCK (128 * 1024) /* bytes read, or copied, at a time */

typedef struct csv_parser csv_parser;
typedef struct csv_block csv_block;

typedef enum {
    CSV_UTF8,
    CSV_ASCII,
    CSV_LATIN1,
    CSV_DECODED, /* by a codec, to text */
} csv_encoding;

/* Pieces in, records out.  It never calls for more: its face does. */
struct csv_parser {
    fields machine;
    csv_dialect dialect;
    csv_encoding encoding;
    PyObject *encoding_name; /* owned: as the user spelled it */
    PyObject *errors_name;   /* owned */
    PyObject *path;          /* owned: where the data is from, for messages, or NULL */
    PyObject *decoder;       /* owned: a codec's incremental decoder, or NULL */
    buffer block;            /* the units under way, unless `line` is set */
    csv_memo *memo;          /* owned, or NULL */
    csv_block *rows;         /* owned: the rows that point into the block, or NULL */
    PyObject *line;          /* owned: a str whose units are read in place, or NULL */
    PyObject *held;          /* owned: bytes too few to be told what they are */
    PyObject *failure;       /* owned: a decoding error, to be raised after the records */
    PyObject *bad;           /* owned: the bytes that a codec refused, or NULL */
    PyObject *rest;          /* owned: those behind them, not decoded yet, or NULL */
    uint64_t failure_byte;   /* where it is in the source */
    size_t valid;            /* units of the block that are known to be text */
    uint64_t block_byte;     /* native encodings: the block's place in the source */
    uint64_t byte_count;     /* bytes fed */
    uint64_t record_count;   /* records taken, blank ones and the header too */
    uint64_t line_count;     /* physical lines they took */
    uint64_t lines_fed;      /* FIELDS_LINES: items fed */
    bool from_text;          /* fed with str */
    bool after_carriage;     /* what is fed first comes behind a '\r' */
    bool started;            /* the machine has its mode */
    bool head_seen;          /* the first bytes were looked at */
    bool finished;           /* no more is fed */
};

/* 0 or -1; a parser that failed to be made may be freed all the same. */
int csv_parser_init(csv_parser *self, generators_state *state, const csv_dialect *dialect,
                    PyObject *encoding, const char *errors);
/* The same for a parser that is fed lines of text only, often no more than one: it
   has its memo made when there are some. */
void csv_parser_init_lines(csv_parser *self, generators_state *state,
                           const csv_dialect *dialect);
void csv_parser_free(csv_parser *self);
int csv_parser_traverse(csv_parser *self, visitproc visit, void *arg);

/* Feed bytes cut anywhere, text cut anywhere, or one line.  0 or -1.  Faults in
   the data are not raised: the records before them come first. */
int csv_parser_feed_bytes(csv_parser *self, generators_state *state, const void *bytes,
                          size_t count);
int csv_parser_feed_text(csv_parser *self, generators_state *state, PyObject *text);
int csv_parser_feed_line(csv_parser *self, generators_state *state, PyObject *line);

/* The text of a line that came as bytes: a new reference, or NULL with either an
   exception set or, where it can't be decoded, a fault noted. */
PyObject *csv_parser_decode_line(csv_parser *self, generators_state *state, PyObject *line);

/* Room for `count` bytes to be read into, and how many then were: the same as
   feeding them, but for encodings read natively only. */
uint8_t *csv_parser_room(csv_parser *self, generators_state *state, size_t count);
int csv_parser_filled(csv_parser *self, generators_state *state, size_t count);

int csv_parser_finish(csv_parser *self, generators_state *state);

/* Let go of the line in place, whose record was taken. */
static inline void
csv_parser_drop_line(csv_parser *self)
{
    Py_CLEAR(self->line);
}

/* Forget the record under way and every fault: the next line fed begins anew. */
void csv_parser_restart(csv_parser *self);

/* `text` in the encoding of the source: bytes, or NULL. */
PyObject *csv_parser_encode(const csv_parser *self, PyObject *text);

static inline bool
csv_parser_reads_natively(const csv_parser *self)
{
    return self->encoding != CSV_DECODED;
}

/* The next record, or NULL when more must be fed or a fault is next. */
static inline const fields_record *
csv_parser_next(csv_parser *self)
{
    const fields_record *record = fields_take(&self->machine);
    if (record != NULL) {
        self->record_count++;
        self->line_count += record->lines;
    }
    return record;
}

static inline bool
csv_parser_failed(const csv_parser *self)
{
    return self->failure != NULL || self->machine.error != FIELDS_FINE;
}

/* Is part of a record held? */
static inline bool
csv_parser_is_open(const csv_parser *self)
{
    return self->machine.state != START_RECORD;
}

/* The units that records point into. */
static inline const void *
csv_parser_units(const csv_parser *self, int *width)
{
    if (self->line != NULL) {
        *width = (int)PyUnicode_KIND(self->line);
        return PyUnicode_DATA(self->line);
    }
    *width = self->block.width;
    return self->block.data;
}

/* The units of records are the source's own bytes. */
static inline bool
csv_parser_holds_bytes(const csv_parser *self)
{
    return csv_parser_reads_natively(self) && !self->from_text &&
           self->machine.mode == FIELDS_STREAM;
}

/* Where a unit of the block is in the source; false where that is not known. */
static inline bool
csv_parser_byte_at(const csv_parser *self, uint32_t unit, uint64_t *byte)
{
    *byte = self->block_byte + unit;
    return csv_parser_holds_bytes(self);
}

/* Decode what is behind the bytes that a codec refused.  0 or -1. */
int csv_parser_feed_rest(csv_parser *self, generators_state *state);

/* After a fault is got over: read what was fed and not read because of it.  0 or -1. */
int csv_parser_go_on(csv_parser *self, generators_state *state);

#endif
