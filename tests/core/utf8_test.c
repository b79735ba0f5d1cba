/* utf8.c against a decoder that reads bit by bit and then asks what is allowed. */
#include "core/utf8.h"
#include "core/scan.h"

#include <stdbool.h>
#include <string.h>

#include "check.h"

/* The code point at `s`, and how long its sequence is; 0 where there is none. */
static size_t
decode(const uint8_t *s, size_t left, uint32_t *point)
{
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t length = 0;
    while (length < 8 && s[0] & (0x80 >> length)) {
        length++;
    }
    if (length == 0) {
        *point = s[0];
        return 1;
    }
    if (length == 1 || length > 4 || length > left) {
        return 0;
    }
    *point = s[0] & (0x7F >> length);
    for (size_t i = 1; i < length; i++) {
        if (s[i] >> 6 != 2) {
            return 0;
        }
        *point = *point << 6 | (s[i] & 0x3F);
    }
    bool surrogate = *point >= 0xD800 && *point <= 0xDFFF;
    return *point < smallest[length] || *point > 0x10FFFF || surrogate ? 0 : length;
}

static void
print_bytes(const uint8_t *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        fprintf(stderr, "%02x ", bytes[i]);
    }
    fputc('\n', stderr);
}

static const scan_kernel *kernels[SCAN_KERNELS];

#define SAME(WHAT, FOUND, EXPECTED)                                                  \
    do {                                                                             \
        if ((FOUND) != (EXPECTED)) {                                                 \
            print_bytes(bytes, count);                                               \
            CHECK((FOUND) == (EXPECTED), WHAT " %zu, not %zu", (FOUND), (EXPECTED)); \
        }                                                                            \
    } while (0)

static void
check(const uint8_t *bytes, size_t count)
{
    static uint32_t expected[1000];
    size_t ascii = 0, valid = 0, points = 0;
    uint32_t most = 0;
    uint8_t highest;
    while (ascii < count && bytes[ascii] < 0x80) {
        ascii++;
    }
    while (valid < count) {
        uint32_t point;
        size_t length = decode(bytes + valid, count - valid, &point);
        if (length == 0) {
            break;
        }
        valid += length;
        most = point > most ? point : most;
        CHECK(points < 1000, "more than the test has room for");
        expected[points++] = point;
    }
    SAME("ASCII up to", utf8_ascii_prefix(bytes, count), ascii);
    SAME("valid up to", utf8_valid_prefix(bytes, count), valid);
    for (int i = 0; kernels[i] != NULL; i++) {
        size_t blocks = kernels[i]->utf8_blocks(bytes, count);
        CHECK(blocks <= valid, "%s: %zu, beyond %zu", kernels[i]->name, blocks, valid);
        SAME("blocks and the rest", blocks + utf8_valid_prefix(bytes + blocks, count - blocks),
             valid);
    }
    size_t counted = utf8_count(bytes, valid, &highest);
    SAME("code points:", counted, points);
    int width = highest < 0xC4 ? 1 : highest < 0xF0 ? 2 : 4;
    CHECK((highest < 0x80) == (most < 0x80) && width == (most < 0x100     ? 1
                                                         : most < 0x10000 ? 2
                                                                          : 4),
          "highest byte %02x, highest point U+%04X", highest, (unsigned)most);
    for (; width <= 4; width *= 2) {
        void *units = allocate(points * (size_t)width);
        utf8_decode(bytes, valid, units, width);
        for (size_t i = 0; i < points; i++) {
            uint32_t unit = get_unit(units, i, width);
            CHECK(unit == expected[i], "U+%04X as %d bytes is %x", (unsigned)expected[i],
                  width, (unsigned)unit);
        }
        free(units);
    }
}

/* In a block that ends where the bytes end, behind `before` units of ASCII
   (so that runs of words meet them at any place), and cut at each byte. */
static void
check_cut(const uint8_t *bytes, size_t count, size_t before)
{
    for (size_t cut = 0; cut <= count; cut++) {
        uint8_t *block = allocate(before + cut);
        memset(block, 'a', before);
        memcpy(block + before, bytes, cut);
        check(block, before + cut);
        free(block);
    }
}

/* In the middle of whole vectors, over the bound between two of them. */
static void
check_amid(const uint8_t *bytes, size_t count)
{
    for (size_t before = 27; before <= 32; before++) {
        uint8_t block[96];
        memset(block, 'a', sizeof block);
        memcpy(block + before, bytes, count);
        check(block, sizeof block);
    }
}

static void
test_two_bytes(void)
{
    for (uint32_t pair = 0; pair <= 0xFFFF; pair++) {
        uint8_t bytes[4] = {(uint8_t)(pair >> 8), (uint8_t)pair, 'z', 0x80};
        check(bytes, 1);
        check(bytes, 2);
        check(bytes, 4);
    }
}

