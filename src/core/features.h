/* Which instruction sets this machine has, beyond those that every machine of its kind has.
 *
 * A kernel may be used if the processor has its instructions and the system saves its
 * registers.  On AArch64 there is nothing to ask: each machine has NEON.
 */
#ifndef GENERATORS_CORE_FEATURES_H
#define GENERATORS_CORE_FEATURES_H

#include <stdbool.h>

#if defined(__x86_64__) || defined(_M_X64)

typedef struct {
    bool avx2;   /* with PCLMULQDQ, POPCNT and BMI1 */
    bool avx512; /* with BW, and avx2 */
    bool vbmi2;  /* with avx512 */
} x86_features;

x86_features x86_detect(void);

#endif

#endif
