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
    bool plain;      /* each has the field, and it is in the block as it is, or quoted */
} chunk;

/* What chunks depend on. */
typedef struct {
    const columns_region *g;
    uint32_t field;
    uint32_t hard_flags;
    bool none_plain; /* no chunk is plain */
    bool all_plain;  /* each is */
} chunk_rule;

INLINE bool
is_plain(const chunk_rule *rule, const fields_record *record)
{
    const uint32_t count = record->last - record->first;
    if ((record->flags & rule->hard_flags) || count <= rule->field) {
        return false;
    }
    return count > 1 || rule->g->source->ends[record->first] != record->start;
}

/* The end of the records that are plain, or not, as the first is. */
static size_t
chunk_end(const chunk_rule *rule, const chunk *c, size_t most)
{
    size_t to = c->from;
    while (to < most && is_plain(rule, &rule->g->records[to]) == c->plain) {
        to++;
    }
    return to;
}

/* The next chunk.  False if there is none. */
static bool
next_chunk(const chunk_rule *rule, chunk *c)
{
    static const uint8_t longest[] = {2, 3, 4}; /* in UTF-8, of units of 1, 2 and 4 bytes */
    const columns_region *g = rule->g;
    const bool utf8 = g->self->layout->units == COLUMNS_UNITS_UTF8;
    const size_t each = utf8 ? 1 : longest[g->source->width >> 1];
    c->from = c->to;
    if (c->from == g->count) {
        return false;
    }
    c->to = g->count - c->from > CHUNK ? c->from + CHUNK : g->count;
    c->plain = rule->all_plain;
    if (!rule->all_plain && !rule->none_plain) {
        c->plain = is_plain(rule, &g->records[c->from]);
        c->to = chunk_end(rule, c, c->to);
    }
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

static void
lay_plain_chunk(const columns_region *g, uint32_t j, const chunk *c)
{
    columns *self = g->self;
    columns_array *array = &self->columns[j].array;
    const uint32_t field = self->layout->specs[j].field;
    int32_t *ends_out = (int32_t *)array->values.data + self->row_mark + 1;
    const bool quotes = g->flags & FIELDS_QUOTED;
    uint8_t *to = array->data.data;
    size_t at = array->data.length;
    if (field == 0) {
        at = copy_chunk(g, c, 0, quotes, to, at, ends_out);
    }
    else if (quotes) {
        at = copy_chunk(g, c, field, true, to, at, ends_out);
    }
    else {
        at = copy_chunk(g, c, field, false, to, at, ends_out);
    }
    array->data.length = at;
}

/* ---- any column ---- */

/* How the texts of a column are read. */
typedef struct {
    const columns_spec *spec;
    bool raw;  /* as units */
    bool asks; /* each is a question, unless it is empty or null */
    bool hard; /* none is in the block as it is */
    uint32_t hard_flags;
} text_rule;

static text_rule
rule_of(const columns_region *g, uint32_t j)
{
    const columns_layout *layout = g->self->layout;
    const columns_spec *spec = &layout->specs[j];
    const bool binary = spec->kind == COLUMNS_BINARY;
    const bool raw = binary && layout->binary != COLUMNS_BINARY_UTF8;
    return (text_rule){
        .spec = spec,
        .raw = raw,
        .asks = binary && layout->binary == COLUMNS_BINARY_ASKS,
        .hard = columns_is_hard(g),
        .hard_flags = columns_hard_flags(g, raw),
    };
}

static columns_content
read_text(const columns_region *g, const text_rule *rule, size_t i)
{
    return columns_read(g, &g->records[i], rule->spec->field, rule->hard, rule->hard_flags,
                        rule->raw);
}

/* Leave out whitespace around a text that is no null with it. */
static void
strip_text(const columns_region *g, const text_rule *rule, columns_content *content)
{
    if (content->length > 0 && !columns_content_is_null(g, rule->spec, content)) {
        convert_strip(&content->bytes, &content->length);
    }
}

INLINE bool
lay_content(const columns_region *g, const text_rule *rule, uint32_t j, size_t i,
            const columns_content *content)
{
    columns *self = g->self;
    columns_column *column = &self->columns[j];
    const int64_t row = self->row_mark + (int64_t)i;
    if (content->failed) {
        return false;
    }
    const bool null = columns_content_is_null(g, rule->spec, content);
    const bool asks = content->invalid || (rule->asks && content->length > 0);
    if (!null && !asks) {
        return columns_column_put(self, column, row, content->bytes, content->length);
    }
    columns_column_skip(column, row);
    return null ? columns_lay_null(g, j, i) : columns_ask(g, COLUMNS_ASKS_VALUE, i, j);
}

static bool
lay_text(const columns_region *g, const text_rule *rule, uint32_t j, size_t i)
{
    const columns_content content = read_text(g, rule, i);
    return lay_content(g, rule, j, i, &content);
}

/* Apart from lay_text(), which is slower if it may change what it has read. */
static bool
lay_stripped(const columns_region *g, const text_rule *rule, uint32_t j, size_t i)
{
    columns_content content = read_text(g, rule, i);
    strip_text(g, rule, &content);
    return lay_content(g, rule, j, i, &content);
}

bool
columns_lay_texts(const columns_region *g, uint32_t j)
{
    columns *self = g->self;
    const text_rule rule = rule_of(g, j);
    const columns_spec *spec = rule.spec;
    const bool nulls = spec->empty != COLUMNS_EMPTY_VALUE ||
                       (spec->takes_nulls && self->layout->null_count > 0);
    const bool small = spec->kind == COLUMNS_UTF8 || spec->kind == COLUMNS_BINARY;
    const bool none = !small || nulls || rule.hard || rule.asks || spec->strip;
    const chunk_rule chunks = {
        .g = g,
        .field = spec->field,
        .hard_flags = rule.hard_flags,
        .none_plain = none,
        .all_plain = !none && !(g->flags & rule.hard_flags) && spec->field < g->least,
    };
    for (chunk c = {0}; next_chunk(&chunks, &c);) {
        if (!columns_column_reserve(self, &self->columns[j], c.bound + (size_t)2 * SHORT)) {
            return false;
        }
        if (c.plain) {
            lay_plain_chunk(g, j, &c);
            continue;
        }
        for (size_t i = c.from; i < c.to; i++) {
            if (spec->strip ? !lay_stripped(g, &rule, j, i) : !lay_text(g, &rule, j, i)) {
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
    const text_rule rule = rule_of(g, j);
    const columns_kind kind = rule.spec->kind;
    const chunk_rule chunks = {.g = g, .none_plain = true};
    size_t charge = columns_column_charge(&self->columns[j]);
    size_t bound = 0;
    for (chunk c = {0}; next_chunk(&chunks, &c);) {
        bound += c.bound;
    }
    if (kind == COLUMNS_LARGE_UTF8 || rule.asks || bound + charge <= self->layout->max_bytes) {
        return (int64_t)g->count;
    }
    for (size_t i = 0; i < g->count; i++) {
        columns_content content = read_text(g, &rule, i);
        if (rule.spec->strip) {
            strip_text(g, &rule, &content);
        }
        if (content.failed) {
            return -1;
        }
        if (!columns_content_is_null(g, rule.spec, &content)) {
            charge += columns_text_charge(kind, content.length);
        }
        if (charge > self->layout->max_bytes) {
            return (int64_t)i;
        }
    }
    return (int64_t)g->count;
}
