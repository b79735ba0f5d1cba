/* The digits are collected first, at most 38 of them, and then multiplied together: the last
 * 19 and those before them each fit in 64 bits.
 */
#include "core/number_decimal.h"

#include <string.h>

#include "core/digits.h"

#define MOST_DIGITS                                                         \
    96 /* that are looked at: more can't fit, unless they end in many zeros \
        */

typedef struct {
    uint8_t digits[MOST_DIGITS];
    size_t count; /* without leading zeros */
    int exponent;
} digit_list;

static bool
list_digits(span s, digit_list *list)
{
    bool any = false, point = false;
    list->count = 0;
    list->exponent = 0;
    for (; s.at < s.end; s.at++) {
        if (is_digit(*s.at)) {
            any = true;
            list->exponent -= point;
            if (list->count > 0 || *s.at != '0') {
                if (list->count == MOST_DIGITS) {
                    return false;
                }
                list->digits[list->count++] = *s.at;
            }
        }
        else if (*s.at == '.' && !point) {
            point = true;
        }
        else {
            break;
        }
    }
    if (!any) {
        return false;
    }
    if (s.at == s.end) {
        return true;
    }
    return (*s.at++ | 0x20) == 'e' && take_exponent(&s, &list->exponent);
}

/* Multiply by 10^scale.  False if that is no integer of at most `precision` digits. */
static bool
scale_digits(digit_list *list, int precision, int scale)
{
    int shift = list->exponent + scale;
    if (list->count == 0) {
        return true;
    }
    for (; shift < 0; shift++) {
        if (list->count == 0 || list->digits[list->count - 1] != '0') {
            return false;
        }
        list->count--;
    }
    if (shift > precision || list->count + (size_t)shift > (size_t)precision) {
        return false;
    }
    memset(list->digits + list->count, '0', (size_t)shift);
    list->count += (size_t)shift;
    return true;
}

static uint64_t
sum_digits(const uint8_t *digits, size_t count)
{
    uint64_t total = 0;
    for (size_t i = 0; i < count; i++) {
        total = total * 10 + (uint64_t)(digits[i] - '0');
    }
    return total;
}

number_status
number_decimal(const uint8_t *text, size_t length, int precision, int scale, wide *value)
{
    span s = strip(text, length);
    bool negative = take_sign(&s);
    digit_list list;
    if (s.end - s.at > INT16_MAX || !list_digits(s, &list) ||
        !scale_digits(&list, precision, scale)) {
        return NUMBER_UNSURE;
    }
    size_t low = list.count > 19 ? 19 : list.count;
    wide total = {0, sum_digits(list.digits + list.count - low, low)};
    if (list.count > low) {
        wide upper = wide_multiply(sum_digits(list.digits, list.count - low),
                                   UINT64_C(10000000000000000000));
        total.low += upper.low;
        total.high = upper.high + (total.low < upper.low);
    }
    if (negative) {
        total.low = 0 - total.low;
        total.high = ~total.high + (total.low == 0);
    }
    *value = total;
    return NUMBER_OK;
}
