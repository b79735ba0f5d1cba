/* What is found out about a text: the same by every kernel and at every width, and what it
   says of itself holds. */
#include "core/sniff.h"

#include "fuzz.h"

enum { LONGEST = 500 };

static void *
units_of(const input *in, int width)
{
    uint8_t *units = allocate(in->count * (size_t)width);
    for (size_t i = 0; i < in->count; i++) {
        const uint16_t half = in->bytes[i];
        const uint32_t word = in->bytes[i];
        const void *unit = width == 1   ? in->bytes + i
                           : width == 2 ? (const void *)&half
                                        : &word;
        memcpy(units + i * (size_t)width, unit, (size_t)width);
    }
    return units;
}

static void
check_sense(const sniff *s)
{
    CHECK(s->count >= 1 && s->count <= SNIFF_MOST);
    CHECK(s->compared >= 1 && s->compared <= s->count);
    for (size_t i = 0; i < s->compared; i++) {
        const sniff_candidate *c = &s->all[i];
        CHECK(i == 0 || s->all[i - 1].total <= c->total);
        CHECK(c->total >= c->score.cost && c->score.quoted <= c->score.cells);
        CHECK(c->score.doubled <= c->score.quoted);
        CHECK(c->score.escaped == 0 || c->dialect.set.escape != SCAN_ABSENT);
    }
    CHECK(s->comment.length <= sizeof s->comment.prefix);
    CHECK(s->comment.length > 0 || s->table.comments == 0 || s->table.records == 0);
    CHECK((s->table.records == 0) == (s->table.columns == 0));
}

static void
check_same(const sniff *a, const sniff *b)
{
    CHECK(a->count == b->count && a->compared == b->compared && a->declared == b->declared);
    for (size_t i = 0; i < a->count; i++) {
        const sniff_candidate *x = &a->all[i], *y = &b->all[i];
        CHECK(x->total == y->total && x->prior == y->prior);
        CHECK(memcmp(&x->dialect.set, &y->dialect.set, sizeof x->dialect.set) == 0);
        CHECK(x->dialect.skip_space == y->dialect.skip_space);
        CHECK(memcmp(&x->score, &y->score, sizeof x->score) == 0);
    }
    CHECK(a->comment.length == b->comment.length);
    CHECK(memcmp(a->comment.prefix, b->comment.prefix, a->comment.length) == 0);
    CHECK(memcmp(&a->table, &b->table, sizeof a->table) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static sniff expected, found;
    input in = {data, size};
    const bool whole = next_byte(&in) & 1;
    const scan_kernel *kernels[SCAN_KERNELS];
    if (in.count > LONGEST) {
        return 0;
    }
    scan_kernels(kernels);
    for (int width = 1; width <= 4; width *= 2) {
        void *units = units_of(&in, width);
        for (int k = 0; kernels[k] != NULL; k++) {
            sniff *to = width == 1 && k == 0 ? &expected : &found;
            CHECK(sniff_text(to, kernels[k], units, width, in.count, whole));
            check_sense(to);
            check_same(&expected, to);
        }
        free(units);
    }
    return 0;
}
