/* How fields and lines of UTF-8 are written: an encoder's parameters, as bytes. */
#ifndef GENERATORS_CSV_WRITE_STYLE_H
#define GENERATORS_CSV_WRITE_STYLE_H

#include <string.h>

#include "core/quote.h"
#include "csv/write/encode.h"

/* All cells may be read this far from their start, whatever their length. */
#define CSV_CELL_ROOM 32

/* A field as it stands in a line.  Borrowed. */
typedef struct {
    const uint8_t *start;
    size_t length;
} csv_cell;

/* A cell without text, or why it cannot be written. */
typedef struct {
    csv_written result;
    csv_cell cell;
} csv_blank;

typedef struct {
    const quoter *quoter; /* borrowed from the encoder */
    bool ascii;           /* all special characters are: bytes are looked at, not characters */
    bool doubles;         /* nothing is ever escaped: quotes are doubled, and that is all */
    bool escape_formulas;
    const csv_formats *formats; /* borrowed from the encoder, which has some */
    csv_cell marked;            /* text that is quoted, because None is written so */
    bool quotes_text;
    bool quotes_number;
    bool quotes_other;      /* what is neither text, a number nor None */
    csv_blank null;         /* None: see csv_style_set_null() */
    csv_blank empty;        /* text that is empty, and not quoted for its type */
    csv_blank quoted_empty; /* and that is */
    uint8_t delimiter[4];
    size_t delimiter_length;
    const uint8_t *end; /* borrowed from the encoder's line end */
    size_t end_length;
    uint8_t quotes[CSV_CELL_ROOM]; /* two of them */
} csv_style;

/* `alone`: the lines have one field, which must be told from an empty line.  The style is part
   of a struct that does not move, and lives no longer than the encoder.  0 or -1. */
int csv_style_open(csv_style *self, const csv_encoder *encoder);
void csv_style_set_alone(csv_style *self, const csv_encoder *encoder, bool alone);

/* Write None as this field, which may be read for CSV_CELL_ROOM bytes, instead of a blank. */
void csv_style_set_null(csv_style *self, csv_cell field);

/* Whether a text is quoted because None is written so. */
static inline bool
csv_style_marks(const csv_style *self, const uint8_t *text, size_t count)
{
    return self->marked.start != NULL && self->marked.length == count &&
           memcmp(self->marked.start, text, count) == 0;
}

#endif
