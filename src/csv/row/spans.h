/* The spans of a record's fields, and their text. */
#ifndef GENERATORS_CSV_ROW_SPANS_H
#define GENERATORS_CSV_ROW_SPANS_H

#include "csv/parse/dialect.h"
#include "csv/parse/memo.h"
#include "state.h"

/* Where one record's fields are; all borrowed.  The dialect is one of text only. */
typedef struct {
    const csv_dialect *dialect;
    csv_memo *memo; /* or NULL */
    const void *units;
    const uint32_t *ends;   /* of its fields */
    const uint32_t *fields; /* which of them, in this order; NULL for all */
    uint32_t start;
    uint32_t count;
    uint32_t flags; /* as of fields_record */
    int width;
    bool utf8;
} csv_spans;

/* The text of one field: a new reference, or NULL. */
PyObject *csv_spans_text(const csv_spans *spans, generators_state *state, uint32_t index);

/* New references to the texts of all fields, where `fields` is NULL, into `items`, which are
 * NULL.  0 or -1. */
int csv_spans_fill(const csv_spans *spans, generators_state *state, PyObject **items);

#endif
