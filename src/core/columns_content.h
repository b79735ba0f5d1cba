/* The text of each field of a column, and what it is: null, or a question.  See columns.h. */
#ifndef GENERATORS_CORE_COLUMNS_CONTENT_H
#define GENERATORS_CORE_COLUMNS_CONTENT_H

#include "core/columns_column.h"

/* The records that columns_append() lays out.  They become the rows from self->row_mark on. */
typedef struct {
    columns *self;
    const columns_records *source;
    const fields_record *records;
    const uint32_t *places; /* the index of each in the source, or NULL: first + i */
    size_t first;
    size_t count;
    uint32_t least; /* the fewest fields that one of them has */
    uint32_t flags; /* of any of them */
} columns_region;

/* The text of a field.  Valid until the next one is read. */
typedef struct {
    const uint8_t *bytes; /* in UTF-8, or units as they are */
    size_t length;
    bool unquoted;
    bool missing; /* the record has no such field: null */
    bool invalid; /* it can't be UTF-8; `length` is 0 */
    bool failed;  /* there is no memory */
} columns_content;

/* Read any field.  `raw`: its units as they are. */
columns_content columns_read_content(const columns_region *g, const fields_record *record,
                                     uint32_t start, uint32_t end, bool raw);

/* Whether it is one of the spellings of null. */
bool columns_is_null(const columns_layout *layout, const columns_content *content);

/* Ask a question about row `i` of the region.  False if there is no memory. */
bool columns_ask(const columns_region *g, columns_question_kind kind, size_t i,
                 uint32_t column);

/* Flags of records whose fields can't be read in place. */
INLINE uint32_t
columns_hard_flags(const columns_region *g, bool raw)
{
    const columns_layout *layout = g->self->layout;
    bool high = !raw && layout->units != COLUMNS_UNITS_UTF8;
    return FIELDS_DOUBLED | FIELDS_IRREGULAR | (high ? FIELDS_HIGH : 0);
}

/* Whether no field of the region can be read in place. */
INLINE bool
columns_is_hard(const columns_region *g)
{
    return g->source->width != 1 || g->self->layout->dialect.skip_space;
}

INLINE uint32_t
columns_field_start(const columns_region *g, const fields_record *record, uint32_t field)
{
    return field == 0 ? record->start : g->source->ends[record->first + field - 1] + 1;
}

/* Read the field of a record.  `hard` and `hard_flags` are those above. */
INLINE columns_content
columns_read(const columns_region *g, const fields_record *record, uint32_t field, bool hard,
             uint32_t hard_flags, bool raw)
{
    if (record->last - record->first <= field) {
        return (columns_content){.missing = true, .unquoted = true};
    }
    uint32_t start = columns_field_start(g, record, field);
    uint32_t end = g->source->ends[record->first + field];
    if (start == end) {
        bool blank = record->last - record->first == 1; /* a record without fields */
        return (columns_content){.missing = blank, .unquoted = true};
    }
    if (hard || (record->flags & hard_flags)) {
        return columns_read_content(g, record, start, end, raw);
    }
    const uint8_t *bytes = g->source->block;
    bool quoted =
        (record->flags & FIELDS_QUOTED) && bytes[start] == g->self->layout->dialect.set.quote;
    return (columns_content){
        .bytes = bytes + start + quoted,
        .length = end - start - 2 * (uint32_t)quoted,
        .unquoted = !quoted,
    };
}

/* Whether the field is null under the rules of its column. */
INLINE bool
columns_content_is_null(const columns_region *g, const columns_spec *spec,
                        const columns_content *content)
{
    if (content->length == 0) {
        return content->missing ||
               (!content->invalid &&
                (spec->empty == COLUMNS_EMPTY_NULL ||
                 (spec->empty == COLUMNS_EMPTY_UNQUOTED_NULL && content->unquoted)));
    }
    uint64_t bit = UINT64_C(1) << (content->length < 63 ? content->length : 63);
    return spec->takes_nulls && content->unquoted && (g->self->null_lengths & bit) &&
           columns_is_null(g->self->layout, content);
}

/* Lay out a null, whose placeholder is there. */
INLINE bool
columns_lay_null(const columns_region *g, uint32_t j, size_t i)
{
    columns *self = g->self;
    if (self->layout->specs[j].not_null) {
        return columns_ask(g, COLUMNS_ASKS_NULL, i, j);
    }
    return columns_column_null(self, &self->columns[j], self->row_mark + (int64_t)i,
                               self->row_mark + (int64_t)g->count);
}

#endif
