/* Rows as lines of text: see encode.c. */
#ifndef GENERATORS_CSV_WRITE_ENCODE_H
#define GENERATORS_CSV_WRITE_ENCODE_H

#include "core/quote.h"
#include "csv/parse/dialect.h"
#include "csv/write/formats.h"
#include "state.h"

typedef struct csv_encoder csv_encoder;

typedef enum {
    CSV_WRITTEN = 0,
    CSV_RAISED, /* an exception is set: of user code, or MemoryError */
    CSV_NO_ESCAPE,
    CSV_EMPTY_FIELD,
    CSV_EMPTY_RECORD,
    CSV_NOT_ITERABLE,
} csv_written;

/* A line in progress.  The caller owns it, so that a row may be written while another one is
   being written. */
typedef struct {
    size_t start;     /* of the line in the encoder's block */
    Py_ssize_t count; /* fields written: the index of the one that failed */
    uint64_t number;  /* of the line, from 1 */
    uint64_t outer;   /* number of the line that was in progress before, or 0 */
    bool ascii;
    bool null; /* the last field was None */
} csv_line;

/* Make an encoder.  `standard` is csv's Dialect for `dialect`, from csv_dialect_make().
   `formats` are borrowed; NULL: every value is written as csv.writer does.  NULL with an
   exception set. */
csv_encoder *csv_encoder_new(generators_state *state, const csv_dialect *dialect,
                             PyObject *standard, const csv_formats *formats,
                             bool escape_formulas);
void csv_encoder_free(csv_encoder *self); /* `self` may be NULL */

/* The formats have changed, or are others; borrowed, as above. */
void csv_encoder_set_formats(csv_encoder *self, const csv_formats *formats);

/* Write a row with its line end.  csv_line_end() must be called afterwards, whatever this
   returns. */
csv_written csv_encode_row(csv_encoder *self, csv_line *line, PyObject *row);

/* The units of the line, `count` of `width` bytes: valid until more is written. */
const void *csv_line_units(const csv_encoder *self, const csv_line *line, size_t *count,
                           int *width);

/* The line as text: a new reference, or NULL. */
PyObject *csv_line_text(const csv_encoder *self, const csv_line *line);

/* Discard the line. */
void csv_line_end(csv_encoder *self, const csv_line *line);

/* ---- for what writes lines of UTF-8 by itself: see style.c ---- */

/* Borrowed from the encoder. */
const quoter *csv_encoder_quoter(const csv_encoder *self);
PyObject *csv_encoder_terminator(const csv_encoder *self);
bool csv_encoder_escapes_formulas(const csv_encoder *self);
const csv_formats *csv_encoder_formats(const csv_encoder *self);

/* Whether text that is the same as that of None is quoted, so that it can be told from it. */
bool csv_encoder_marks_null(const csv_encoder *self);

/* Whether `quoting` requires quotes around such a field. */
bool csv_encoder_quotes(const csv_encoder *self, bool is_text, bool is_number, bool is_none);

/* Whether an empty field, or None, can be written, `alone` in its line or not.  Sets *quoted
   if it must be quoted. */
csv_written csv_encoder_blank(const csv_encoder *self, bool is_none, bool alone, bool *quoted);

/* The message of csv.writer for CSV_NO_ESCAPE or a later result: a new reference. */
PyObject *csv_written_message(csv_written result, PyObject *row);

#endif
