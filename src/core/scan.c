/* How a kernel is made: each instruction set defines three functions that compare the 64 units
 * of a group, one for each width, with a value and return the mask, one for bytes above 0x7F
 * and one for the prefix XOR.  SCAN_FUNCTIONS makes the three scan functions from them.  The
 * compiler keeps the units of a group in registers across the comparisons.
 */
#include "core/scan.h"

#include <stdbool.h>
#include <string.h>

#include "core/features.h"
#include "core/scan_list.h"
#include "core/units.h"
#include "core/utf8_blocks.h"

#if defined(__x86_64__) || defined(_M_X64)
#define SCAN_X86 1
#include <immintrin.h>
#elif defined(__aarch64__) || defined(_M_ARM64)
#define SCAN_NEON 1
#include <arm_neon.h>
#endif

/* If units of this width cannot hold a character, the loop looks for '\n' instead and clears
   the mask, so that it needs no branch. */
typedef struct {
    uint32_t value;
    uint64_t keep;
} needle;

INLINE needle
needle_for(uint32_t character, uint32_t widest)
{
    bool possible = character <= widest && character != SCAN_ABSENT;
    return (needle){possible ? character : '\n', possible ? ~UINT64_C(0) : 0};
}

/* EQUAL(p, value), HIGH(p) and INSIDE(mask) belong to one instruction set.  SIZE is the width
   of a unit in bytes. */
#define SCAN_FUNCTION(NAME, ATTRIBUTES, SIZE, WIDEST, EQUAL, HIGH, INSIDE)             \
    ATTRIBUTES static void NAME(const void *units, size_t groups, const scan_set *set, \
                                scan_masks *masks)                                     \
    {                                                                                  \
        const uint8_t *p = units;                                                      \
        needle delimiter = needle_for(set->delimiter, WIDEST);                         \
        needle quote = needle_for(set->quote, WIDEST);                                 \
        needle escape = needle_for(set->escape, WIDEST);                               \
        for (size_t i = 0; i < groups; i++, p += SCAN_GROUP * (SIZE)) {                \
            scan_masks m;                                                              \
            m.delimiter = EQUAL(p, delimiter.value) & delimiter.keep;                  \
            m.quote = EQUAL(p, quote.value) & quote.keep;                              \
            m.escape = escape.keep != 0 ? EQUAL(p, escape.value) : 0;                  \
            m.carriage = EQUAL(p, '\r');                                               \
            m.end = m.carriage | EQUAL(p, '\n');                                       \
            m.high = HIGH(p);                                                          \
            m.inside = m.quote != 0 ? INSIDE(m.quote) : 0;                             \
            masks[i] = m;                                                              \
        }                                                                              \
    }

#define EVERY_UNIT(p) (~UINT64_C(0))

