/* Stands before the compiler's own <immintrin.h> and says in plain C what the
 * AVX-512 instructions used by src/core do, so that the AVX-512 kernel is
 * tested on machines that have no such instructions.
 */
#ifndef TESTS_CORE_AVX512_MODEL_H
#define TESTS_CORE_AVX512_MODEL_H

#include_next <immintrin.h>
#include <stdint.h>
#include <string.h>

typedef union {
    uint8_t u8[64];
    uint16_t u16[32];
    uint32_t u32[16];
} model_512;

static inline model_512
model_load(const void *from)
{
    model_512 v;
    memcpy(&v, from, sizeof v);
    return v;
}

#define MODEL_LANES(LANES, BITS)                                        \
    static inline model_512 model_set1_##BITS(int##BITS##_t value)      \
    {                                                                   \
        model_512 v;                                                    \
        for (int i = 0; i < LANES; i++) {                               \
            v.u##BITS[i] = (uint##BITS##_t)value;                       \
        }                                                               \
        return v;                                                       \
    }                                                                   \
                                                                        \
    static inline uint64_t model_equal_##BITS(model_512 a, model_512 b) \
    {                                                                   \
        uint64_t mask = 0;                                              \
        for (int i = 0; i < LANES; i++) {                               \
            mask |= (uint64_t)(a.u##BITS[i] == b.u##BITS[i]) << i;      \
        }                                                               \
        return mask;                                                    \
    }

MODEL_LANES(64, 8)
MODEL_LANES(32, 16)
MODEL_LANES(16, 32)

static inline uint64_t
model_tops(model_512 v)
{
    uint64_t mask = 0;
    for (int i = 0; i < 64; i++) {
        mask |= (uint64_t)(v.u8[i] >> 7) << i;
    }
    return mask;
}

static inline void
model_store(void *to, model_512 v)
{
    memcpy(to, &v, sizeof v);
}

static inline model_512
model_add_32(model_512 a, model_512 b)
{
    for (int i = 0; i < 16; i++) {
        a.u32[i] += b.u32[i];
    }
    return a;
}

static inline model_512
model_compress_8(uint64_t mask, model_512 v)
{
    model_512 together = {{0}};
    int n = 0;
    for (int i = 0; i < 64; i++) {
        if (mask >> i & 1) {
            together.u8[n++] = v.u8[i];
        }
    }
    return together;
}

static inline __m128i
model_quarter(model_512 v, int index)
{
    __m128i quarter;
    memcpy(&quarter, v.u8 + 16 * index, sizeof quarter);
    return quarter;
}

static inline model_512
model_widen_8_to_32(__m128i v)
{
    uint8_t bytes[16];
    model_512 wide;
    memcpy(bytes, &v, sizeof bytes);
    for (int i = 0; i < 16; i++) {
        wide.u32[i] = bytes[i];
    }
    return wide;
}

static inline int
model_supports(const char *feature)
{
    if (strcmp(feature, "pclmul") == 0) {
        return __builtin_cpu_supports("pclmul");
    }
    return __builtin_cpu_supports("avx2"); /* with it, the model runs: such machines have BMI
                                              and POPCNT */
}

/* Some are macros where nothing is optimized. */
#undef _mm512_loadu_si512
#undef _mm512_set1_epi8
#undef _mm512_set1_epi16
#undef _mm512_set1_epi32
#undef _mm512_cmpeq_epi8_mask
#undef _mm512_cmpeq_epi16_mask
#undef _mm512_cmpeq_epi32_mask
#undef _mm512_movepi8_mask
#undef _mm512_storeu_si512
#undef _mm512_add_epi32
#undef _mm512_maskz_compress_epi8
#undef _mm512_castsi512_si128
#undef _mm512_extracti32x4_epi32
#undef _mm512_cvtepu8_epi32

#define __m512i model_512
#define _mm512_loadu_si512 model_load
#define _mm512_set1_epi8 model_set1_8
#define _mm512_set1_epi16 model_set1_16
#define _mm512_set1_epi32 model_set1_32
#define _mm512_cmpeq_epi8_mask model_equal_8
#define _mm512_cmpeq_epi16_mask(a, b) ((uint32_t)model_equal_16(a, b))
#define _mm512_cmpeq_epi32_mask(a, b) ((uint16_t)model_equal_32(a, b))
#define _mm512_movepi8_mask model_tops
#define _mm512_storeu_si512 model_store
#define _mm512_add_epi32 model_add_32
#define _mm512_maskz_compress_epi8 model_compress_8
#define _mm512_castsi512_si128(v) model_quarter(v, 0)
#define _mm512_extracti32x4_epi32 model_quarter
#define _mm512_cvtepu8_epi32 model_widen_8_to_32

/* Nothing may be compiled for the instructions that are not there. */
#define __builtin_cpu_supports(feature) model_supports(feature)
#define target(features) target("avx2,pclmul,bmi,popcnt")

#endif
