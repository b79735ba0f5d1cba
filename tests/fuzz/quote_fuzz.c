/* What is written: by every kernel and at every width, fields are as the rule of csv.writer
   has them, one unit at a time. */
#include "core/quote.h"

#include "../core/quote_model.h"
#include "fuzz.h"

enum { MOST = 180 };

static uint32_t
unit_of(uint8_t byte, int width)
{
    static const uint32_t wide[] = {0x20AC, 0x201C, 0x2028, 0x12C, 0x222C, 0x1F600, 0x1002C};
    const uint32_t unit = byte < 0xF0 || width == 1 ? byte : wide[byte % 7];
    return width == 2 ? unit & 0xFFFF : unit;
}

static void
check_field(const quoter *q, buffer *block, const uint32_t *terminator, size_t length,
            const input *in, int width, uint8_t flags)
{
    uint32_t field[MOST];
    uint8_t *units = allocate(in->count * (size_t)width);
    for (size_t i = 0; i < in->count; i++) {
        const uint32_t unit = field[i] = unit_of(in->bytes[i], width);
        const uint16_t half = (uint16_t)unit;
        const uint8_t byte = (uint8_t)unit;
        const void *from = width == 1   ? (const void *)&byte
                           : width == 2 ? (const void *)&half
                                        : (const void *)&unit;
        memcpy(units + i * (size_t)width, from, (size_t)width);
    }
    const size_t before = expected_length;
    const bool can =
        say(&q->dialect, terminator, length, field, in->count, flags & 1, flags & 2);
    const quote_status status =
        quote_append(q, block, units, in->count, width, flags & 1, flags & 2);
    CHECK(status == (can ? QUOTE_FINE : QUOTE_NO_ESCAPE));
    expected_length = can ? expected_length : before;
    CHECK(block->length == expected_length);
    for (size_t i = before; i < expected_length; i++) {
        CHECK(buffer_unit(block, i) == expected[i]);
    }
    free(units);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint32_t delimiters[] = {',', ';', 0xE9, 0x20AC};
    static const uint32_t quotes[] = {'"', '\'', 0xAB, 0x201C};
    static const uint32_t escapes[] = {SCAN_ABSENT, '\\', 0xDF, 0x2020};
    static const uint32_t terminators[][2] = {
        {'\r', '\n'}, {'\n', '\n'}, {'|', 'x'}, {0x2028, 'a'}};
    input in = {data, size};
    const uint8_t kinds = next_byte(&in), flags = next_byte(&in);
    const quote_dialect d = {
        .set = {delimiters[kinds & 3], quotes[kinds >> 2 & 3], escapes[kinds >> 4 & 3]},
        .doublequote = flags & 16,
        .escapes = flags & 32,
    };
    const uint32_t *terminator = terminators[kinds >> 6];
    const scan_kernel *kernels[SCAN_KERNELS];
    if (in.count > MOST) {
        return 0;
    }
    scan_kernels(kernels);
    for (int k = 0; kernels[k] != NULL; k++) {
        quoter q;
        buffer block;
        CHECK(quote_init(&q, &d, kernels[k], terminator, 2, 4));
        buffer_init(&block);
        expected_length = 0;
        for (int width = 1; width <= 4; width *= 2) { /* the block becomes wider */
            check_field(&q, &block, terminator, 2, &in, width, flags);
        }
        buffer_free(&block);
        quote_free(&q);
    }
    return 0;
}
