/* The CSV room: how its files share the work.
 *
 *   dialect.c   what the user's parameters mean
 *   source.c    pulls pieces out of whatever the rows come from
 *   parser.c    pieces -> units -> the machine of core/fields.h
 *   field.h     spans -> text
 *   convert.c   records -> lists and tuples of all fields
 *   plan.h      records -> rows of any other shape
 *   error.c     CSVError
 *   fault.c     faults of the data -> CSVError
 *   rows.c      csv_rows, the synchronous face of all these
 */
#ifndef GENERATORS_CSV_H
#define GENERATORS_CSV_H

#include "core/buffer.h"
#include "core/fields.h"
#include "csv/memo.h"
#include "generators.h"
#include "protocol/stream.h"

#define CSV_BLOCK (128 * 1024) /* bytes read, or copied, at a time */

/* csv's constants, which are part of its interface. */
enum {
    CSV_QUOTE_MINIMAL,
    CSV_QUOTE_ALL,
    CSV_QUOTE_NONNUMERIC,
    CSV_QUOTE_NONE,
    CSV_QUOTE_STRINGS,
    CSV_QUOTE_NOTNULL,
};

/* ---- dialect.c ---- */

typedef struct {
    fields_dialect fields;
    int quoting;
    bool text_only; /* fields become str, whatever they hold */
    bool plain;     /* and one that holds no quote or escape is what it spans */
} csv_dialect;

/* The formatting parameters as given, NULL for one that was not. */
typedef struct {
    PyObject *dialect;
    PyObject *delimiter;
    PyObject *doublequote;
    PyObject *escapechar;
    PyObject *lineterminator;
    PyObject *quotechar;
    PyObject *quoting;
    PyObject *skipinitialspace;
    PyObject *strict;
} csv_parameters;

/* Read them by the rules of CPython 3.13, with the standard module's exceptions.
   The limits are left alone.  0 or -1. */
int csv_dialect_read(csv_dialect *dialect, generators_state *state,
                     const csv_parameters *parameters);

/* ---- parser.c ---- */

typedef enum {
    CSV_UTF8,
    CSV_ASCII,
    CSV_LATIN1,
    CSV_DECODED, /* by a codec, to text */
} csv_encoding;

/* Pieces in, records out.  It never calls for more: its face does. */
typedef struct {
    fields machine;
    csv_dialect dialect;
    csv_encoding encoding;
    PyObject *encoding_name; /* owned: as the user spelled it */
    PyObject *errors_name;   /* owned */
    PyObject *path;          /* owned: where the data is from, for messages, or NULL */
    PyObject *decoder;       /* owned: a codec's incremental decoder, or NULL */
    buffer block;            /* the units under way, unless `line` is set */
    csv_memo *memo;          /* owned */
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
    bool started;            /* the machine has its mode */
    bool head_seen;          /* the first bytes were looked at */
    bool finished;           /* no more is fed */
} csv_parser;

/* 0 or -1; a parser that failed to be made may be freed all the same. */
int csv_parser_init(csv_parser *self, generators_state *state, const csv_dialect *dialect,
                    PyObject *encoding, const char *errors);
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

/* ---- fault.c ---- */

#define CSV_RAW_LIMIT 65536 /* of a record's raw text, in bytes or characters */

/* The source text of a record that is given up. */
typedef struct {
    buffer units;
    PyObject *bytes; /* owned: what came before the units, where it is no text, or NULL */
} csv_raw;

/* Get over the fault that was raised: 1 when records can be read again, 0 when more must be
   fed first, or -1. */
int csv_parser_recover(csv_parser *self, generators_state *state, csv_raw *raw);

/* The text of a record taken: 1, 0 when its last unit, a '\r', may have a '\n' that is
   not fed yet, or -1. */
int csv_raw_record(csv_raw *raw, const csv_parser *self, const fields_record *record);

/* More was fed: take that '\n'.  1, 0 or -1 again. */
int csv_raw_newline(csv_raw *raw, const csv_parser *self);

/* As bytes for a source of bytes, else str: a new reference or NULL. */
PyObject *csv_raw_value(csv_raw *raw, const csv_parser *self);
void csv_raw_free(csv_raw *raw);

/* Raise the fault that csv_parser_failed() tells of. */
void csv_parser_raise(csv_parser *self, generators_state *state);

/* Raise CSVError for field `index` of a record taken, by its name if it has one, or for
   the record as a whole, with the exception being raised as its cause. */
void csv_parser_raise_field(csv_parser *self, generators_state *state,
                            const fields_record *record, Py_ssize_t index, PyObject *name);
void csv_parser_raise_record(csv_parser *self, generators_state *state,
                             const fields_record *record);

/* ---- source.c ---- */

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

/* Close what was opened here and let go of the rest. 0 or -1. */
int csv_source_close(csv_source *self);
int csv_source_traverse(csv_source *self, visitproc visit, void *arg);

/* Take one piece and feed it, or finish the parser at the end.  0 or -1. */
int csv_source_pull(csv_source *self, generators_state *state, stream *face,
                    csv_parser *parser);

/* ---- convert.c ---- */

/* A record as a list or a tuple: a new reference, or NULL. *bad is the index of
   the field that could not be converted, where it is that. */
PyObject *csv_record_list(const csv_parser *parser, generators_state *state,
                          const fields_record *record, Py_ssize_t *bad);
PyObject *csv_record_tuple(const csv_parser *parser, generators_state *state,
                           const fields_record *record, Py_ssize_t *bad);

/* The text of one field, whatever `quoting` makes of it. */
PyObject *csv_field_text(const csv_parser *parser, generators_state *state,
                         const fields_record *record, uint32_t index);

/* ---- error.c ---- */

PyObject *csv_error_type(void);

/* Where an error is.  All but `message` may be unknown: NULL, -1. */
typedef struct {
    PyObject *path;   /* borrowed */
    int64_t record;   /* from 1 on, blank ones and the header too */
    int64_t line;     /* physical, from 1 on */
    int64_t byte;     /* from 0 on */
    PyObject *column; /* borrowed: a name, or an index from 0 on */
    PyObject *text;   /* borrowed: what was wrong, or NULL */
} csv_place;

/* Raise CSVError, with the exception being raised, if one is, as its cause. */
void csv_raise(generators_state *state, const csv_place *place, const char *format, ...);

#endif
