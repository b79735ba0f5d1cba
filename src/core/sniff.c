/* Tries the candidates: see sniff.h. */
#include "core/sniff.h"

#include "core/sniff_bits.h"
#include "core/units.h"

#define SINGLE_PRIOR (6 * SNIFF_BIT) /* of "'" as the quote */
#define NONE_PRIOR (12 * SNIFF_BIT)  /* of no quoting */
#define ESCAPE_PRIOR (4 * SNIFF_BIT)

typedef struct {
    sniff *result;
    const scan_kernel *kernel;
    const uint8_t *text;
    int width;
    size_t length;
    bool whole;
} sniffing;

static bool
score(sniffing *self, sniff_candidate *c, size_t length)
{
    const bool whole = self->whole && length == self->length;
    if (!sniff_score_text(&c->score, &c->dialect, &self->result->comment, self->kernel,
                          self->text, self->width, length, whole)) {
        return false;
    }
    c->total = c->score.cost + c->prior;
    if (c->score.cells == c->score.records && c->dialect.set.delimiter != SCAN_ABSENT) {
        c->total += SNIFF_SINGLE_COLUMN; /* which it is, but for comments */
    }
    return true;
}

static bool
try_dialect(sniffing *self, const scan_set *set, bool skip_space, uint64_t prior)
{
    sniff *result = self->result;
    sniff_candidate *c = &result->all[result->count++];
    *c = (sniff_candidate){
        .dialect = {.set = *set,
                    .doublequote = true,
                    .skip_space = skip_space,
                    .max_field = SIZE_MAX,
                    .max_record = SIZE_MAX},
        .prior = prior,
    };
    return score(self, c, self->length < SNIFF_FIRST ? self->length : SNIFF_FIRST);
}

/* The last candidate is so much worse than another that what differs only in the escape or in
   blanks is not better, either. */
static bool
is_hopeless(const sniff *self)
{
    const uint64_t last = self->all[self->count - 1].total;
    for (size_t i = 0; i + 1 < self->count; i++) {
        if (last / 4 > self->all[i].total / 3) {
            return true;
        }
    }
    return false;
}

/* Try a quote, with an escape or none, and with blanks skipped or not.  *damaged: the quotes
   did not go well with any. */
static bool
try_quote(sniffing *self, const sniff_delimiter *d, uint32_t quote, uint64_t prior,
          bool *damaged)
{
    const size_t before = self->result->count;
    *damaged = false;
    for (int escape = 0; escape <= d->with_escape; escape++) {
        for (int space = 0; space <= d->with_space; space++) {
            const scan_set set = {d->delimiter, quote, escape ? '\\' : SCAN_ABSENT};
            const uint64_t sum = d->prior + prior + (escape ? ESCAPE_PRIOR : 0);
            if (!try_dialect(self, &set, space, sum)) {
                return false;
            }
            if (is_hopeless(self->result)) {
                return true;
            }
        }
    }
    *damaged = true;
    for (size_t i = before; i < self->result->count; i++) {
        *damaged = *damaged && self->result->all[i].score.damaged > 0;
    }
    return true;
}

/* That nothing is quoted is no candidate where quotes do their work. */
static bool
try_delimiter(sniffing *self, const sniff_delimiter *d)
{
    bool damaged, single;
    if (!try_quote(self, d, '"', 0, &damaged)) {
        return false;
    }
    if (is_hopeless(self->result)) {
        return true;
    }
    if (d->with_single && !try_quote(self, d, '\'', SINGLE_PRIOR, &single)) {
        return false;
    }
    return !d->with_quote || !damaged || try_quote(self, d, SCAN_ABSENT, NONE_PRIOR, &damaged);
}

/* Put the best first.  There are few. */
static void
sort(sniff_candidate *all, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        const sniff_candidate c = all[i];
        size_t at = i;
        for (; at > 0 && all[at - 1].total > c.total; at--) {
            all[at] = all[at - 1];
        }
        all[at] = c;
    }
}

/* Have one of another delimiter among the best, so that there is something to compare with. */
static void
keep_another(sniff *self)
{
    size_t i = 1;
    while (i < self->count &&
           self->all[i].dialect.set.delimiter == self->all[0].dialect.set.delimiter) {
        i++;
    }
    if (i >= SNIFF_BEST && i < self->count) {
        const sniff_candidate c = self->all[SNIFF_BEST - 1];
        self->all[SNIFF_BEST - 1] = self->all[i];
        self->all[i] = c;
    }
}

static bool
compare(sniffing *self)
{
    sniff *result = self->result;
    sort(result->all, result->count);
    result->compared = result->count;
    if (self->length > SNIFF_FIRST) {
        keep_another(result);
        result->compared = result->count < SNIFF_BEST ? result->count : SNIFF_BEST;
        for (size_t i = 0; i < result->compared; i++) {
            if (!score(self, &result->all[i], self->length)) {
                return false;
            }
        }
        sort(result->all, result->compared);
    }
    return true;
}

/* ---- what is around the table ---- */

static bool
read_table(sniffing *self)
{
    const size_t length = self->length < SNIFF_FIRST ? self->length : SNIFF_FIRST;
    return sniff_table_read(&self->result->table, &self->result->all[0].dialect,
                            &self->result->comment, self->kernel, self->text, self->width,
                            length, self->whole && length == self->length);
}

/* A line that begins as a comment and has the fields of the table is its header, or one of its
   records. */
static bool
look_around(sniffing *self)
{
    sniff *result = self->result;
    if (!read_table(self)) {
        return false;
    }
    sniff_table *table = &result->table;
    if (table->records == 0) {
        table->skip = 0;
    }
    if (table->doubtful * 2 > table->comments) {
        result->comment.length = 0;
        return read_table(self);
    }
    if (table->comments == 0) {
        result->comment.length = 0;
    }
    else if (table->titles == 0) {
        table->skip = 0; /* the comments are enough */
    }
    return true;
}

/* ---- the declaration ---- */

/* Where the text goes on after a first line "sep=;", or 0. */
static size_t
find_declared(const sniffing *self, uint32_t *delimiter)
{
    static const char word[] = "sep=";
    size_t at = 0;
    for (; word[at] != 0; at++) {
        if (at >= self->length ||
            (unit_at(self->text, at, self->width) | 32) != ((uint32_t)word[at] | 32)) {
            return 0;
        }
    }
    if (at + 1 >= self->length) {
        return 0;
    }
    *delimiter = unit_at(self->text, at++, self->width);
    const uint32_t end = unit_at(self->text, at, self->width);
    if (end != '\n' && end != '\r') {
        return 0;
    }
    at++;
    return at +
           (end == '\r' && at < self->length && unit_at(self->text, at, self->width) == '\n');
}

bool
sniff_text(sniff *self, const scan_kernel *kernel, const void *text, int width, size_t length,
           bool whole)
{
    sniffing s = {self, kernel, text, width, length, whole};
    sniff_candidates found;
    uint32_t declared = SCAN_ABSENT;
    const size_t start = find_declared(&s, &declared);
    s.text += start * (size_t)width;
    s.length -= start;
    self->count = 0;
    self->declared = start > 0;
    self->comment = sniff_find_comment(s.text, width, s.length);
    sniff_find_candidates(&found, s.text, width, s.length, declared);
    for (size_t i = 0; i < found.count; i++) {
        if (!try_delimiter(&s, &found.delimiters[i])) {
            return false;
        }
    }
    if (!compare(&s) || !look_around(&s)) {
        return false;
    }
    self->table.skip += self->declared;
    return true;
}
