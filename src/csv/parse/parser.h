/* The parser: units in, records out.
 *
 * This header is for code that takes the records of a parser. feed.h feeds it.
 */
#ifndef GENERATORS_CSV_PARSE_PARSER_H
#define GENERATORS_CSV_PARSE_PARSER_H

#include "core/buffer.h"
#include "csv/parse/dialect.h"
#include "csv/parse/memo.h"
#include "state.h"

typedef enum {
    CSV_UTF8,
    CSV_ASCII,
    CSV_LATIN1,
    CSV_DECODED, /* by a codec, to text */
} csv_encoding;

/* An object that points into the parser's units. */
typedef struct {
    /* The units are about to change: copy those that are needed.  0, or -1 with an exception
       set; the units then do not change. */
    int (*detach)(PyObject *borrower);
    /* The parser is about to be freed.  Do the same, and forget the parser whether it succeeds
       or not. */
    void (*abandon)(PyObject *borrower);
} csv_borrower_kind;

typedef struct csv_parser csv_parser;

/* The lines above the first record that are passed over: see lead.c. */
typedef struct csv_lead csv_lead;
typedef struct {
    /* Pass over lines of the block, before the machine starts.  1 if records begin here, and
       the lead is gone; 0 if more must be fed first; or -1.  `final`: no more units follow. */
    int (*pass)(csv_parser *parser, generators_state *state, bool final);
    void (*free)(csv_lead *self);
    int (*traverse)(csv_lead *self, visitproc visit, void *arg);
} csv_lead_kind;

/* Opaque outside of csv/parse, except for the inline functions here and in csv/row, which run
   for every record or field. */
struct csv_parser {
    fields machine;
    csv_dialect dialect;
    csv_encoding encoding;
    PyObject *encoding_name; /* owned: an exact str, as the user spelled it, or NULL */
    PyObject *errors_name;   /* owned: an exact str, or NULL */
    PyObject *path;          /* owned: where the data comes from, for messages, or NULL */
    PyObject *decoder;       /* owned: a codec's incremental decoder, or NULL */
    PyObject *single_byte;   /* owned: see csv_parser_find_bytes(); stays until
                                csv_parser_forget(); or NULL */
    buffer block;            /* the units being parsed, unless `line` is set */
    csv_memo *memo;          /* owned, or NULL */
    const csv_lead_kind *lead_kind;         /* static */
    csv_lead *lead;                         /* owned: until the first record begins; or NULL */
    const csv_borrower_kind *borrower_kind; /* static */
    PyObject *borrower;                     /* owned, or NULL */
    PyObject *line;    /* owned: a str whose units are read in place, or NULL */
    PyObject *head;    /* owned: the first bytes, until there are enough to check; or NULL */
    PyObject *failure; /* owned: a decoding error, to be raised after the records, or NULL */
    PyObject *bad;     /* owned: the bytes that a codec rejected, or NULL */
    PyObject *rest;    /* owned: the bytes after them, not decoded yet, or NULL */
    uint64_t failure_byte; /* the offset of the decoding error in the source */
    size_t valid;          /* units of the block that are known to be text */
    uint64_t block_byte;   /* the offset of the block in the source, if a unit is a byte */
    uint64_t byte_count;   /* bytes that were fed */
    uint64_t record_count; /* records that were taken, including blank ones and the header */
    uint64_t line_count;   /* physical lines of those records */
    uint64_t lines_fed;    /* FIELDS_LINES: lines that were fed */
    bool from_text;        /* fed with str */
    bool after_carriage;   /* a '\r' stands before the first unit fed */
    bool started;          /* the machine's mode is set */
    bool head_checked;     /* the first bytes were checked */
    bool ends_complete;    /* the source must end where a record ends */
    bool finished;         /* nothing more is fed */
    bool torn;             /* it was finished within a record */
    bool ends_whole;       /* it may not be: what is fed is a part of a file */
    bool holds_back;       /* more is fed before all records are taken */
};

/* Initialize a parser for text.  csv_parser_open_decoder() makes it one for bytes.  0 or -1. A
   parser that could not be initialized, or is all zero, may be freed. */
