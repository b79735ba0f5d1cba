/* The block of a reader's rows: see block.c.
 *
 * The structs are for block.c and row.c only: row.c reads fields in place.
 */
#ifndef GENERATORS_CSV_ROW_BLOCK_H
#define GENERATORS_CSV_ROW_BLOCK_H

#include "csv/parse/parser.h"
#include "csv/row/names.h"
#include "csv/row/spans.h"
#include "csv/parse/dialect.h"

typedef enum {
    CSV_ROW_PLACED, /* its fields are in the parser's memory, and it is listed */
    CSV_ROW_MOVED,  /* they are in the row's own memory */
    CSV_ROW_LOST,   /* there was no memory to move them into */
    CSV_ROW_MADE,   /* of values, without a block; this state never changes */
} csv_row_state;

typedef struct csv_block csv_block;
typedef struct csv_row csv_row;

struct csv_row {
    PyObject_HEAD
    csv_block *block;     /* owned; NULL if made.  It and the next two never change */
    PyObject **converted; /* owned: the values that are held converted, or NULL */
    uint32_t count;       /* number of values */
    union {
        struct {
            csv_row *previous; /* borrowed; NULL for the first */
            csv_row *next;     /* borrowed */
        } listed;              /* placed */
        uint32_t *moved;       /* owned: `count` ends, then the units */
        struct {
            PyObject *values; /* owned: a tuple; csv_value_is_acyclic() of each */
            csv_names *names; /* owned, or NULL */
        } made;
    } u;
    uint32_t start; /* placed: as in fields_record */
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
    csv_parser *parser;             /* borrowed; NULL after it was freed */
    csv_row *live;                  /* borrowed: the placed rows, newest first */
    csv_row *spare[CSV_ROWS_SPARE]; /* owned: memory of freed rows, which hold their type */
    int spare_count;
    csv_names *names;     /* owned, or NULL; set before there is a row, like the layout */
    uint32_t *fields;     /* owned: the field of each value; NULL: all of them, in order */
    int32_t *places;      /* owned: the index of each value in `converted`, or -1 */
    uint32_t value_count; /* values of a row, if there are `fields` */
    uint32_t converted_count;
    csv_dialect dialect; /* never changes */
};

/* Make a row that is placed where the record is: a new reference, or NULL. `converted` (or
   NULL) is stolen on success. */
csv_row *csv_block_new_row(csv_block *self, const fields_record *record, uint32_t count,
                           PyObject **converted);

/* Free a row whose last reference is gone, with its references to the block and its type. */
void csv_block_free_row(csv_block *self, csv_row *row);

/* With the block locked: find where the row's fields are.  0, or -1 with MemoryError if they
   are lost. */
int csv_block_find_row(csv_block *self, const csv_row *row, csv_spans *spans);

/* Make a block and make it the parser's borrower.  0 or -1. */
int csv_block_open(generators_state *state, csv_parser *parser);

/* The block of a parser that has one: borrowed. */
static inline csv_block *
csv_block_of(const csv_parser *parser)
{
    return (csv_block *)parser->borrower;
}

/* Set the names of rows, before there is a row. */
void csv_block_set_names(csv_block *self, csv_names *names);

/* Set the layout, before there is a row.  For each of the `count` values of a row: its field,
   and whether the row holds it converted.  0 or -1. */
int csv_block_set_layout(csv_block *self, const uint32_t *chosen, const bool *converted,
                         uint32_t count);

extern PyType_Spec csv_block_spec;

#endif
