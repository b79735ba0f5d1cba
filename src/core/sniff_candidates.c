/* Counts what stands where, in one pass: see sniff_candidates.h. */
#include "core/sniff_candidates.h"

#include <string.h>

#include "core/sniff_bits.h"
#include "core/units.h"

#define ASCII 128
#define OTHERS 5 /* candidates besides the usual ones */

/* The delimiters that files have, most frequent first. */
static const struct {
    char delimiter;
    uint8_t prior; /* bits */
} usual[] = {{',', 0}, {';', 1}, {'\t', 1}, {'|', 2}};

/* Others that are known to be used, and that text is full of.  Any other costs more. */
static const struct {
    char delimiter;
    uint8_t prior;
} known[] = {{' ', 20}, {':', 20}, {'^', 18},  {'~', 18},
             {'#', 20}, {'&', 20}, {0x1F, 16}, {1, 18}};

#define UNKNOWN_PRIOR 24

typedef struct {
    uint32_t seen[ASCII];
    uint32_t lines[ASCII];     /* lines that it is in */
    uint32_t last[ASCII];      /* the last of them */
    uint32_t spaced[ASCII];    /* with a blank after it */
    uint32_t escaped[ASCII];   /* with a backslash before it */
    uint32_t opens[2][ASCII];  /* a quote after it, blanks between left out */
    uint32_t closes[2][ASCII]; /* a quote before it */
    uint32_t line;
} counting;

INLINE void
count_units(counting *self, const void *text, int width, size_t length)
{
    uint32_t before = '\n', solid = '\n';
    bool blank = true;
    self->line = 1;
    for (size_t i = 0; i < length; i++) {
        uint32_t c = unit_at(text, i, width);
        c = c < ASCII ? c : 'a';
        c = c == '\r' ? '\n' : c;
        if (c == '\n') {
            self->line += !blank;
            blank = true;
        }
        else {
            blank = false;
            self->lines[c] += self->last[c] != self->line;
            self->last[c] = self->line;
        }
        self->seen[c]++;
        self->spaced[before] += c == ' ';
        self->escaped[c] += before == '\\';
        self->opens[0][solid] += c == '"';
        self->opens[1][solid] += c == '\'';
        self->closes[0][c] += before == '"';
        self->closes[1][c] += before == '\'';
        before = c;
        solid = c == ' ' ? solid : c;
    }
    self->closes[1]['\n'] += before == '\'';
    self->line -= blank;
}

static bool
may_delimit(uint32_t c)
{
    if ((c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z')) {
        return false;
    }
    return c != 0 && c != '\n' && strchr("\"'\\._-()[]{}<>`", (int)c) == NULL;
}

static uint32_t
prior_of(uint32_t c)
{
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if ((uint32_t)known[i].delimiter == c) {
            return known[i].prior;
        }
    }
    return UNKNOWN_PRIOR;
}

static void
add(sniff_candidates *self, const counting *counts, uint32_t c, uint32_t prior)
{
    sniff_delimiter *d = &self->delimiters[self->count++];
    *d = (sniff_delimiter){.delimiter = c, .prior = prior * SNIFF_BIT};
    const uint32_t *opens = counts->opens[0], *singles = counts->opens[1];
    const uint32_t *ends = counts->closes[1];
    const bool present = c < ASCII && counts->seen[c] > 0;
    d->with_quote = opens['\n'] > 0 || (present && opens[c] > 0);
    d->with_single = singles['\n'] + (present ? singles[c] : 0) > 0 &&
                     ends['\n'] + (present ? ends[c] : 0) > 0;
    d->with_escape = counts->escaped['"'] + counts->escaped['\''] > 0 ||
                     (present && counts->escaped[c] > 0);
    d->with_space = present && (c == ' ' ? counts->spaced[c] > 0
                                         : counts->spaced[c] * 2 >= counts->seen[c]);
}

/* The most frequent delimiter that is not among the usual ones and not found before. */
static uint32_t
next_other(const counting *counts, const bool *found)
{
    uint32_t best = SCAN_ABSENT;
    for (uint32_t c = 0; c < ASCII; c++) {
        if (may_delimit(c) && !found[c] && counts->lines[c] * 2 > counts->line &&
            (best == SCAN_ABSENT || counts->lines[c] > counts->lines[best])) {
            best = c;
        }
    }
    return best;
}

void
sniff_find_candidates(sniff_candidates *self, const void *text, int width, size_t length,
                      uint32_t declared)
{
    counting counts;
    bool found[ASCII] = {false};
    memset(&counts, 0, sizeof counts);
    switch (width) {
    case 1:
        count_units(&counts, text, 1, length);
        break;
    case 2:
        count_units(&counts, text, 2, length);
        break;
    default:
        count_units(&counts, text, 4, length);
    }
    self->count = 0;
    if (declared != SCAN_ABSENT) {
        add(self, &counts, declared, 0);
        return;
    }
    for (size_t i = 0; i < sizeof usual / sizeof *usual; i++) {
        const uint32_t c = (uint32_t)usual[i].delimiter;
        found[c] = true;
        if (counts.seen[c] > 0) {
            add(self, &counts, c, usual[i].prior);
        }
    }
    for (int i = 0; i < OTHERS; i++) {
        const uint32_t c = next_other(&counts, found);
        if (c == SCAN_ABSENT) {
            break;
        }
        found[c] = true;
        add(self, &counts, c, prior_of(c));
    }
    add(self, &counts, SCAN_ABSENT, SNIFF_SINGLE_COLUMN / SNIFF_BIT);
}
