/* The texts of a record's fields, wherever their units are.  No user code runs here. */
#include "csv/row/spans.h"

#include "csv/row/field.h"

INLINE void
set_context_of(field_context *c, const csv_spans *spans, generators_state *state)
{
    c->state = state;
    c->memo = spans->memo;
    c->dialect = spans->dialect;
    c->units = spans->units;
    c->width = spans->width;
    c->flags = spans->flags;
    c->utf8 = spans->utf8;
}

INLINE PyObject *
spanned_text(const field_context *c, uint32_t column, uint32_t start, uint32_t end)
{
    bool unquoted = true;
    if (c->flags == 0 && c->width == 1 && c->dialect->plain) {
        return field_ascii_text(c, column, (const uint8_t *)c->units + start, end - start);
    }
    return field_text(c, column, start, end, &unquoted);
}

PyObject *
csv_spans_text(const csv_spans *spans, generators_state *state, uint32_t index)
{
    field_context c;
    set_context_of(&c, spans, state);
    uint32_t field = spans->fields == NULL ? index : spans->fields[index];
    uint32_t start = field == 0 ? spans->start : spans->ends[field - 1] + 1;
    return spanned_text(&c, field, start, spans->ends[field]);
}

int
csv_spans_fill(const csv_spans *spans, generators_state *state, PyObject **items)
{
    uint32_t start = spans->start;
    field_context c;
    set_context_of(&c, spans, state);
    for (uint32_t i = 0; i < spans->count; i++) {
        items[i] = spanned_text(&c, i, start, spans->ends[i]);
        if (items[i] == NULL) {
            return -1;
        }
        start = spans->ends[i] + 1;
    }
    return 0;
}
