/* Tries the candidates: see sniff.h. */
#include "core/sniff.h"

#include "core/sniff_bits.h"
#include "core/sniff_candidates.h"

#define SINGLE_PRIOR (6 * SNIFF_BIT)  /* of "'" as the quote */
#define NONE_PRIOR (12 * SNIFF_BIT)    /* of no quoting */
#define ESCAPE_PRIOR (4 * SNIFF_BIT)

static bool
try_dialect(sniff *self, const scan_kernel *kernel, const void *text, int width, size_t length,
            bool whole, const scan_set *set, bool skip_space, uint32_t prior)
{
    if (self->count == SNIFF_MOST) {
        return true;
    }
    sniff_candidate *c = &self->all[self->count++];
    c->dialect = (fields_dialect){
        .set = *set,
        .doublequote = true,
        .skip_space = skip_space,
        .max_field = SIZE_MAX,
        .max_record = SIZE_MAX,
    };
    if (!sniff_score_text(&c->score, &c->dialect, kernel, text, width, length, whole)) {
        return false;
    }
    c->total = c->score.cost + prior;
    return true;
}

bool
sniff_text(sniff *self, const scan_kernel *kernel, const void *text, int width, size_t length,
           bool whole)
{
    sniff_candidates found;
    sniff_find_candidates(&found, text, width, length);
    self->count = 0;
    self->best = NULL;
    for (size_t i = 0; i < found.count; i++) {
        const sniff_delimiter *d = &found.delimiters[i];
        for (int quote = 0; quote < 3; quote++) {
            if ((quote == 1 && !d->with_single) || (quote == 2 && !d->with_quote)) {
                continue;
            }
            static const uint32_t quotes[] = {'"', '\'', SCAN_ABSENT};
            static const uint32_t priors[] = {0, SINGLE_PRIOR, NONE_PRIOR};
            for (int escape = 0; escape <= d->with_escape; escape++) {
                for (int space = 0; space <= d->with_space; space++) {
                    const scan_set set = {d->delimiter, quotes[quote],
                                          escape ? '\\' : SCAN_ABSENT};
                    if (!try_dialect(self, kernel, text, width, length, whole, &set, space,
                                     d->prior + priors[quote] +
                                         (escape ? ESCAPE_PRIOR : 0))) {
                        return false;
                    }
                }
            }
        }
    }
    for (size_t i = 0; i < self->count; i++) {
        if (self->best == NULL || self->all[i].total < self->best->total) {
            self->best = &self->all[i];
        }
    }
    return true;
}
