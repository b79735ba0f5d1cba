/* Rows in, code units out. */
#ifndef GENERATORS_CSV_WRITE_ENCODE_H
#define GENERATORS_CSV_WRITE_ENCODE_H

#include "core/buffer.h"
#include "core/quote.h"
#include "csv/parse/dialect.h"
#include "state.h"

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

#endif
