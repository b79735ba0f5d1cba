/* Reads a cell once, unit by unit: see sniff_cell.h. */
#include "core/sniff_cell.h"

#include <string.h>

#include "core/sniff_bits.h"
#include "core/units.h"

#define LONGEST_VALUE 40 /* a longer text is no number or date */
#define MOST_LETTERS 6   /* in one: E, T, Z, AM, UTC */

enum {
    DIGIT = 1,
    LETTER = 2,
    JOINER = 4,
    BLANK = 8,
    MARK = 16, /* may stand in a number, a date or a time */
    OTHER = 32,
    HIGH = 64, /* not ASCII */
};

/* Quarters of a bit. */
#define L          \
    {              \
        17, LETTER \
    }
#define U          \
    {              \
        20, LETTER \
    }
#define D         \
    {             \
        18, DIGIT \
    }
#define J          \
    {              \
        20, JOINER \
    }
#define M        \
    {            \
        18, MARK \
    }
#define C        \
    {            \
        28, MARK \
    }
#define W         \
    {             \
        20, OTHER \
    } /* common in addresses of the web */
#define O         \
    {             \
        32, OTHER \
    }
#define X         \
    {             \
        40, OTHER \
    }

static const struct {
    uint8_t cost;
    uint8_t kind;
} characters[128] = {
    X,           X, X, X, X, X, X, X, X, O, O, X, X, O, X, X, /* 00: tab, line ends */
    X,           X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, /* 10 */
    {12, BLANK}, O, O, W, C, C, W, C, C, C, O, C, C, J, J, M, /* 20:  !"#$%&'()*+,-./ */
    D,           D, D, D, D, D, D, D, D, D, M, O, O, W, O, W, /* 30: digits :;<=>? */
    O,           U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, /* 40: @ */
    U,           U, U, U, U, U, U, U, U, U, U, O, O, O, O, J, /* 50: [\]^_ */
    O,           L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, /* 60: ` */
    L,           L, L, L, L, L, L, L, L, L, L, O, O, O, O, X, /* 70: {|}~ */
};

#define HIGH_COST (6 * SNIFF_BIT)
/* A mark with a blank after it, and an apostrophe after a letter. */
#define PROSE_COST (SNIFF_BIT * 7 / 2)
#define DAMAGE_COST (12 * SNIFF_BIT)

typedef struct {
    const fields_dialect *dialect;
    sniff_cell *cell;
    bool hashes;
    uint32_t kinds;
    uint32_t letters;
    uint32_t last;               /* the last character that was added */
    uint8_t text[LONGEST_VALUE]; /* the first characters */
} reading;

INLINE void
add(reading *self, uint32_t c, uint32_t next)
{
    sniff_cell *cell = self->cell;
    uint32_t kind = HIGH, cost = HIGH_COST;
    if (c < 128) {
        kind = characters[c].kind;
        cost = characters[c].cost * (uint32_t)(SNIFF_BIT / 4);
        if (c == ' ' && self->last == ' ') {
            cost = SNIFF_BIT;
        }
        else if (((c == ',' || c == ';' || c == ':') && next == ' ') ||
                 (c == '\'' && (self->kinds & LETTER))) {
            cost = PROSE_COST;
        }
    }
    if (cell->count < LONGEST_VALUE) {
        self->text[cell->count] = (uint8_t)(c < 128 ? c : SNIFF_HIGH);
    }
    cell->cost += cost;
    cell->count++;
    if (self->hashes) {
        cell->hash = (cell->hash ^ c) * 16777619u;
    }
    self->kinds |= kind;
    self->letters += kind == LETTER;
    self->last = c;
}

/* The characters within quotes.  Returns the position after the closing quote. */
INLINE size_t
read_quoted(reading *self, const void *block, int width, size_t at, size_t end)
{
    const fields_dialect *d = self->dialect;
    bool closed = false;
    while (at < end) {
        uint32_t c = unit_at(block, at++, width);
        if (c == d->set.escape && at < end) {
            c = unit_at(block, at++, width);
            self->cell->escaped = true;
        }
        else if (c == d->set.quote) {
            if (at == end || !d->doublequote || unit_at(block, at, width) != c) {
                closed = true;
                break;
            }
            at++;
            self->cell->doubled = true;
        }
        add(self, c, at < end ? unit_at(block, at, width) : 0);
    }
    /* Blanks after a closing quote are no damage. */
    size_t rest = at;
    while (rest < end && unit_at(block, rest, width) == ' ') {
        rest++;
    }
    self->cell->damaged = !closed || rest < end;
    return rest < end ? at : rest;
}

INLINE void
read_units(reading *self, const void *block, int width, size_t start, size_t end)
{
    const fields_dialect *d = self->dialect;
    sniff_cell *cell = self->cell;
    size_t at = start;
    if (d->skip_space) {
        while (at < end && unit_at(block, at, width) == ' ') {
            at++;
        }
        cell->skipped = (uint32_t)(at - start);
    }
    if (at < end && unit_at(block, at, width) == d->set.quote) {
        cell->quoted = true;
        at = read_quoted(self, block, width, at + 1, end);
    }
    while (at < end) {
        uint32_t c = unit_at(block, at++, width);
        if (c == d->set.escape && at < end) {
            c = unit_at(block, at++, width);
            cell->escaped = true;
        }
        add(self, c, at < end ? unit_at(block, at, width) : 0);
    }
}

/* The usual signs for a value that is missing. */
static bool
is_missing(const uint8_t *text, size_t length)
{
    static const char *const signs[] = {"-",   "?",   "NA",  "N/A", "NULL", "null",
                                        "NaN", "nan", "n/a", "''",  "\"\""};
    if (strchr("-?nN'\"", text[0]) == NULL) {
        return false;
    }
    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++) {
        if (strlen(signs[i]) == length && memcmp(signs[i], text, length) == 0) {
            return true;
        }
    }
    return false;
}

static void
find_type(reading *self)
{
    sniff_cell *cell = self->cell;
    const uint8_t *text = self->text;
    size_t length = cell->count;
    cell->type = (self->kinds & (BLANK | MARK | OTHER)) != 0 ? SNIFF_TEXT : SNIFF_WORD;
    if (length > LONGEST_VALUE) {
        return;
    }
    while (length > 0 && text[0] == ' ') {
        text++;
        length--;
    }
    while (length > 0 && text[length - 1] == ' ') {
        length--;
    }
    if (length == 0 || (length <= 4 && is_missing(text, length))) {
        cell->type = SNIFF_EMPTY;
        return;
    }
    if ((self->kinds & (DIGIT | OTHER)) == DIGIT && self->letters <= MOST_LETTERS) {
        uint32_t cost;
        const sniff_type type = sniff_shape(text, length, &cost);
        if (type != SNIFF_TEXT) {
            const uint32_t blanks = (uint32_t)(cell->count - length);
            cell->type = type;
            cell->cost = cost + blanks * 3 * SNIFF_BIT;
        }
    }
}

void
sniff_cell_read(sniff_cell *self, const fields_dialect *dialect, const void *block, int width,
                size_t start, size_t end, bool hashes)
{
    reading r = {.dialect = dialect, .cell = self, .hashes = hashes};
    *self = (sniff_cell){.hash = 2166136261u};
    switch (width) {
    case 1:
        read_units(&r, block, 1, start, end);
        break;
    case 2:
        read_units(&r, block, 2, start, end);
        break;
    default:
        read_units(&r, block, 4, start, end);
    }
    find_type(&r);
    if (self->damaged) {
        self->cost += DAMAGE_COST;
    }
}
