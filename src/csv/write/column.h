/* One column of an Arrow batch as CSV fields: see column.c. */
#ifndef GENERATORS_CSV_WRITE_COLUMN_H
#define GENERATORS_CSV_WRITE_COLUMN_H

#include "arrow/read.h"
#include "csv/write/cells.h"

/* Texts of one column are cut into parts of about this many bytes. */
#define CSV_COLUMN_BYTES ((size_t)1 << 18)

typedef struct csv_zone csv_zone;
typedef struct csv_column csv_column;

struct csv_column {
    csv_cells cells;
    Py_ssize_t place;               /* among the columns of the batches, or -1 */
    const arrow_type *type;         /* borrowed from the source */
    const struct ArrowArray *array; /* borrowed: of the batch, or NULL */
    int64_t offset;                 /* of the first row in the buffers */
    const uint8_t *bitmap;          /* borrowed: of the values that are there, or NULL */
    const uint8_t *parent;          /* borrowed: of the rows that are there, or NULL */
    int64_t parent_offset;
    csv_column *values;  /* owned: of the dictionary or of the runs, or NULL */
    size_t value_count;  /* how many of them are in the cells of `values`; 0: not all are */
    bool whole;          /* all rows are wanted at once */
    csv_zone *zone;      /* owned: a time zone that has a name, or NULL */
    uint64_t *specials;  /* owned: a bit for each byte of text; see column_text.c */
    size_t special_room; /* words */
    csv_cell constant;   /* if `type` is NULL: the field of each row */
};

/* The column must be freed, whatever this returns.  0 or -1. */
int csv_column_open(csv_column *self, const csv_style *style, const arrow_type *type);
void csv_column_free(csv_column *self);

/* Begin a batch of `count` rows, whose array is `array`, from `offset` on.  `parent`: the
   bitmap of the rows that are there, or NULL, and where it begins.  0 or -1. */
int csv_column_begin(csv_column *self, const struct ArrowArray *array, int64_t offset,
                     int64_t count, const uint8_t *parent, int64_t parent_offset);

/* Write the fields of `count` rows from `first` on to the cells.  Returns how many were
   written.  Fewer than `count` are if the next one cannot be written, for which
   `cells.result` is the reason, with an exception set if it is CSV_RAISED; or if it is
   CSV_WRITTEN, because they are long. */
size_t csv_column_fill(csv_column *self, int64_t first, size_t count);

#endif
