/* Counts lines by how they begin: see sniff_comment.h. */
#include "core/sniff_comment.h"

/* What lines may begin with, most frequent first.  Only the first may begin a comment when the
   first line of the text does not. */
static const sniff_comment prefixes[] = {
    {{'#'}, 1}, {{'/', '/'}, 2}, {{'-', '-'}, 2}, {{'%'}, 1}};

#define PREFIXES (sizeof prefixes / sizeof *prefixes)

typedef struct {
    size_t lines; /* that are not blank */
    size_t with[PREFIXES];
    size_t top; /* the prefix of the first line */
} counting;

static size_t
prefix_at(const void *text, int width, size_t start, size_t length)
{
    size_t i = 0;
    while (i < PREFIXES && !sniff_is_comment(&prefixes[i], text, width, start, length)) {
        i++;
    }
    return i;
}

INLINE void
count_lines(counting *self, const void *text, int width, size_t length)
{
    uint32_t before = '\n';
    for (size_t i = 0; i < length; i++) {
        const uint32_t c = unit_at(text, i, width);
        if (before == '\n' && c != '\n' && c != '\r') {
            const size_t prefix = prefix_at(text, width, i, length);
            if (prefix < PREFIXES) {
                self->with[prefix]++;
            }
            self->top = self->lines == 0 ? prefix : self->top;
            self->lines++;
        }
        before = c == '\r' ? '\n' : c;
    }
}

sniff_comment
sniff_find_comment(const void *text, int width, size_t length)
{
    counting counts = {.top = PREFIXES};
    switch (width) {
    case 1:
        count_lines(&counts, text, 1, length);
        break;
    case 2:
        count_lines(&counts, text, 2, length);
        break;
    default:
        count_lines(&counts, text, 4, length);
    }
    const size_t found = counts.top < PREFIXES ? counts.top : 0;
    if (counts.with[found] > 0 && counts.with[found] * 2 < counts.lines) {
        return prefixes[found];
    }
    return (sniff_comment){.length = 0};
}
