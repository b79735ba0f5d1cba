/* The texts of a record's fields, wherever their units are: see spans.c. */
#ifndef GENERATORS_CSV_ROW_SPANS_H
#define GENERATORS_CSV_ROW_SPANS_H

#include "csv/parse/dialect.h"
#include "csv/parse/memo.h"
#include "state.h"

/* The position of a record's fields; all borrowed.  The dialect is `text_only`. */
typedef struct {
    const csv_dialect *dialect;
    csv_memo *memo; /* or NULL */
    const void *units;
    const uint32_t *ends;   /* of the fields */
    const uint32_t *fields; /* the fields of the row, in its order; NULL for all */
    uint32_t start;
    uint32_t count;
    uint32_t flags; /* as in fields_record */
    int width;
    bool utf8;
} csv_spans;

/* The text of one field: a new reference, or NULL. */
PyObject *csv_spans_text(const csv_spans *spans, generators_state *state, uint32_t index);

/* Put new references to the texts of all fields into `items`, which are NULL.  `fields` must
   be NULL.  0, or -1 with some of the items made. */
int csv_spans_fill(const csv_spans *spans, generators_state *state, PyObject **items);

#endif