#define SCAN_FUNCTIONS(NAME, ATTRIBUTES)                                            \
    SCAN_FUNCTION(NAME##_scan1, ATTRIBUTES, 1, 0xFF, NAME##_equal1, NAME##_high,    \
                  NAME##_inside)                                                    \
    SCAN_FUNCTION(NAME##_scan2, ATTRIBUTES, 2, 0xFFFF, NAME##_equal2, EVERY_UNIT,   \
                  NAME##_inside)                                                    \
    SCAN_FUNCTION(NAME##_scan4, ATTRIBUTES, 4, 0x10FFFF, NAME##_equal4, EVERY_UNIT, \
                  NAME##_inside)

#define SCAN_KERNEL(NAME, SCAN, LIST, UTF8_BLOCKS) \
    static const scan_kernel NAME##_kernel = {     \
        #NAME, {SCAN##_scan1, SCAN##_scan2, SCAN##_scan4}, LIST, UTF8_BLOCKS};

/* ---- scalar: eight bytes in a word where units are bytes ---- */

INLINE uint64_t
load64(const uint8_t *p)
{
    uint64_t word = 0;
    for (int i = 0; i < 8; i++) {
        word |= (uint64_t)p[i] << (8 * i); /* one load where the machine is little-endian */
    }
    return word;
}

/* Gather the top bits of eight bytes, whose other bits must be zero. */
INLINE uint64_t
gather_tops(uint64_t tops)
{
    return ((tops >> 7) * UINT64_C(0x0102040810204080)) >> 56;
}

INLINE uint64_t
scalar_equal1(const uint8_t *p, uint32_t value)
{
    const uint64_t low7 = UINT64_C(0x7F7F7F7F7F7F7F7F);
    uint64_t mask = 0;
    for (int i = 0; i < 8; i++) {
        uint64_t x = load64(p + 8 * i) ^ (UINT64_C(0x0101010101010101) * value);
        mask |= gather_tops(~(((x & low7) + low7) | x | low7)) << (8 * i);
    }
    return mask;
}

INLINE uint64_t
scalar_high(const uint8_t *p)
{
    uint64_t mask = 0;
    for (int i = 0; i < 8; i++) {
        mask |= gather_tops(load64(p + 8 * i) & UINT64_C(0x8080808080808080)) << (8 * i);
    }
    return mask;
}

INLINE uint64_t
scalar_equal2(const uint8_t *p, uint32_t value)
{
    uint64_t mask = 0;
    for (int i = 0; i < SCAN_GROUP; i++) {
        uint16_t unit;
        memcpy(&unit, p + 2 * i, 2);
        mask |= (uint64_t)(unit == value) << i;
    }
    return mask;
}

INLINE uint64_t
scalar_equal4(const uint8_t *p, uint32_t value)
{
    uint64_t mask = 0;
    for (int i = 0; i < SCAN_GROUP; i++) {
        uint32_t unit;
        memcpy(&unit, p + 4 * i, 4);
        mask |= (uint64_t)(unit == value) << i;
    }
    return mask;
}

INLINE uint64_t
scalar_inside(uint64_t mask)
{
    for (int shift = 1; shift < SCAN_GROUP; shift *= 2) {
        mask ^= mask << shift;
    }
    return mask;
}

SCAN_FUNCTIONS(scalar, )
SCAN_KERNEL(scalar, scalar, scan_list_scalar, utf8_blocks_none)

/* ---- x86-64 ---- */

#ifdef SCAN_X86

INLINE __m128i
sse2_load(const uint8_t *p)
{
    return _mm_loadu_si128((const __m128i *)(const void *)p);
}

INLINE uint64_t
sse2_bits(__m128i bytes)
{
    return (uint32_t)_mm_movemask_epi8(bytes);
}

INLINE uint64_t
sse2_equal1(const uint8_t *p, uint32_t value)
{
    __m128i v = _mm_set1_epi8((char)value);
    uint64_t mask = 0;
    for (int i = 0; i < 4; i++) {
        mask |= sse2_bits(_mm_cmpeq_epi8(sse2_load(p + 16 * i), v)) << (16 * i);
    }
    return mask;
}

INLINE uint64_t
sse2_high(const uint8_t *p)
{
    uint64_t mask = 0;
    for (int i = 0; i < 4; i++) {
        mask |= sse2_bits(sse2_load(p + 16 * i)) << (16 * i);
    }
    return mask;
}

INLINE uint64_t
sse2_equal2(const uint8_t *p, uint32_t value)
{
    __m128i v = _mm_set1_epi16((short)value);
    uint64_t mask = 0;
    for (int i = 0; i < 4; i++, p += 32) {
        __m128i a = _mm_cmpeq_epi16(sse2_load(p), v);
        __m128i b = _mm_cmpeq_epi16(sse2_load(p + 16), v);
        mask |= sse2_bits(_mm_packs_epi16(a, b)) << (16 * i);
    }
    return mask;
}

INLINE uint64_t
sse2_equal4(const uint8_t *p, uint32_t value)
{
    __m128i v = _mm_set1_epi32((int)value);
    uint64_t mask = 0;
    for (int i = 0; i < 4; i++, p += 64) {
        __m128i a = _mm_cmpeq_epi32(sse2_load(p), v);
        __m128i b = _mm_cmpeq_epi32(sse2_load(p + 16), v);
        __m128i c = _mm_cmpeq_epi32(sse2_load(p + 32), v);
        __m128i d = _mm_cmpeq_epi32(sse2_load(p + 48), v);
        __m128i all = _mm_packs_epi16(_mm_packs_epi32(a, b), _mm_packs_epi32(c, d));
        mask |= sse2_bits(all) << (16 * i);
    }
    return mask;
}

#define sse2_inside scalar_inside

SCAN_FUNCTIONS(sse2, )
SCAN_KERNEL(sse2, sse2, scan_list_scalar, utf8_blocks_none)

#define AVX2 TARGET("avx2,pclmul")

AVX2 INLINE __m256i
avx2_load(const uint8_t *p)
{
    return _mm256_loadu_si256((const __m256i *)(const void *)p);
}

AVX2 INLINE uint64_t
avx2_bits(__m256i bytes)
{
    return (uint32_t)_mm256_movemask_epi8(bytes);
}

AVX2 INLINE uint64_t
avx2_equal1(const uint8_t *p, uint32_t value)
{
    __m256i v = _mm256_set1_epi8((char)value);
    uint64_t low = avx2_bits(_mm256_cmpeq_epi8(avx2_load(p), v));
    uint64_t high = avx2_bits(_mm256_cmpeq_epi8(avx2_load(p + 32), v));
    return low | high << 32;
}

AVX2 INLINE uint64_t
avx2_high(const uint8_t *p)
{
    return avx2_bits(avx2_load(p)) | avx2_bits(avx2_load(p + 32)) << 32;
}

AVX2 INLINE uint64_t
avx2_equal2(const uint8_t *p, uint32_t value)
{
    __m256i v = _mm256_set1_epi16((short)value);
    uint64_t mask = 0;
    for (int i = 0; i < 2; i++, p += 64) {
        __m256i a = _mm256_cmpeq_epi16(avx2_load(p), v);
        __m256i b = _mm256_cmpeq_epi16(avx2_load(p + 32), v);
        /* packs works on each half separately: put the quarters back in order */
        __m256i all = _mm256_permute4x64_epi64(_mm256_packs_epi16(a, b), 0xD8);
        mask |= avx2_bits(all) << (32 * i);
    }
    return mask;
}

AVX2 INLINE uint64_t
avx2_equal4(const uint8_t *p, uint32_t value)
{
    __m256i v = _mm256_set1_epi32((int)value);
    const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
    uint64_t mask = 0;
    for (int i = 0; i < 2; i++, p += 128) {
        __m256i a = _mm256_cmpeq_epi32(avx2_load(p), v);
        __m256i b = _mm256_cmpeq_epi32(avx2_load(p + 32), v);
        __m256i c = _mm256_cmpeq_epi32(avx2_load(p + 64), v);
        __m256i d = _mm256_cmpeq_epi32(avx2_load(p + 96), v);
        __m256i all = _mm256_packs_epi16(_mm256_packs_epi32(a, b), _mm256_packs_epi32(c, d));
        mask |= avx2_bits(_mm256_permutevar8x32_epi32(all, order)) << (32 * i);
    }
    return mask;
}

/* The carry-less product with all ones is the prefix XOR. */
AVX2 INLINE uint64_t
avx2_inside(uint64_t mask)
{
    __m128i product =
        _mm_clmulepi64_si128(_mm_set_epi64x(0, (long long)mask), _mm_set1_epi8((char)0xFF), 0);
    return (uint64_t)_mm_cvtsi128_si64(product);
}

SCAN_FUNCTIONS(avx2, AVX2)
SCAN_KERNEL(avx2, avx2, scan_list_avx2, utf8_blocks_avx2)

#define AVX512 TARGET("avx512f,avx512bw,avx2,pclmul")

AVX512 INLINE __m512i
avx512_load(const uint8_t *p)
{
    return _mm512_loadu_si512((const void *)p);
}

AVX512 INLINE uint64_t
avx512_equal1(const uint8_t *p, uint32_t value)
{
    return _mm512_cmpeq_epi8_mask(avx512_load(p), _mm512_set1_epi8((char)value));
}

AVX512 INLINE uint64_t
avx512_high(const uint8_t *p)
{
    return _mm512_movepi8_mask(avx512_load(p));
}

AVX512 INLINE uint64_t
avx512_equal2(const uint8_t *p, uint32_t value)
{
    __m512i v = _mm512_set1_epi16((short)value);
    uint64_t mask = 0;
    for (int i = 0; i < 2; i++) {
        mask |= (uint64_t)_mm512_cmpeq_epi16_mask(avx512_load(p + 64 * i), v) << (32 * i);
    }
    return mask;
}

AVX512 INLINE uint64_t
avx512_equal4(const uint8_t *p, uint32_t value)
{
    __m512i v = _mm512_set1_epi32((int)value);
    uint64_t mask = 0;
    for (int i = 0; i < 4; i++) {
        mask |= (uint64_t)_mm512_cmpeq_epi32_mask(avx512_load(p + 64 * i), v) << (16 * i);
    }
    return mask;
}

#define avx512_inside avx2_inside

SCAN_FUNCTIONS(avx512, AVX512)
SCAN_KERNEL(avx512, avx512, scan_list_avx2, utf8_blocks_avx2)
SCAN_KERNEL(avx512vbmi2, avx512, scan_list_vbmi2, utf8_blocks_avx2)

#endif /* SCAN_X86 */

/* ---- AArch64 ---- */

#ifdef SCAN_NEON

/* Four vectors of 0x00 or 0xFF -> 64 bits: keep one bit of each byte, then add neighbours
   three times. */
INLINE uint64_t
neon_bits(uint8x16_t a, uint8x16_t b, uint8x16_t c, uint8x16_t d)
{
    static const uint8_t each[16] = {1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128};
    uint8x16_t bit = vld1q_u8(each);
    uint8x16_t ab = vpaddq_u8(vandq_u8(a, bit), vandq_u8(b, bit));
    uint8x16_t cd = vpaddq_u8(vandq_u8(c, bit), vandq_u8(d, bit));
    uint8x16_t all = vpaddq_u8(ab, cd);
    return vgetq_lane_u64(vreinterpretq_u64_u8(vpaddq_u8(all, all)), 0);
}

INLINE uint64_t
neon_equal1(const uint8_t *p, uint32_t value)
{
    uint8x16_t v = vdupq_n_u8((uint8_t)value);
    return neon_bits(vceqq_u8(vld1q_u8(p), v), vceqq_u8(vld1q_u8(p + 16), v),
                     vceqq_u8(vld1q_u8(p + 32), v), vceqq_u8(vld1q_u8(p + 48), v));
}

INLINE uint64_t
neon_high(const uint8_t *p)
{
    uint8x16_t v = vdupq_n_u8(0x80);
    return neon_bits(vcgeq_u8(vld1q_u8(p), v), vcgeq_u8(vld1q_u8(p + 16), v),
                     vcgeq_u8(vld1q_u8(p + 32), v), vcgeq_u8(vld1q_u8(p + 48), v));
}

INLINE uint8x16_t
neon_equal2_half(const uint8_t *p, uint16x8_t v)
{
    uint16x8_t a = vceqq_u16(vreinterpretq_u16_u8(vld1q_u8(p)), v);
    uint16x8_t b = vceqq_u16(vreinterpretq_u16_u8(vld1q_u8(p + 16)), v);
    return vcombine_u8(vmovn_u16(a), vmovn_u16(b));
}

INLINE uint64_t
neon_equal2(const uint8_t *p, uint32_t value)
{
    uint16x8_t v = vdupq_n_u16((uint16_t)value);
    return neon_bits(neon_equal2_half(p, v), neon_equal2_half(p + 32, v),
                     neon_equal2_half(p + 64, v), neon_equal2_half(p + 96, v));
}

INLINE uint16x8_t
neon_equal4_half(const uint8_t *p, uint32x4_t v)
{
    uint32x4_t a = vceqq_u32(vreinterpretq_u32_u8(vld1q_u8(p)), v);
    uint32x4_t b = vceqq_u32(vreinterpretq_u32_u8(vld1q_u8(p + 16)), v);
    return vcombine_u16(vmovn_u32(a), vmovn_u32(b));
}

INLINE uint8x16_t
neon_equal4_quarter(const uint8_t *p, uint32x4_t v)
{
    return vcombine_u8(vmovn_u16(neon_equal4_half(p, v)),
                       vmovn_u16(neon_equal4_half(p + 32, v)));
}

INLINE uint64_t
neon_equal4(const uint8_t *p, uint32_t value)
{
    uint32x4_t v = vdupq_n_u32(value);
    return neon_bits(neon_equal4_quarter(p, v), neon_equal4_quarter(p + 64, v),
                     neon_equal4_quarter(p + 128, v), neon_equal4_quarter(p + 192, v));
}

#define neon_inside scalar_inside

SCAN_FUNCTIONS(neon, )
SCAN_KERNEL(neon, neon, scan_list_neon, utf8_blocks_neon)

#endif /* SCAN_NEON */

/* ---- the choice ---- */

void
scan_kernels(const scan_kernel **kernels)
{
    int n = 0;
#ifdef SCAN_X86
    const x86_features has = x86_detect();
    if (has.vbmi2) {
        kernels[n++] = &avx512vbmi2_kernel;
    }
    if (has.avx512) {
        kernels[n++] = &avx512_kernel;
    }
    if (has.avx2) {
        kernels[n++] = &avx2_kernel;
    }
    kernels[n++] = &sse2_kernel;
#endif
#ifdef SCAN_NEON
    kernels[n++] = &neon_kernel;
#endif
    kernels[n++] = &scalar_kernel;
    kernels[n] = NULL;
}

const scan_kernel *
scan_choose(const char *name)
{
    const scan_kernel *kernels[SCAN_KERNELS];
    scan_kernels(kernels);
    if (name == NULL) {
        return kernels[0];
    }
    for (int i = 0; kernels[i] != NULL; i++) {
        if (strcmp(kernels[i]->name, name) == 0) {
            return kernels[i];
        }
    }
    return NULL;
}
