/* Lists where fields and records end.
 *
 * How many fields end in a group can't be predicted, and a branch that is predicted wrong
 * costs as much as ten fields.  So most of these functions write positions for the fields that
 * there may be, and then go forward by the number of those that there are.  What is written
 * too much is overwritten by the next group, or not used.
 */
#include "core/scan_list.h"

#include "core/units.h"

#if defined(__x86_64__) || defined(_M_X64)
#define LIST_X86 1
#include <immintrin.h>
#elif defined(__aarch64__) || defined(_M_ARM64)
#define LIST_NEON 1
#include <arm_neon.h>
#endif

/* ---- scalar ---- */

INLINE uint32_t *
scalar_positions(uint32_t *out, uint64_t bits, uint32_t at)
{
    while (bits != 0) {
        *out++ = at + lowest_bit(bits);
        bits &= bits - 1;
    }
    return out;
}

/* Few machines that run it count bits with one instruction. */
void
scan_list_scalar(const scan_ends *groups, size_t count, uint32_t at, scan_lists *to)
{
    uint32_t *out = to->ends + to->ends_length, *lasts = to->lasts + to->lasts_length;
    for (size_t i = 0; i < count; i++, at += SCAN_GROUP) {
        uint64_t fields = groups[i].fields, records = groups[i].records;
        while (records != 0) {
            uint64_t through = records ^ (records - 1);
            out = scalar_positions(out, fields & through, at);
            *lasts++ = (uint32_t)(out - to->ends);
            fields &= ~through;
            records &= records - 1;
        }
        out = scalar_positions(out, fields, at);
    }
    to->ends_length = (size_t)(out - to->ends);
    to->lasts_length = (size_t)(lasts - to->lasts);
}

/* ---- where bits are counted with one instruction ---- */

/* POSITIONS(out, bits, count, at) writes the positions of the `count` bits, and may write up
   to 64 in all.  COUNT(bits) counts them. */
#define LIST_FUNCTION(NAME, ATTRIBUTES, POSITIONS, COUNT)                                    \
    ATTRIBUTES void NAME(const scan_ends *groups, size_t count, uint32_t at, scan_lists *to) \
    {                                                                                        \
        uint32_t *const ends = to->ends;                                                     \
        uint32_t length = (uint32_t)to->ends_length;                                         \
        uint32_t *lasts = to->lasts + to->lasts_length;                                      \
        for (size_t i = 0; i < count; i++, at += SCAN_GROUP) {                               \
            const uint64_t fields = groups[i].fields;                                        \
            uint64_t records = groups[i].records;                                            \
            const uint32_t found = COUNT(fields);                                            \
            POSITIONS(ends + length, fields, found, at);                                     \
            uint32_t *out = lasts;                                                           \
            lasts += COUNT(records);                                                         \
            do { /* two, because few groups have more */                                     \
                out[0] = length + COUNT(fields & (records ^ (records - 1)));                 \
                records &= records - 1;                                                      \
                out[1] = length + COUNT(fields & (records ^ (records - 1)));                 \
                records &= records - 1;                                                      \
                out += 2;                                                                    \
            } while (records != 0);                                                          \
            length += found;                                                                 \
        }                                                                                    \
        to->ends_length = length;                                                            \
        to->lasts_length = (size_t)(lasts - to->lasts);                                      \
    }

/* ---- x86-64 ---- */

#ifdef LIST_X86

#define X86_COUNT(bits) ((uint32_t)_mm_popcnt_u64(bits))

/* The places of the bits of a byte, one in each byte of a word, lowest first.  BELOW_i(b) is
   how many of them are below bit i. */
#define BIT(b, i) ((uint64_t)((b) >> (i)&1))
#define BELOW_1(b) BIT(b, 0)
#define BELOW_2(b) (BELOW_1(b) + BIT(b, 1))
#define BELOW_3(b) (BELOW_2(b) + BIT(b, 2))
#define BELOW_4(b) (BELOW_3(b) + BIT(b, 3))
#define BELOW_5(b) (BELOW_4(b) + BIT(b, 4))
#define BELOW_6(b) (BELOW_5(b) + BIT(b, 5))
#define BELOW_7(b) (BELOW_6(b) + BIT(b, 6))
#define PLACE(b, i) ((BIT(b, i) * (i)) << (8 * BELOW_##i(b)))
#define PLACES(b)                                                                        \
    (PLACE(b, 1) | PLACE(b, 2) | PLACE(b, 3) | PLACE(b, 4) | PLACE(b, 5) | PLACE(b, 6) | \
     PLACE(b, 7))
