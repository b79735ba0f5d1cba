"""Print src/core/powers.h: 128 bits of each power of ten that number.c uses.

    python tools/powers.py > src/core/powers.h

Every entry is computed here with Python's integers, and checked.
"""

FIRST, LAST = -65, 65
BITS = 128


def significand(power):
    """floor(10**power * 2**-k), for the k that makes it exactly BITS long; and k."""
    top = 10 ** max(power, 0)
    bottom = 10 ** max(-power, 0)
    k = top.bit_length() - bottom.bit_length() - BITS
    while True:
        value = (top << max(-k, 0)) // (bottom << max(k, 0))
        if value.bit_length() == BITS:
            return value, k
        k += value.bit_length() - BITS


def check(power, value, k):
    top = 10 ** max(power, 0) << max(-k, 0)
    bottom = 10 ** max(-power, 0) << max(k, 0)
    assert value * bottom <= top < (value + 1) * bottom
    # The two facts that number.c takes from the table's range.
    assert (value * bottom == top) == (0 <= power <= 55), power
    assert k == ((power * 217706 + (1024 << 16)) >> 16) - 1024 - (BITS - 1), power


def main():
    print('/* Made by tools/powers.py from integers; do not edit.')
    print(' *')
    print(' * Entry i: the first 128 bits of 10 ** (NUMBER_POWER_FIRST + i), cut off and not')
    print(' * rounded; the upper 64 bits, then the lower 64.  The entries of the powers 0 to')
    print(' * NUMBER_POWER_EXACT are exact, and all others are not.')
    print(' */')
    print('#ifndef GENERATORS_CORE_POWERS_H')
    print('#define GENERATORS_CORE_POWERS_H')
    print()
    print('#include <stdint.h>')
    print()
    print(f'#define NUMBER_POWER_FIRST ({FIRST})')
    print(f'#define NUMBER_POWER_LAST {LAST}')
    print('#define NUMBER_POWER_EXACT 55')
    print()
    print('static const uint64_t number_powers[NUMBER_POWER_LAST - NUMBER_POWER_FIRST + 1][2] = {')
    for power in range(FIRST, LAST + 1):
        value, k = significand(power)
        check(power, value, k)
        high, low = divmod(value, 1 << 64)
        print(f'    {{UINT64_C(0x{high:016X}), UINT64_C(0x{low:016X})}}, /* {power} */')
    print('};')
    print()
    print('#endif')


if __name__ == '__main__':
    main()
