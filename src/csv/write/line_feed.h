/* Rows or batches in, chunks of CSV text out: the struct, and what both have in common.
 *
 * The struct is part of the two front ends in this room.
 */
#ifndef GENERATORS_CSV_WRITE_LINE_FEED_H
#define GENERATORS_CSV_WRITE_LINE_FEED_H

#include "chunks/chunks.h"
#include "core/buffer.h"
#include "csv/write/columns.h"
#include "csv/write/encode.h"
#include "csv/write/table.h"

typedef enum {
    CSV_FROM_ANY, /* not known yet */
    CSV_FROM_ROWS,
    CSV_FROM_BATCHES,
} csv_item_kind;

typedef struct {
    chunks chunks;
    generators_state *state; /* borrowed from the module of the front end */
    csv_encoder *encoder;    /* owned, or NULL */
    csv_formats formats;
    csv_columns columns;
    buffer bytes;     /* UTF-8 of a line that is not ASCII */
    PyObject *labels; /* owned: a tuple of the header's labels; NULL: the names */
    PyObject *cursor; /* owned: `rows`, if it may tell the names of its columns; or NULL */
    PyObject *made;   /* owned: the rows of an array or a frame, or NULL */
    csv_table table;  /* of the batches in hand */
    csv_item_kind items;
    bool has_header;
    bool has_mark;
    bool chooses;           /* `columns` were given */
    bool header_is_default; /* none for rows, and the names for batches */
    bool extra_is_default;  /* refused in rows, and ignored in batches */
    bool begun;             /* the mark and the header were written */
    size_t fed;             /* bytes of the table's lines that the chunks have */
    Py_ssize_t index;       /* of the row in progress */
    uint64_t row_count;
} csv_lines;

/* ---- errors ---- */

/* The name of the column that failed, or its index: a new reference, or NULL. */
PyObject *csv_lines_column(csv_lines *self, Py_ssize_t index);

/* Raise CSVError, with the exception that is set (if any) as its cause. */
void csv_lines_raise(csv_lines *self, bool header, PyObject *column, PyObject *message);
void csv_lines_raise_written(csv_lines *self, bool header, csv_written result, PyObject *row,
                             Py_ssize_t index);

/* Add a note to an exception of user code; the exception is not replaced. */
void csv_lines_note_row(csv_lines *self, bool header, Py_ssize_t index);

/* ---- lines ---- */

/* Feed a text, which may be NULL with an exception set.  0 or -1. */
int csv_lines_feed_text(csv_lines *self, PyObject *text);

/* Write the values of a row, or the header.  `width`: how many there must be, or -1.  0 or -1.
 */
int csv_lines_write_values(csv_lines *self, PyObject *values, bool header, Py_ssize_t width);

/* Write the mark and the header, once: before the first row, or at the end.  0 or -1. */
int csv_lines_start(csv_lines *self);

#endif
