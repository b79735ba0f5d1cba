/* Decodes a span: its characters, without the quotes and escapes.
 *
 * One function writes the characters, counts them, and finds the one that exceeds the limit.
 */
#include "core/fields_span.h"

#include "core/units.h"

/* Decode the units from `start` up to `end`, which belong to one field.  Writes the characters
   to `out` unless it is NULL.  Stops before the character that is one more than `most`, and
   returns the position. */
INLINE uint32_t
walk(const fields_dialect *d, const void *block, int width, uint32_t start, uint32_t end,
     void *out, bool code_points, size_t most, size_t *count, bool *unquoted)
{
    fields_state state = START_FIELD;
    size_t n = 0;
    *unquoted = true;
    uint32_t at = start;
    for (; at < end; at++) {
        uint32_t c = unit_at(block, at, width);
        switch (state) {
        case START_FIELD:
            if (c == d->set.quote) {
                *unquoted = false;
                state = IN_QUOTED_FIELD;
                continue;
            }
            if (c == ' ' && d->skip_space) {
                continue;
            }
            FALL_THROUGH;
        case IN_FIELD:
            state = IN_FIELD;
            if (c == d->set.escape) {
                state = ESCAPED_CHAR;
                continue;
            }
            break;
        case IN_QUOTED_FIELD:
            if (c == d->set.escape) {
                state = ESCAPE_IN_QUOTED_FIELD;
                continue;
            }
            if (c == d->set.quote) {
                state = d->doublequote ? QUOTE_IN_QUOTED_FIELD : IN_FIELD;
                continue;
            }
            break;
        case QUOTE_IN_QUOTED_FIELD:
            state = c == d->set.quote ? IN_QUOTED_FIELD : IN_FIELD;
            break;
        case ESCAPE_IN_QUOTED_FIELD:
            state = IN_QUOTED_FIELD;
            break;
        default:
            state = IN_FIELD;
            break;
        }
        bool counts = !code_points || (c & 0xC0) != 0x80;
        if (counts && n == most) {
            break;
        }
        if (out != NULL) {
            set_unit(out, n, width, c);
        }
        n += counts;
    }
    *count = n;
    return at;
}

uint32_t
fields_measure(const fields *self, const void *block, int width, uint32_t end, size_t *count)
{
    bool unquoted;
    return walk(&self->dialect, block, width, self->field_start, end, NULL, self->dialect.utf8,
                self->field_limit, count, &unquoted);
}

size_t
fields_content(const fields_dialect *dialect, const void *block, int width, uint32_t start,
               uint32_t end, void *out, bool *unquoted)
{
    size_t count;
    switch (width) {
    case 1:
        walk(dialect, block, 1, start, end, out, false, SIZE_MAX, &count, unquoted);
        break;
    case 2:
        walk(dialect, block, 2, start, end, out, false, SIZE_MAX, &count, unquoted);
        break;
    default:
        walk(dialect, block, 4, start, end, out, false, SIZE_MAX, &count, unquoted);
        break;
    }
    return count;
}

bool
fields_find_quote(const fields_dialect *d, const void *block, int width, uint32_t start,
                  uint32_t end, uint32_t *quote)
{
    fields_state state = START_FIELD;
    for (uint32_t at = start; at < end; at++) {
        const uint32_t c = unit_at(block, at, width);
        if (state == IN_QUOTED_FIELD) {
            if (c == d->set.escape) {
                at++; /* the unit after it means nothing */
            }
            else if (c == d->set.quote) {
                state = d->doublequote ? QUOTE_IN_QUOTED_FIELD : IN_FIELD;
            }
        }
        else if (state == QUOTE_IN_QUOTED_FIELD && c == d->set.quote) {
            state = IN_QUOTED_FIELD;
        }
        else if (state == START_FIELD && c == d->set.quote) {
            state = IN_QUOTED_FIELD;
            *quote = at;
        }
        else if (c == d->set.delimiter) {
            state = START_FIELD;
        }
        else if (c == d->set.escape) {
            state = IN_FIELD;
            at++;
        }
        else if (state != START_FIELD || c != ' ' || !d->skip_space) {
            state = IN_FIELD;
        }
    }
    return state == IN_QUOTED_FIELD;
}

size_t
fields_count_lines(const void *block, int width, uint32_t start, uint32_t end)
{
    size_t lines = 0;
    bool after_carriage = false;
    for (uint32_t at = start; at < end; at++) {
        uint32_t c = unit_at(block, at, width);
        lines += c == '\r' || (c == '\n' && !after_carriage);
        after_carriage = c == '\r';
    }
    return lines;
}