int csv_parser_init(csv_parser *self, const csv_dialect *dialect);

/* Initialize a parser that is only fed lines of text, often just one.  It gets its memo after
   some lines. */
void csv_parser_init_lines(csv_parser *self, generators_state *state,
                           const csv_dialect *dialect);
void csv_parser_free(csv_parser *self);

/* Release what stays after that, for checkpoints. */
static inline void
csv_parser_forget(csv_parser *self)
{
    Py_CLEAR(self->single_byte);
}

int csv_parser_traverse(csv_parser *self, visitproc visit, void *arg);

/* Forget the record in progress and every fault.  The next line that is fed begins a record.
 */
void csv_parser_restart(csv_parser *self);

/* Release the line that is read in place, whose record was taken. */
static inline void
csv_parser_drop_line(csv_parser *self)
{
    Py_CLEAR(self->line);
}

static inline bool
csv_parser_reads_natively(const csv_parser *self)
{
    return self->encoding != CSV_DECODED;
}

/* Whether a unit is one byte of the source, or of a source of bytes. */
static inline bool
csv_parser_counts_bytes(const csv_parser *self)
{
    return (csv_parser_reads_natively(self) || self->single_byte != NULL) && !self->from_text;
}

/* The next record, or NULL if more must be fed or a fault is next. */
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

/* Whether a record is in progress. */
static inline bool
csv_parser_is_open(const csv_parser *self)
{
    return self->machine.state != START_RECORD;
}

/* The physical lines before a record that was taken, if `line_count` is the count after it. */
uint64_t csv_parser_lines_before(const csv_parser *self, const fields_record *record,
                                 uint64_t line_count);

/* Whether the next line is a comment, between records. */
bool csv_parser_is_comment(const csv_parser *self, PyObject *line);

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

/* How many of them there are. */
static inline size_t
csv_parser_length(const csv_parser *self)
{
    return self->line != NULL ? (size_t)PyUnicode_GET_LENGTH(self->line) : self->block.length;
}

/* Whether the units of records are the source's own bytes. */
static inline bool
csv_parser_holds_bytes(const csv_parser *self)
{
    return csv_parser_reads_natively(self) && !self->from_text &&
           self->machine.mode == FIELDS_STREAM;
}

/* The offset of a unit of the block in the source; false if it is unknown. */
static inline bool
csv_parser_byte_at(const csv_parser *self, uint32_t unit, uint64_t *byte)
{
    *byte = self->block_byte + unit;
    return csv_parser_holds_bytes(self);
}

/* ---- for code that feeds it ---- */

/* Set the machine's mode, once. */
void csv_parser_set_mode(csv_parser *self, generators_state *state, fields_mode mode);

static inline void
csv_parser_start(csv_parser *self, generators_state *state, fields_mode mode)
{
    if (!self->started) {
        csv_parser_set_mode(self, state, mode);
    }
}

/* Every function below returns 0, or -1 with an exception set. */

int csv_parser_make_memo(csv_parser *self);
int csv_parser_raise_buffer(buffer_status status);

static inline int
csv_parser_check_buffer(buffer_status status)
{
    return status == BUFFER_OK ? 0 : csv_parser_raise_buffer(status);
}

/* Have the borrower copy what it needs of the units, before they change. */
static inline int
csv_parser_detach(csv_parser *self)
{
    return self->borrower == NULL ? 0 : self->borrower_kind->detach(self->borrower);
}

/* Drop the units before the next record, or before the one in progress. */
int csv_parser_drop_taken(csv_parser *self);

/* Parse the new units of the block.  `final`: no more units will follow. */
int csv_parser_scan(csv_parser *self, generators_state *state, bool final);

/* How many of the bytes of a native encoding are whole text. */
size_t csv_parser_text_prefix(const scan_kernel *kernel, csv_encoding encoding,
                              const uint8_t *bytes, size_t count);

/* Parse text cut anywhere. */
int csv_parser_feed_units(csv_parser *self, generators_state *state, PyObject *text);

#endif
