/* The CSV room: how its files share the work.
 *
 *   dialect.c   what the user's parameters mean
 *   source.c    pulls pieces out of whatever the rows come from
 *   parser.c    pieces -> units -> the machine of core/fields.h
 *   decode.c    bytes -> text, where they are not parsed as they are
 *   field.h     spans -> text
 *   convert.c   records -> lists and tuples of all fields
 *   plan.h      records -> rows of any other shape
 *   names.c     _CSVNames, the names that rows share
 *   block.c     _CSVBlock, which keeps rows whole when the parser goes on
 *   row.c       CSVRow
 *   checkpoint.c   where a reader stands, and going on from there
 *   error.c     CSVError
 *   fault.c     faults of the data -> CSVError
 *   records.h   the machine of all these, without a face
 *   rows.c      csv_rows, the synchronous face of it; arows.c, the other
 *   reader.c    the reader of generators.csv, with csv.reader's own protocol
 *   dict_reader.c, dict_writer.c   DictReader and DictWriter of generators.csv
 *   keyed.h     rows -> dicts, for the first of them
 *   call.c      what those two are called with
 *   encode.c    rows -> units, the machine of writer.c and encoded.c
 *   columns.c   the values of a row that has names
 *   lines.h     these two and chunks, without a face
 *   encoded.c   csv_encode, the synchronous face of it; aencoded.c, the other
 *   writer.c    the writer of generators.csv
 */
#ifndef GENERATORS_CSV_H
#define GENERATORS_CSV_H

#include "core/buffer.h"
#include "core/fields.h"
#include "core/quote.h"
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
    bool text_only;     /* fields become str, whatever they hold */
    bool plain;         /* and one that holds no quote or escape is what it spans */
    uint32_t quotechar; /* also under QUOTE_NONE, where fields.set has none */
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

/* The same, with the standard module's own object for what they say: a new
   reference, or NULL. */
PyObject *csv_dialect_make(csv_dialect *dialect, generators_state *state,
                           const csv_parameters *parameters);

/* The same for the arguments `dialect` (NULL if not given) and **fmtparams of a call. */
PyObject *csv_dialect_from_call(csv_dialect *dialect, generators_state *state,
                                PyObject *dialect_given, PyObject *fmtparams);

typedef struct csv_parser csv_parser;
typedef struct csv_names csv_names;
typedef struct csv_block csv_block;

/* ---- parser.c ---- */

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

/* ---- fault.c ---- */

/* What the fault in the structure is, in the words of the standard module. */
PyObject *csv_parser_fault(const csv_parser *self);

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

/* Raise CSVError for a record that has not as many fields as there are names. */
void csv_parser_raise_ragged(const csv_parser *self, generators_state *state,
                             const fields_record *record, Py_ssize_t expected);

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

/* ---- convert.c ---- */

/* A record as a list or a tuple: a new reference, or NULL. *bad is the index of
   the field that could not be converted, where it is that. */
PyObject *csv_record_list(const csv_parser *parser, generators_state *state,
                          const fields_record *record, Py_ssize_t *bad);
PyObject *csv_record_tuple(const csv_parser *parser, generators_state *state,
                           const fields_record *record, Py_ssize_t *bad);

/* The first `count` fields as they are in a list, into an array.  0, or -1 with nothing in
   it that is owned. */
int csv_record_fields(const csv_parser *parser, generators_state *state,
                      const fields_record *record, uint32_t count, PyObject **items,
                      Py_ssize_t *bad);

/* The same into an array that is used again.  0 or -1. */
typedef struct {
    PyObject **items; /* owned, the values too; NULL for one not made */
    size_t count;
    size_t capacity;
} csv_values;

int csv_record_values(const csv_parser *parser, generators_state *state,
                      const fields_record *record, csv_values *values, Py_ssize_t *bad);

/* Let go of the values, and keep the room. */
static inline void
csv_values_drop(csv_values *values)
{
    size_t count = values->count;
    values->count = 0;
    for (size_t i = 0; i < count; i++) {
        Py_XDECREF(values->items[i]);
    }
}

/* Convert and drop what has ended of the record under way, from field *checked on,
   which is moved on: a number that is none is an error in its own line.  0 or -1. */
int csv_check_open_fields(const csv_parser *parser, generators_state *state,
                          uint32_t *checked);

/* The text of one field, whatever `quoting` makes of it. */
PyObject *csv_field_text(const csv_parser *parser, generators_state *state,
                         const fields_record *record, uint32_t index);

/* ---- reader.c ---- */

