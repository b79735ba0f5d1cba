/* Arrow batches as lines of UTF-8: see table.c. */
#ifndef GENERATORS_CSV_WRITE_TABLE_H
#define GENERATORS_CSV_WRITE_TABLE_H

#include "arrow/source.h"
#include "csv/write/column.h"

typedef struct {
    arrow_source source;
    csv_style style;
    csv_column *columns; /* owned */
    size_t column_count;
    bool planned;
    uint8_t *constant; /* owned: the field for columns that the batches lack, or NULL */
    uint8_t *null;     /* owned: the field of None, or NULL */
    int64_t length;    /* rows of the batch */
    int64_t next;      /* the first of them that is not written */
    size_t slice;      /* rows to write at once */
    uint8_t *lines;    /* owned: the lines written last */
    size_t room;
    size_t size;        /* bytes of them */
    size_t rows;        /* rows in them */
    csv_written result; /* why the row after them cannot be written */
    PyObject *raised;   /* owned: the exception, if that is CSV_RAISED */
    Py_ssize_t column;  /* the column that failed, or -1 */
} csv_table;

/* Choose the columns to write, once the type is read.  places[i] is the index of column i
   among the batches' own, or -1 for the field `constant`.  `null` is the field of None, unless
   that is a blank.  Both are UTF-8.  0 or -1. */
int csv_table_plan(csv_table *self, const csv_encoder *encoder, const Py_ssize_t *places,
                   size_t count, csv_cell constant, csv_cell null);

/* Close the source, and forget the plan.  The lines stay. */
void csv_table_end(csv_table *self);
void csv_table_close(csv_table *self);
int csv_table_traverse(csv_table *self, visitproc visit, void *arg);

/* Take the next batch: 1, 0 at the end, or -1. */
int csv_table_next(csv_table *self);

/* Write the next rows of the batch to `lines`, if it has more.  Where fewer rows are written
   than there are, `result` is CSV_WRITTEN, or the reason why the next one cannot be.  0, or -1
   if nothing was written and an exception is set that no row is the reason of. */
int csv_table_write(csv_table *self, const scan_kernel *kernel);

/* The bytes of a row of the lines written last. */
size_t csv_table_row_size(const csv_table *self, size_t row);

static inline bool
csv_table_has_rows(const csv_table *self)
{
    return self->next < self->length;
}

#endif
