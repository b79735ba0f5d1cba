/* UTF-8: every kernel stops where one byte after another does, and what is decoded is encoded
   to the same bytes. */
#include "core/scan.h"
#include "core/utf8.h"

#include "fuzz.h"

/* RFC 3629's table, a sequence at a time. */
static size_t
valid_prefix(const uint8_t *b, size_t count)
{
    size_t i = 0;
    while (i < count) {
        uint8_t c = b[i];
        size_t length = c < 0x80   ? 1
                        : c < 0xC2 ? 0
                        : c < 0xE0 ? 2
                        : c < 0xF0 ? 3
                        : c < 0xF5 ? 4
                                   : 0;
        if (length == 0 || length > count - i) {
            break;
        }
        uint8_t low = c == 0xE0 ? 0xA0 : c == 0xF0 ? 0x90 : 0x80;
        uint8_t high = c == 0xED ? 0x9F : c == 0xF4 ? 0x8F : 0xBF;
        size_t j = 1;
        while (j < length && b[i + j] >= (j == 1 ? low : 0x80) &&
               b[i + j] <= (j == 1 ? high : 0xBF)) {
            j++;
        }
        if (j < length) {
            break;
        }
        i += length;
    }
    return i;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *bytes = copy_of(data, size);
    size_t valid = valid_prefix(bytes, size);
    CHECK(utf8_valid_prefix(bytes, size) == valid);
    const scan_kernel *kernels[SCAN_KERNELS];
    scan_kernels(kernels);
    for (int k = 0; kernels[k] != NULL; k++) {
        size_t found = kernels[k]->utf8_blocks(bytes, size);
        CHECK(found <= valid && valid_prefix(bytes, found) == found);
    }
    size_t ascii = utf8_ascii_prefix(bytes, size);
    CHECK(ascii <= valid && (ascii == size || bytes[ascii] >= 0x80));

    uint8_t highest;
    size_t points = utf8_count(bytes, valid, &highest), length;
    uint32_t *units = allocate(4 * points);
    utf8_decode(bytes, valid, units, 4);
    uint8_t *again = allocate(4 * points);
    CHECK(utf8_encode(units, 4, points, again, &length));
    CHECK(length == valid && (valid == 0 || memcmp(again, bytes, valid) == 0));
    free(again);
    free(units);
    free(bytes);
    return 0;
}