/* Bytes on either side of each bound of Unicode's table 3-7. */
static void
test_edges(void)
{
    static const uint8_t leads[] = {0x7F, 0x80, 0xBF, 0xC0, 0xC1, 0xC2, 0xDF, 0xE0,
                                    0xE1, 0xEC, 0xED, 0xEE, 0xEF, 0xF0, 0xF1, 0xF3,
                                    0xF4, 0xF5, 0xF7, 0xF8, 0xFE, 0xFF};
    static const uint8_t next[] = {0x00, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xFF};
    for (size_t i = 0; i < sizeof leads; i++) {
        for (size_t j = 0; j < sizeof next; j++) {
            for (size_t k = 0; k < sizeof next; k++) {
                for (size_t l = 0; l < sizeof next; l++) {
                    uint8_t bytes[] = {leads[i], next[j], next[k], next[l], 'z'};
                    check_cut(bytes, sizeof bytes, 0);
                    check_cut(bytes, sizeof bytes, 31);
                    check_amid(bytes, sizeof bytes - 1);
                }
            }
        }
    }
}

static size_t
encode(uint32_t point, uint8_t *out)
{
    if (point < 0x80) {
        out[0] = (uint8_t)point;
        return 1;
    }
    size_t length = point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
    for (size_t i = length - 1; i > 0; i--) {
        out[i] = (uint8_t)(0x80 | (point & 0x3F));
        point >>= 6;
    }
    out[0] = (uint8_t)((0xF0 << (4 - length)) | point);
    return length;
}

/* Each code point there is, surrogates and what lies beyond included. */
static void
test_every_point(void)
{
    for (uint32_t point = 0; point < 0x110400; point++) {
        uint8_t bytes[4];
        size_t length = encode(point, bytes);
        bool surrogate = point >= 0xD800 && point <= 0xDFFF;
        size_t valid = surrogate || point > 0x10FFFF ? 0 : length;
        CHECK(utf8_valid_prefix(bytes, length) == valid, "U+%04X", (unsigned)point);
    }
}

/* Text in runs of one script or another with, at times, one byte spoilt. */
static void
test_random(void)
{
    static const uint32_t scripts[][2] = {
        {0, 0x80},          {0x80, 0x100},   {0xC0, 0x180},      {0x410, 0x450},
        {0x80, 0x800},      {0x800, 0xD800}, {0x4E00, 0x9FFF},   {0xE000, 0x10000},
        {0x1F600, 0x1F640}, {0, 0x110000},   {0x10000, 0x110000}};
    uint8_t text[400];
    for (int round = 0; round < 40000; round++) {
        size_t count = 0, wanted = random_below(390);
        uint32_t longest = 1 + random_below(60);
        while (count < wanted) {
            const uint32_t *script = scripts[random_below(11)];
            uint32_t run = 1 + random_below(longest);
            while (run-- > 0 && count < wanted) {
                count += encode(script[0] + random_below(script[1] - script[0]), text + count);
            }
        }
        if (count > 0 && random_below(3) == 0) {
            size_t place = random_below((uint32_t)count);
            text[place] ^= (uint8_t)random_bits();
        }
        size_t start = count > 0 ? random_below((uint32_t)count) : 0;
        start = random_below(2) == 0 ? start : 0;
        uint8_t *block = allocate(count - start);
        memcpy(block, text + start, count - start);
        check(block, count - start);
        free(block);
    }
}

static void
test_all_cuts(void)
{
    static const char text[] =
        "aé€\U0001F600z\xC3\xED\x9F\xBF\xF0\x90\x80\x80\xF4\x8F\xBF\xBF";
    for (size_t before = 0; before < 80; before++) {
        check_cut((const uint8_t *)text, sizeof text - 1, before);
    }
}

/* Every code point, in every width that it fits, is written as this says. */
static void
test_encode(void)
{
    for (uint32_t unit = 0; unit <= 0x10FFFF; unit++) {
        uint8_t expected[4], out[12];
        size_t length = 1, got;
        if (unit < 0x80) {
            expected[0] = (uint8_t)unit;
        }
        else {
            length = unit < 0x800 ? 2 : unit < 0x10000 ? 3 : 4;
            uint32_t left = unit;
            for (size_t i = length - 1; i > 0; i--, left >>= 6) {
                expected[i] = (uint8_t)(0x80 | (left & 0x3F));
            }
            expected[0] = (uint8_t)((0xF00 >> length & 0xFF) | left);
        }
        bool surrogate = unit >= 0xD800 && unit <= 0xDFFF;
        for (int width = unit <= 0xFF ? 1 : unit <= 0xFFFF ? 2 : 4; width <= 4; width *= 2) {
            uint32_t units[3];
            for (size_t i = 0; i < 3; i++) {
                put_unit(units, i, width, i == 1 ? unit : 'a');
            }
            CHECK(utf8_encode(units, width, 3, out, &got) == !surrogate, "%x", (unsigned)unit);
            if (!surrogate) {
                CHECK(got == length + 2 && out[0] == 'a' && out[got - 1] == 'a', "%x",
                      (unsigned)unit);
                CHECK(memcmp(out + 1, expected, length) == 0, "%x", (unsigned)unit);
                CHECK(utf8_valid_prefix(out, got) == got, "%x", (unsigned)unit);
            }
        }
    }
}

int
main(void)
{
    scan_kernels(kernels);
    test_encode();
    check((const uint8_t *)"", 0);
    test_two_bytes();
    test_edges();
    test_every_point();
    test_random();
    test_all_cuts();
    return 0;
}
