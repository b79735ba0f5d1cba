/* quote.c against the rule of csv.writer, one unit at a time. */
#include "core/quote.h"

#include "check.h"
#include "quote_model.h"

static const scan_kernel *kernels[SCAN_KERNELS];

static uint32_t
pick(const uint32_t *choices, uint32_t count)
{
    return choices[random_below(count)];
}

static quote_dialect
random_dialect(void)
{
    static const uint32_t delimiters[] = {',', ',', ';', 0xE9, 0x20AC, 0x1F600};
    static const uint32_t quotes[] = {'"', '"', '\'', 0xAB, 0x201C};
    static const uint32_t escapes[] = {SCAN_ABSENT, SCAN_ABSENT, '\\', 0xDF, 0x2020};
    quote_dialect d;
    d.set.delimiter = pick(delimiters, 6);
    d.set.quote = pick(quotes, 5);
    d.set.escape = pick(escapes, 5);
    d.doublequote = random_below(2);
    d.escapes = random_below(4) == 0;
    return d;
}

static void
check_block(const buffer *block, size_t length)
{
    CHECK(block->length == length, "%zu units, not %zu", block->length, length);
    for (size_t i = 0; i < length; i++) {
        CHECK(buffer_unit(block, i) == expected[i], "unit %zu of %zu", i, length);
    }
}

static void
append_field(const quoter *q, const uint32_t *terminator, size_t length, buffer *block)
{
    static const int widths[] = {1, 1, 1, 2, 4};
    const quote_dialect *d = &q->dialect;
    const uint32_t special[] = {d->set.delimiter, d->set.quote, d->set.escape, '\n', '\r',
                                terminator[0]};
    int width = widths[random_below(5)];
    uint32_t most = width == 1 ? 0xFF : width == 2 ? 0xFFFF : 0x10FFFF;
    size_t count = random_below(random_below(4) == 0 ? LONGEST / 4 : 12);
    uint32_t one_in = random_below(3) == 0 ? 4 : 1000;
    uint32_t field[LONGEST];
    uint8_t *units = allocate(count * (size_t)width);
    for (size_t i = 0; i < count; i++) {
        uint32_t unit = random_below(one_in) == 0 ? pick(special, 6) : 'a' + random_below(9);
        if (random_below(9) == 0) {
            unit = random_below(most + 1);
        }
        field[i] = unit <= most ? unit : 'x';
        put_unit(units, i, width, field[i]);
    }
    size_t before = expected_length;
    bool quoted = random_below(5) == 0, separated = random_below(2);
    bool can = say(d, terminator, length, field, count, quoted, separated);
    quote_status status = quote_append(q, block, units, count, width, quoted, separated);
    CHECK(status == (can ? QUOTE_FINE : QUOTE_NO_ESCAPE), "status %d", (int)status);
    free(units);
    check_block(block, can ? expected_length : before);
}

static void
test_random(const scan_kernel *kernel)
{
    static const uint32_t terminators[][2] = {
        {'\r', '\n'}, {'\n', '\n'}, {'|', 'x'}, {0x2028, 'a'}};
    for (int round = 0; round < 3000; round++) {
        const uint32_t *terminator = terminators[random_below(4)];
        quote_dialect d = random_dialect();
        quoter q;
        buffer block;
        CHECK(quote_init(&q, &d, kernel, terminator, 2, 4), "no memory");
        buffer_init(&block);
        for (int i = 0; i < 12; i++) {
            if (i % 3 == 0) {
                buffer_cut(&block, 0);
                expected_length = 0;
            }
            append_field(&q, terminator, 2, &block);
        }
        buffer_free(&block);
        quote_free(&q);
        quote_free(&q);
    }
}

int
main(void)
{
    scan_kernels(kernels);
    for (int i = 0; kernels[i] != NULL; i++) {
        test_random(kernels[i]);
        printf("%s ", kernels[i]->name);
    }
    return 0;
}