/* The next row of a reader of this very type: a new reference, or NULL. */
PyObject *csv_reader_next(PyObject *op, generators_state *state);

/* The same as values: 1, 0 at the end, or -1. */
int csv_reader_next_values(PyObject *op, generators_state *state, csv_values *values);

/* Lines that it took. */
uint64_t csv_reader_line_num(PyObject *op);

/* ---- call.c ---- */

#define CSV_CALL_OWN 5 /* arguments, `f` the first and `dialect` the last */

typedef struct {
    PyObject *values[CSV_CALL_OWN]; /* owned: the arguments, NULL for one not given */
    PyObject *dialect;              /* owned: as given, or 'excel' */
    PyObject *rest;                 /* owned: a tuple */
    PyObject *keywords;             /* owned: a dict */
} csv_call;

/* Sort the arguments by `names`, which NULL ends; the first `required` must be
   there.  0, or -1 with nothing held. */
int csv_call_bind(csv_call *call, const char *type, const char *const *names, int required,
                  PyObject *args, PyObject *kwargs);
void csv_call_free(csv_call *call);

/* callable(f, dialect, *rest, **keywords) */
PyObject *csv_call_onward(const csv_call *call, PyObject *callable);

/* The fieldnames given, as a list if they can be iterated over once only; None for
   none.  A new reference, or NULL. */
PyObject *csv_fieldnames(PyObject *given);
/* ---- encode.c ---- */

typedef enum {
    CSV_WRITTEN = 0,
    CSV_RAISED, /* an exception is set: user code's, or MemoryError */
    CSV_NO_ESCAPE,
    CSV_EMPTY_FIELD,
    CSV_EMPTY_RECORD,
    CSV_NOT_ITERABLE,
} csv_written;

/* Rows in, code units out.  It has no face's state: what is under way is in the
   caller's csv_line, so that a row may be written while another one is. */
typedef struct {
    quoter quoter;
    csv_dialect dialect;
    buffer block;         /* the lines under way, one behind the other */
    PyObject *terminator; /* owned */
    bool escape_formulas;
    bool ascii;         /* all that it adds to the fields is ASCII */
    bool quotes_text;   /* by `quoting`, whatever is in it; these three of */
    bool quotes_number; /* the exact types */
    bool quotes_none;
    int depth; /* lines under way */
} csv_encoder;

/* One line, which the block holds from `start` on. */
typedef struct {
    size_t start;
    Py_ssize_t count; /* fields written, the index of the one that failed */
    bool ascii;
    bool null; /* the last one was None */
    int depth;
} csv_line;

/* `standard` is csv's Dialect, as csv_dialect_make() made it.  0 or -1. */
int csv_encoder_open(csv_encoder *self, generators_state *state, const csv_dialect *dialect,
                     PyObject *standard);
void csv_encoder_close(csv_encoder *self);

/* Write a row with its line end.  csv_line_end() must follow, whatever it gives. */
csv_written csv_encode_row(csv_encoder *self, csv_line *line, PyObject *row);

/* The line's units: stands until anything else is written. */
static inline const void *
csv_line_units(const csv_encoder *self, const csv_line *line, size_t *count)
{
    *count = self->block.length - line->start;
    return self->block.data + line->start * (size_t)self->block.width;
}

/* The line as text: a new reference, or NULL. */
PyObject *csv_line_text(const csv_encoder *self, const csv_line *line);

/* Forget the line. */
void csv_line_end(csv_encoder *self, const csv_line *line);

/* What csv.writer says of it, for all from CSV_NO_ESCAPE on: a new reference. */
PyObject *csv_written_message(csv_written result, PyObject *row);

/* ---- columns.c ---- */

/* Which values of a row with names are written, and in what order. */
typedef struct {
    PyObject *names;    /* owned: a tuple, or NULL while not known */
    PyObject *missing;  /* owned: what stands for a missing value, or NULL: an error */
    PyObject *known;    /* owned: the names that the row before had, or NULL */
    Py_ssize_t *places; /* owned: where each column is among them, -1 for nowhere */
    bool by_name;       /* rows with names are read by them */
    bool ignores_extra;
    PyObject *fault; /* owned: the name at fault, after an error, or NULL */
} csv_columns;

void csv_columns_close(csv_columns *self);
int csv_columns_traverse(csv_columns *self, visitproc visit, void *arg);

/* What is written for the row: a new reference to a tuple of its values where it
   has names, else to itself; NULL with an exception set.  The first row with names
   gives the columns where none were. */
