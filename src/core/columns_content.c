#include "core/columns_content.h"

#include "core/fields_span.h"
#include "core/utf8.h"

#define LONGEST_POINT 4 /* bytes of a code point in UTF-8 */

/* ---- texts that are not in the block as they are ---- */

static bool
holds(const columns_region *g, uint32_t start, uint32_t end, uint32_t unit)
{
    const void *block = g->source->block;
    if (unit == SCAN_ABSENT) {
        return false;
    }
    if (g->source->width == 1) {
        return unit <= UINT8_MAX &&
               memchr((const uint8_t *)block + start, (int)unit, end - start) != NULL;
    }
    for (uint32_t at = start; at < end; at++) {
        if (unit_at(block, at, g->source->width) == unit) {
            return true;
        }
    }
    return false;
}

/* Whether the field has doubled quotes, escapes, quotes in the middle, or spaces to skip. */
static bool
must_be_rewritten(const columns_region *g, const fields_record *record, uint32_t start,
                  uint32_t end, bool quoted)
{
    const fields_dialect *d = &g->self->layout->dialect;
    if (d->skip_space && unit_at(g->source->block, start, g->source->width) == ' ') {
        return true;
    }
    if (record->flags & FIELDS_IRREGULAR) {
        return holds(g, start, end, d->set.quote) || holds(g, start, end, d->set.escape);
    }
    return quoted && (record->flags & FIELDS_DOUBLED) &&
           holds(g, start + 1, end - 1, d->set.quote);
}

static void
encode(const columns_region *g, const void *units, uint8_t *out, columns_content *content)
{
    content->bytes = out;
    if (!utf8_encode(units, g->source->width, content->length, out, &content->length)) {
        content->length = 0;
        content->invalid = true;
    }
}

columns_content
columns_read_content(const columns_region *g, const fields_record *record, uint32_t start,
                     uint32_t end, bool raw)
{
    columns *self = g->self;
    const columns_layout *layout = self->layout;
    const size_t width = (size_t)g->source->width;
    size_t size = (size_t)(end - start) * width;
    columns_content content = {.unquoted = true};
    if (start == end) {
        return content;
    }
    if (!columns_reserve(self, &self->scratch,
                         size + (size_t)(end - start) * LONGEST_POINT + COLUMNS_ALIGNMENT)) {
        content.failed = true;
        return content;
    }
    const uint8_t *units = (const uint8_t *)g->source->block + start * width;
    bool quoted =
        (record->flags & FIELDS_QUOTED) &&
        unit_at(g->source->block, start, g->source->width) == layout->dialect.set.quote;
    if (must_be_rewritten(g, record, start, end, quoted)) {
        units = self->scratch.data;
        content.length = fields_content(&layout->dialect, g->source->block, g->source->width,
                                        start, end, self->scratch.data, &content.unquoted);
    }
    else {
        content.unquoted = !quoted;
        content.length = end - start - 2 * (uint32_t)quoted;
        units += quoted * width;
    }
    if (raw || (layout->units == COLUMNS_UNITS_UTF8)) {
        content.bytes = units;
        return content;
    }
    size = (size + COLUMNS_ALIGNMENT - 1) / COLUMNS_ALIGNMENT * COLUMNS_ALIGNMENT;
    encode(g, units, self->scratch.data + size, &content);
    return content;
}

/* ---- nulls and questions ---- */

bool
columns_is_null(const columns_layout *layout, const columns_content *content)
{
    for (size_t i = 0; i < layout->null_count; i++) {
        const columns_text *null = &layout->nulls[i];
        if (null->length == content->length &&
            memcmp(null->bytes, content->bytes, null->length) == 0) {
            return true;
        }
    }
    return false;
}

bool
columns_ask(const columns_region *g, columns_question_kind kind, size_t i, uint32_t column)
{
    columns *self = g->self;
    columns_buffer *questions = &self->questions;
    size_t length = questions->length + sizeof(columns_question);
    if (!columns_reserve(self, questions, length)) {
        return false;
    }
    columns_question *question = (columns_question *)(questions->data + questions->length);
    *question = (columns_question){
        .kind = kind,
        .record = g->places != NULL ? g->places[i] : (uint32_t)(g->first + i),
        .column = column,
        .row = (uint32_t)self->row_mark + (uint32_t)i,
    };
    questions->length = length;
    return true;
}
