/* The struct of csv_column, for the files that fill its cells. */
#ifndef GENERATORS_CSV_WRITE_COLUMN_INNER_H
#define GENERATORS_CSV_WRITE_COLUMN_INNER_H

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

#endif
