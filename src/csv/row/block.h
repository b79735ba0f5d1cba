/* What a row and the block that it is in know of each other; for block.c and row.c. */
#ifndef GENERATORS_CSV_ROW_BLOCK_H
#define GENERATORS_CSV_ROW_BLOCK_H

#include "csv/parse/parser.h"
#include "csv/row/names.h"
#include "csv/row/spans.h"
#include "csv/parse/dialect.h"

typedef enum {
    CSV_ROW_PLACED, /* its fields are in the parser's block; it is listed */
    CSV_ROW_MOVED,  /* they are in memory of its own */
    CSV_ROW_LOST,   /* there was no memory to move them into */
    CSV_ROW_MADE,   /* of values; for ever, and without a block */
} csv_row_state;

typedef struct csv_block csv_block;
typedef struct csv_row csv_row;

struct csv_row {
    PyObject_HEAD
    csv_block *block;     /* owned; NULL if made.  Never changes, nor do the next two */
    PyObject **converted; /* owned: values that the block's layout says are held, or NULL */
    uint32_t count;       /* of its values */
    union {
        struct {
            csv_row *previous; /* borrowed; NULL for the first */
            csv_row *next;     /* borrowed */
        } listed;              /* placed */
        uint32_t *moved;       /* owned: `count` ends, and behind them the units */
        struct {
            PyObject *values; /* owned: a tuple of what csv_value_is_acyclic() */
            csv_names *names; /* owned, or NULL */
        } made;
    } u;
    uint32_t start; /* placed: as of fields_record */
    uint32_t first;
    uint8_t flags;
    uint8_t width; /* moved: bytes a unit */
    uint8_t utf8;  /* moved: the units are UTF-8 */
    uint8_t state; /* csv_row_state; changes only with the block locked */
};

#define CSV_ROWS_SPARE 4

struct csv_block {
    PyObject_HEAD
    generators_state *state; /* borrowed; the block's type keeps it */
    generators_lock lock;
    csv_parser *parser;             /* borrowed; NULL once it is gone */
    csv_row *live;                  /* borrowed: the placed rows, newest first */
    csv_row *spare[CSV_ROWS_SPARE]; /* owned: freed rows that still hold their type */
    int spare_count;
    csv_names *names; /* owned, or NULL; this and the layout are set before there is a row */
    uint32_t *fields; /* owned: the field of each value; NULL: all, as they come */
    int32_t *places;  /* owned: of each value, where it is in `converted`, or -1 */
    uint32_t value_count; /* of a row, where there are `fields` */
    uint32_t converted_count;
    csv_dialect dialect; /* never changes */
};

/* A new row placed where the record is, which takes over `converted` (or NULL) unless it
   fails: a new reference, or NULL. */
csv_row *csv_block_new_row(csv_block *self, const fields_record *record, uint32_t count,
                           PyObject **converted);

/* Take back a row that nobody refers to any more, and its references to the block and
   its type. */
void csv_block_free_row(csv_block *self, csv_row *row);

/* With the block locked: where the row's fields are now.  0, or -1 if they are lost. */
int csv_block_find_row(csv_block *self, const csv_row *row, csv_spans *spans);

/* Make a block, which becomes the parser's borrower.  0 or -1. */
int csv_block_open(generators_state *state, csv_parser *parser);

/* The block of such a parser: borrowed. */
static inline csv_block *
csv_block_of(const csv_parser *parser)
{
    return (csv_block *)parser->borrower;
}

/* Before there is a row. */
void csv_block_set_names(csv_block *self, csv_names *names);

/* The same: the field chosen for each of `count` values of a row, and whether the row
   holds it converted.  0 or -1. */
int csv_block_set_layout(csv_block *self, const uint32_t *chosen, const bool *converted,
                         uint32_t count);

extern PyType_Spec csv_block_spec;

#endif
