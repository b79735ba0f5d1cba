/* Checks UTF-8 one vector at a time.
 *
 * The method is Keiser and Lemire's ("Validating UTF-8 In Less Than One Instruction Per Byte",
 * 2021).  It looks up which errors two adjacent bytes may have, in three tables: by the high
 * half of the first byte, by its low half and by the high half of the second byte.  The three
 * results are ANDed.  One more test finds the third and fourth bytes of sequences.  The method
 * tells that a block has an error, not where. utf8_valid_prefix() then reads the rest.
 */
#include "core/utf8_blocks.h"

#include <string.h>

#include "core/units.h"

/* The errors that a pair of bytes may have, one bit each. */
enum {
    TOO_SHORT = 1 << 0, /* a lead byte without a continuation after it */
    TOO_LONG = 1 << 1,  /* a continuation after ASCII */
    OVERLONG_3 = 1 << 2,
    TOO_LARGE = 1 << 3, /* above U+10FFFF */
    SURROGATE = 1 << 4,
    OVERLONG_2 = 1 << 5,
    OVERLONG_4 = 1 << 6,   /* also a lead byte of F5 or above, before 8. */
    TWO_CONTINUE = 1 << 7, /* correct only as third or fourth byte */
    ALWAYS = TOO_SHORT | TOO_LONG | TWO_CONTINUE, /* for any low half */
};

#define FIRST_HIGH                                                                      \
    TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG,     \
        TWO_CONTINUE, TWO_CONTINUE, TWO_CONTINUE, TWO_CONTINUE, TOO_SHORT | OVERLONG_2, \
        TOO_SHORT, TOO_SHORT | OVERLONG_3 | SURROGATE, TOO_SHORT | TOO_LARGE | OVERLONG_4

#define FIRST_LOW                                                                             \
    ALWAYS | OVERLONG_2 | OVERLONG_3 | OVERLONG_4, ALWAYS | OVERLONG_2, ALWAYS, ALWAYS,       \
        ALWAYS | TOO_LARGE, ALWAYS | TOO_LARGE | OVERLONG_4, ALWAYS | TOO_LARGE | OVERLONG_4, \
        ALWAYS | TOO_LARGE | OVERLONG_4, ALWAYS | TOO_LARGE | OVERLONG_4,                     \
        ALWAYS | TOO_LARGE | OVERLONG_4, ALWAYS | TOO_LARGE | OVERLONG_4,                     \
        ALWAYS | TOO_LARGE | OVERLONG_4, ALWAYS | TOO_LARGE | OVERLONG_4,                     \
        ALWAYS | TOO_LARGE | OVERLONG_4 | SURROGATE, ALWAYS | TOO_LARGE | OVERLONG_4,         \
        ALWAYS | TOO_LARGE | OVERLONG_4

#define SECOND_HIGH                                                                         \
    TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT, \
        TOO_LONG | TWO_CONTINUE | OVERLONG_2 | OVERLONG_3 | OVERLONG_4,                     \
        TOO_LONG | TWO_CONTINUE | OVERLONG_2 | OVERLONG_3 | TOO_LARGE,                      \
        TOO_LONG | TWO_CONTINUE | OVERLONG_2 | SURROGATE | TOO_LARGE,                       \
        TOO_LONG | TWO_CONTINUE | OVERLONG_2 | SURROGATE | TOO_LARGE, TOO_SHORT, TOO_SHORT, \
        TOO_SHORT, TOO_SHORT

#if defined(__x86_64__) || defined(_M_X64)
#define BLOCKS_AVX2 1
#include <immintrin.h>
#elif defined(__aarch64__) || defined(_M_ARM64)
#define BLOCKS_NEON 1
#include <arm_neon.h>
#endif

#if defined(BLOCKS_AVX2) || defined(BLOCKS_NEON)
/* The blocks up to `at` are valid, but their last sequence may continue after them.  Returns
   where that sequence starts, or `at` if there is none. */
static size_t
whole_sequences(const uint8_t *bytes, size_t at)
{
    for (size_t back = 1; back <= 3 && back <= at; back++) {
        uint8_t byte = bytes[at - back];
        if (byte >= 0xC0) {
            return at - back;
        }
        if (byte < 0x80) {
            break;
        }
    }
    return at;
}
#endif

#ifdef BLOCKS_AVX2

#define BLOCK 32
#define AVX2 TARGET("avx2")