#define PLACES_4(b) PLACES(b), PLACES((b) + 1), PLACES((b) + 2), PLACES((b) + 3)
#define PLACES_16(b) PLACES_4(b), PLACES_4((b) + 4), PLACES_4((b) + 8), PLACES_4((b) + 12)
#define PLACES_64(b) \
    PLACES_16(b), PLACES_16((b) + 16), PLACES_16((b) + 32), PLACES_16((b) + 48)

static const uint64_t places[256] = {PLACES_64(0), PLACES_64(64), PLACES_64(128),
                                     PLACES_64(192)};

#define AVX2 TARGET("avx2,bmi,popcnt")

/* Eight positions at a time, by a table of bytes. */
AVX2 INLINE void
avx2_positions(uint32_t *out, uint64_t bits, uint32_t count, uint32_t at)
{
    __m256i base = _mm256_set1_epi32((int)at);
    (void)count;
    for (int i = 0; i < 8; i++) {
        const uint64_t byte = bits >> (8 * i) & 0xFF;
        __m128i in_bytes = _mm_loadl_epi64((const __m128i *)(const void *)&places[byte]);
        __m256i positions = _mm256_add_epi32(_mm256_cvtepu8_epi32(in_bytes), base);
        _mm256_storeu_si256((__m256i *)(void *)out, positions);
        out += X86_COUNT(byte);
        base = _mm256_add_epi32(base, _mm256_set1_epi32(8));
    }
}

LIST_FUNCTION(scan_list_avx2, AVX2, avx2_positions, X86_COUNT)

#define VBMI2 TARGET("avx512f,avx512bw,avx512vbmi2,bmi,popcnt")

#define FOUR(i) (i), (i) + 1, (i) + 2, (i) + 3
#define SIXTEEN(i) FOUR(i), FOUR((i) + 4), FOUR((i) + 8), FOUR((i) + 12)

/* Write sixteen positions, from bytes. */
VBMI2 INLINE void
vbmi2_store(uint32_t *out, __m128i in_bytes, __m512i base)
{
    __m512i positions = _mm512_add_epi32(_mm512_cvtepu8_epi32(in_bytes), base);
    _mm512_storeu_si512((void *)out, positions);
}

/* Positions in the group are bytes, which one instruction brings together. */
VBMI2 INLINE void
vbmi2_positions(uint32_t *out, uint64_t bits, uint32_t count, uint32_t at)
{
    static const uint8_t each[64] = {SIXTEEN(0), SIXTEEN(16), SIXTEEN(32), SIXTEEN(48)};
    __m512i in_bytes = _mm512_maskz_compress_epi8(bits, _mm512_loadu_si512(each));
    __m512i base = _mm512_set1_epi32((int)at);
    vbmi2_store(out, _mm512_castsi512_si128(in_bytes), base);
    if (count > 16) { /* few groups have so many */
        vbmi2_store(out + 16, _mm512_extracti32x4_epi32(in_bytes, 1), base);
        vbmi2_store(out + 32, _mm512_extracti32x4_epi32(in_bytes, 2), base);
        vbmi2_store(out + 48, _mm512_extracti32x4_epi32(in_bytes, 3), base);
    }
}

LIST_FUNCTION(scan_list_vbmi2, VBMI2, vbmi2_positions, X86_COUNT)

#endif /* LIST_X86 */

/* ---- AArch64 ---- */

#ifdef LIST_NEON

#define NEON_COUNT(bits) ((uint32_t)vaddv_u8(vcnt_u8(vcreate_u8(bits))))

/* Write a position and clear its bit.  The highest bit stands in for the bits that there are
   no more. */
#define WRITE_POSITION(i)                                          \
    out[i] = at + lowest_bit(bits | UINT64_C(0x8000000000000000)); \
    bits &= bits - 1

/* Eight at a time. */
INLINE void
neon_positions(uint32_t *out, uint64_t bits, uint32_t count, uint32_t at)
{
    for (uint32_t written = 0; written < count; written += 8, out += 8) {
        WRITE_POSITION(0);
        WRITE_POSITION(1);
        WRITE_POSITION(2);
        WRITE_POSITION(3);
        WRITE_POSITION(4);
        WRITE_POSITION(5);
        WRITE_POSITION(6);
        WRITE_POSITION(7);
    }
}

LIST_FUNCTION(scan_list_neon, , neon_positions, NEON_COUNT)

#endif /* LIST_NEON */
