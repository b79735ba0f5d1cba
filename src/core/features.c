/* Asks the processor which instruction sets it has: by the compiler's own function, or by
 * CPUID where MSVC has none.
 */
#include "core/features.h"

#include <stdint.h>

#if defined(__x86_64__) || defined(_M_X64)

#include <immintrin.h> /* a test has a model of it, which also answers what is asked here */
#ifdef _MSC_VER
#include <intrin.h>
#endif

#include "core/units.h"

/* Clang has no library for __builtin_cpu_supports() where it stands in for MSVC. */
TARGET("xsave")
x86_features
x86_detect(void)
{
    x86_features has = {false, false, false};
#ifndef _MSC_VER
    __builtin_cpu_init();
    has.avx2 = __builtin_cpu_supports("pclmul") && __builtin_cpu_supports("popcnt") &&
               __builtin_cpu_supports("bmi") && __builtin_cpu_supports("avx2");
    has.avx512 =
        has.avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw");
    has.vbmi2 = has.avx512 && __builtin_cpu_supports("avx512vbmi2");
#else
    int leaf1[4], leaf7[4];
    __cpuid(leaf1, 0);
    if (leaf1[0] < 7) {
        return has;
    }
    __cpuid(leaf1, 1);
    __cpuidex(leaf7, 7, 0);
    /* PCLMULQDQ, POPCNT and BMI1 */
    bool usual = (leaf1[2] >> 1 & 1) && (leaf1[2] >> 23 & 1) && (leaf7[1] >> 3 & 1);
    bool saves = leaf1[2] >> 27 & 1; /* the system saves the wide registers */
    uint64_t kept = saves ? _xgetbv(0) : 0;
    has.avx2 = usual && (kept & 0x06) == 0x06 && (leaf7[1] >> 5 & 1);
    has.avx512 =
        has.avx2 && (kept & 0xE6) == 0xE6 && (leaf7[1] >> 16 & 1) && (leaf7[1] >> 30 & 1);
    has.vbmi2 = has.avx512 && (leaf7[2] >> 6 & 1);
#endif
    return has;
}

#endif