/* For each byte of `block`, the byte that stands `distance` before it. */
#define BEFORE(block, previous, distance)                                       \
    _mm256_alignr_epi8(block, _mm256_permute2x128_si256(previous, block, 0x21), \
                       16 - (distance))

AVX2 INLINE __m256i
load_block(const uint8_t *bytes)
{
    return _mm256_loadu_si256((const __m256i *)(const void *)bytes);
}

AVX2 INLINE __m256i
high_halves(__m256i bytes)
{
    return _mm256_and_si256(_mm256_srli_epi16(bytes, 4), _mm256_set1_epi8(0x0F));
}

AVX2 INLINE __m256i
faults(__m256i block, __m256i previous)
{
    static const uint8_t by_first_high[BLOCK] = {FIRST_HIGH, FIRST_HIGH};
    static const uint8_t by_first_low[BLOCK] = {FIRST_LOW, FIRST_LOW};
    static const uint8_t by_second_high[BLOCK] = {SECOND_HIGH, SECOND_HIGH};
    const __m256i first_high = load_block(by_first_high);
    const __m256i first_low = load_block(by_first_low);
    const __m256i second_high = load_block(by_second_high);
    __m256i one = BEFORE(block, previous, 1);
    __m256i low = _mm256_and_si256(one, _mm256_set1_epi8(0x0F));
    __m256i pair =
        _mm256_and_si256(_mm256_and_si256(_mm256_shuffle_epi8(first_high, high_halves(one)),
                                          _mm256_shuffle_epi8(first_low, low)),
                         _mm256_shuffle_epi8(second_high, high_halves(block)));
    /* The top bit stays set if a lead byte two or three bytes before needs a continuation
       here. */
    __m256i third =
        _mm256_subs_epu8(BEFORE(block, previous, 2), _mm256_set1_epi8(0xE0 - 0x80));
    __m256i fourth =
        _mm256_subs_epu8(BEFORE(block, previous, 3), _mm256_set1_epi8(0xF0 - 0x80));
    __m256i asked =
        _mm256_and_si256(_mm256_or_si256(third, fourth), _mm256_set1_epi8((char)0x80));
    return _mm256_xor_si256(asked, pair);
}

AVX2 size_t
utf8_blocks_avx2(const uint8_t *bytes, size_t count)
{
    __m256i previous = _mm256_setzero_si256();
    size_t at = 0;
    for (; count - at >= BLOCK; at += BLOCK) {
        __m256i block = load_block(bytes + at);
        __m256i fault = faults(block, previous);
        if (!_mm256_testz_si256(fault, fault)) {
            break;
        }
        previous = block;
    }
    return whole_sequences(bytes, at);
}
#endif

#ifdef BLOCKS_NEON

#define BLOCK 16

INLINE uint8x16_t
faults(uint8x16_t block, uint8x16_t previous)
{
    static const uint8_t first_high[16] = {FIRST_HIGH};
    static const uint8_t first_low[16] = {FIRST_LOW};
    static const uint8_t second_high[16] = {SECOND_HIGH};
    uint8x16_t one = vextq_u8(previous, block, 15);
    uint8x16_t pair = vqtbl1q_u8(vld1q_u8(first_high), vshrq_n_u8(one, 4));
    pair = vandq_u8(pair, vqtbl1q_u8(vld1q_u8(first_low), vandq_u8(one, vdupq_n_u8(0x0F))));
    pair = vandq_u8(pair, vqtbl1q_u8(vld1q_u8(second_high), vshrq_n_u8(block, 4)));
    uint8x16_t third = vqsubq_u8(vextq_u8(previous, block, 14), vdupq_n_u8(0xE0 - 0x80));
    uint8x16_t fourth = vqsubq_u8(vextq_u8(previous, block, 13), vdupq_n_u8(0xF0 - 0x80));
    uint8x16_t asked = vandq_u8(vorrq_u8(third, fourth), vdupq_n_u8(0x80));
    return veorq_u8(asked, pair);
}

size_t
utf8_blocks_neon(const uint8_t *bytes, size_t count)
{
    uint8x16_t previous = vdupq_n_u8(0);
    size_t at = 0;
    for (; count - at >= BLOCK; at += BLOCK) {
        uint8x16_t block = vld1q_u8(bytes + at);
        if (vmaxvq_u8(faults(block, previous)) != 0) {
            break;
        }
        previous = block;
    }
    return whole_sequences(bytes, at);
}
#endif

size_t
utf8_blocks_none(const uint8_t *bytes, size_t count)
{
    (void)bytes;
    (void)count;
    return 0;
}
