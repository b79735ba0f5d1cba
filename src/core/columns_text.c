/* Texts are copied a chunk of records at a time, for which there is room: the bytes of all
 * fields of its records, although one column needs only some of them.
 */
#include "core/columns_text.h"

#define CHUNK 256 /* records */
#define SHORT 16  /* bytes that are copied for a text of any length up to this */

/* ---- chunks ---- */

typedef struct {
    size_t from, to; /* records of the region */
    size_t bound;    /* bytes that their texts have at most */
    bool slack;      /* as many units as two short texts have can be read after them */
} chunk;

/* The next chunk.  False if there is none. */
static bool
next_chunk(const columns_region *g, chunk *c)
{
    const size_t most = (size_t)g->source->width == 1 ? 2 : (size_t)g->source->width;
    const size_t each = g->self->layout->units == COLUMNS_UNITS_UTF8 ? 1 : most;
    c->from = c->to;
    if (c->from == g->count) {
        return false;
    }
    c->to = g->count - c->from > CHUNK ? c->from + CHUNK : g->count;
    const fields_record *last = &g->records[c->to - 1];
    uint32_t end = g->source->ends[last->last - 1];
    c->bound = (size_t)(end - g->records[c->from].start) * each;
    c->slack = g->source->length >= (size_t)end + 2 * SHORT;
    return true;
}

/* ---- most columns: each field is its text, or is quoted, and none is null ---- */

/* `quick`: more units than the text has may be read. */
INLINE void
copy_text(uint8_t *to, const uint8_t *from, size_t count, bool quick)
{
    if (quick && count <= SHORT) {
        memcpy(to, from, SHORT);
    }
    else if (quick && count <= (size_t)2 * SHORT) {
        memcpy(to, from, (size_t)2 * SHORT);
    }
    else {
        memcpy(to, from, count);
    }
}

/* Copy the texts of a chunk. */
INLINE size_t
copy_chunk(const columns_region *g, const chunk *c, uint32_t field, bool quotes, uint8_t *data,
           size_t at, int32_t *ends_out)
{
    const uint8_t *block = g->source->block;
    const uint32_t *ends = g->source->ends;
    const uint32_t quote = g->self->layout->dialect.set.quote;
    for (size_t i = c->from; i < c->to; i++) {
        const fields_record *record = &g->records[i];
        const uint32_t *end_at = ends + record->first + field;
        uint32_t start = field == 0 ? record->start : end_at[-1] + 1;
        uint32_t end = *end_at;
        if (quotes && (record->flags & FIELDS_QUOTED) && start < end &&
            block[start] == quote) {
            start++;
            end--;
        }
        copy_text(data + at, block + start, end - start, c->slack);
        at += end - start;
        ends_out[i] = (int32_t)at;
    }
    return at;
}

static bool
lay_plain_texts(const columns_region *g, uint32_t j)
{
    columns *self = g->self;
    columns_column *column = &self->columns[j];
    columns_buffer *data = &column->array.data;
    const uint32_t field = self->layout->specs[j].field;
    int32_t *ends_out = (int32_t *)column->array.values.data + self->row_mark + 1;
    const bool quotes = g->flags & FIELDS_QUOTED;
    for (chunk c = {0}; next_chunk(g, &c);) {
        if (!columns_column_reserve(self, column, c.bound + (size_t)2 * SHORT)) {
            return false;
        }
        uint8_t *to = data->data;
        if (field == 0) {
            data->length = copy_chunk(g, &c, 0, quotes, to, data->length, ends_out);
        }
        else if (quotes) {
            data->length = copy_chunk(g, &c, field, true, to, data->length, ends_out);
        }
        else {
            data->length = copy_chunk(g, &c, field, false, to, data->length, ends_out);
        }
    }
    return true;
}

/* ---- any column ---- */

static bool
lay_text(const columns_region *g, uint32_t j, size_t i, bool hard, uint32_t hard_flags)
{
    columns *self = g->self;
    const columns_spec *spec = &self->layout->specs[j];
    const bool is_binary = spec->kind == COLUMNS_BINARY;
    const bool raw = is_binary && self->layout->binary != COLUMNS_BINARY_UTF8;
    columns_content content =
        columns_read(g, &g->records[i], spec->field, hard, hard_flags, raw);
    if (content.failed) {
        return false;
    }
    bool null = columns_content_is_null(g, spec, &content);
    bool asks = content.invalid || (is_binary && content.length > 0 &&
                                    self->layout->binary == COLUMNS_BINARY_ASKS);
    columns_column *column = &self->columns[j];
    const int64_t row = self->row_mark + (int64_t)i;
    if (!null && !asks) {
        return columns_column_put(self, column, row, content.bytes, content.length);
    }
    columns_column_skip(column, row);
    if (null) {
        return columns_lay_null(g, j, i);
    }
    return columns_ask(g, COLUMNS_ASKS_VALUE, i, j);
}

bool
columns_lay_texts(const columns_region *g, uint32_t j)
{
    columns *self = g->self;
    columns_column *column = &self->columns[j];
    const columns_layout *layout = self->layout;
    const columns_spec *spec = &layout->specs[j];
    const bool raw = spec->kind == COLUMNS_BINARY && layout->binary != COLUMNS_BINARY_UTF8;
    const uint32_t hard_flags = columns_hard_flags(g, raw);
    const bool hard = columns_is_hard(g);
    const bool asks = spec->kind == COLUMNS_BINARY && layout->binary == COLUMNS_BINARY_ASKS;
    const bool nulls = spec->empty != COLUMNS_EMPTY_VALUE || spec->takes_nulls;
    const bool small = spec->kind == COLUMNS_UTF8 || spec->kind == COLUMNS_BINARY;
    if (small && !hard && !(g->flags & hard_flags) && !asks && !nulls &&
        spec->field < g->least) {
        return lay_plain_texts(g, j);
    }
    for (chunk c = {0}; next_chunk(g, &c);) {
        if (!columns_column_reserve(self, column, c.bound)) {
            return false;
        }
        for (size_t i = c.from; i < c.to; i++) {
            if (!lay_text(g, j, i, hard, hard_flags)) {
                return false;
            }
        }
    }
    return true;
}

int64_t
columns_fitting(const columns_region *g, uint32_t j)
{
    columns *self = g->self;
    const columns_layout *layout = self->layout;
    const columns_spec *spec = &layout->specs[j];
    const bool raw = spec->kind == COLUMNS_BINARY && layout->binary != COLUMNS_BINARY_UTF8;
    const uint32_t hard_flags = columns_hard_flags(g, raw);
    size_t charge = columns_column_charge(&self->columns[j]);
    size_t bound = 0;
    for (chunk c = {0}; next_chunk(g, &c);) {
        bound += c.bound;
    }
    if (spec->kind == COLUMNS_LARGE_UTF8 || bound + charge <= layout->max_bytes) {
        return (int64_t)g->count;
    }
    if (spec->kind == COLUMNS_BINARY && layout->binary == COLUMNS_BINARY_ASKS) {
        return (int64_t)g->count;
    }
    for (size_t i = 0; i < g->count; i++) {
        columns_content content =
            columns_read(g, &g->records[i], spec->field, columns_is_hard(g), hard_flags, raw);
        if (content.failed) {
            return -1;
        }
        if (!columns_content_is_null(g, spec, &content)) {
            charge += columns_text_charge(spec->kind, content.length);
        }
        if (charge > layout->max_bytes) {
            return (int64_t)i;
        }
    }
    return (int64_t)g->count;
}
