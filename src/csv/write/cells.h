/* The fields of one column, for some rows: see cells.c. */
#ifndef GENERATORS_CSV_WRITE_CELLS_H
#define GENERATORS_CSV_WRITE_CELLS_H

#include "core/buffer.h"
#include "csv/write/style.h"

/* What is known of a field beside its text. */
enum {
    CELL_NULL = 1,
    CELL_QUOTED = 2,   /* `quoting` requires it */
    CELL_NUMBER = 4,   /* no spreadsheet runs it */
    CELL_PLAIN = 8,    /* it has no special character */
    CELL_EDGE = 16,    /* it may not be read beyond its end */
    CELL_SPECIAL = 32, /* it has a special character */
};

typedef struct {
    const csv_style *style; /* borrowed */
    csv_cell *cells;        /* owned */
    uint8_t *flags;         /* owned: CELL_... */
    size_t capacity;        /* of both */
    uint8_t *slots;         /* owned: texts of fixed room */
    size_t slot_room;       /* bytes of all slots */
    buffer texts;           /* owned: texts of any length */
    buffer quoted;          /* owned: fields that differ from their texts */
    buffer wide;            /* owned: for special characters that are not ASCII */
    csv_written result;     /* why the first cell that is not there could not be written */
} csv_cells;

void csv_cells_init(csv_cells *self, const csv_style *style);
void csv_cells_free(csv_cells *self);

/* Make room for `count` cells, and clear their flags.  0 or -1. */
int csv_cells_reserve(csv_cells *self, size_t count);

/* Make room for `count` texts of up to `room` bytes each.  NULL with an exception set. */
uint8_t *csv_cells_slots(csv_cells *self, size_t count, size_t room);

/* Begin texts of any length.  Each is appended at the end, and is cell number `index` then.
   csv_cells_end_texts() must be called before the cells are read. */
void csv_cells_begin_texts(csv_cells *self);
uint8_t *csv_cells_text_room(csv_cells *self, size_t room); /* NULL with an exception set */
void csv_cells_add_text(csv_cells *self, size_t index, size_t length);
void csv_cells_end_texts(csv_cells *self, size_t count);

/* Turn the texts of `count` cells into fields, as their flags say.  Returns how many could be
   written: `result` says why the next one could not. */
size_t csv_cells_quote(csv_cells *self, size_t count);

/* The same for texts without special characters, which are not quoted, none of which is empty
   and which may be read beyond their end: only nulls are replaced. */
size_t csv_cells_set_nulls(csv_cells *self, size_t count);

/* Raise what a status of a buffer means, or 0. */
int csv_cells_status(buffer_status status);

#endif