PyObject *csv_columns_select(csv_columns *self, generators_state *state, PyObject *row);

/* Where one record's fields are; all borrowed.  The dialect is one of text only. */
typedef struct {
    const csv_dialect *dialect;
    csv_memo *memo; /* or NULL */
    const void *units;
    const uint32_t *ends;   /* of its fields */
    const uint32_t *fields; /* which of them, in this order; NULL for all */
    uint32_t start;
    uint32_t count;
    uint32_t flags; /* as of fields_record */
    int width;
    bool utf8;
} csv_spans;

/* The text of one field: a new reference, or NULL. */
PyObject *csv_spans_text(const csv_spans *spans, generators_state *state, uint32_t index);

/* New references to the texts of all fields, where `fields` is NULL, into `items`, which are
 * NULL.  0 or -1. */
int csv_spans_fill(const csv_spans *spans, generators_state *state, PyObject **items);

/* ---- names.c ---- */

/* Names that rows are keyed by, of any iterable of str: ValueError says which one
   is empty or there twice.  A new reference, or NULL. */
csv_names *csv_names_new(generators_state *state, PyObject *names);

/* All of them: borrowed. */
PyObject *csv_names_tuple(const csv_names *self);

/* Where a name, which is a str, stands; -1 with KeyError. */
Py_ssize_t csv_names_find(const csv_names *self, PyObject *name);

/* ---- block.c ---- */

csv_block *csv_block_new(generators_state *state, csv_parser *parser);

/* Before there is a row. */
void csv_block_set_names(csv_block *self, csv_names *names);

/* The same: the field chosen for each of `count` values of a row, and whether the row
   holds it converted.  0 or -1. */
int csv_block_set_layout(csv_block *self, const uint32_t *chosen, const bool *converted,
                         uint32_t count);

/* The parser's memory is about to change: move what rows hold of it into them.  0 or
   -1. */
int csv_block_move_rows(csv_block *self);

/* The same, for good: the parser goes. */
void csv_block_leave(csv_block *self);

/* ---- row.c ---- */

/* Such a row goes without the garbage collector, so it must be part of no cycle: what it
   holds converted is something that goes without too, as numbers, texts and dates do, or a
   Decimal, which refers to nothing.  1, 0 or -1. */
int csv_row_may_hold(generators_state *state, PyObject *value);

/* A record whose block has a layout, with the converted values in their order; and values of
   a dialect whose texts are not the values.  Both take the values over, whatever comes. */
PyObject *csv_row_of_record(const csv_parser *parser, const fields_record *record,
                            PyObject **converted);
PyObject *csv_row_of_values(const csv_parser *parser, generators_state *state,
                            PyObject **values, Py_ssize_t count);

/* A record, which is not blank, as a CSVRow; as csv_record_list(). */
PyObject *csv_record_row(const csv_parser *parser, generators_state *state,
                         const fields_record *record, Py_ssize_t *bad);
/* ---- checkpoint.c ---- */

/* What tells that a file is still the same; -1 for what is not known. */
typedef struct {
    int64_t base; /* where reading began; -1 where the file can't be sought */
    int64_t size;
    int64_t mtime; /* in nanoseconds */
} csv_origin;

/* Where a reader stands: before a record. */
typedef struct {
    uint64_t byte; /* from base on */
    uint64_t record_count;
    uint64_t line_count;
    uint64_t row_count;
    uint64_t error_count;
    bool carriage; /* a '\n' would belong to the line before */
} csv_mark;

/* 0, or -1 with an exception that is none of the file. */
int csv_origin_read(csv_origin *self, generators_state *state, const csv_source *source);

/* Before the next record, or before one that was taken (`line_count`: after it).  The
   counts of rows and errors are for the face to set. */
void csv_mark_next(csv_mark *self, const csv_parser *parser);
void csv_mark_record(csv_mark *self, const csv_parser *parser, const fields_record *record,
                     uint64_t line_count);

/* A new dict; io.UnsupportedOperation where there can be none. */
PyObject *csv_checkpoint_new(generators_state *state, const csv_origin *origin,
                             const csv_parser *parser, const csv_mark *mark, PyObject *header,
                             uint32_t width);

/* Bring a source just opened, and its parser, to the place of `start`.  *header is owned
   by the caller, whatever comes.  0 or -1. */
int csv_checkpoint_go_on(PyObject *start, generators_state *state, csv_source *source,
                         csv_parser *parser, csv_origin *origin, csv_mark *mark,
                         PyObject **header, uint32_t *width);

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
