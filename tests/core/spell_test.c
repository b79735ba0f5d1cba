/* spell.c against printf and strtod: the spelling is read back as the number, no
   spelling of fewer digits is, and it has the form that CPython's repr() has. */
#include "core/spell.h"

#include <inttypes.h>
#include <math.h>

#include "check.h"

static unsigned long spelled;

static void
check_int(int64_t number)
{
    char expected[64], text[SPELL_ROOM + 1];
    int length = snprintf(expected, sizeof expected, "%" PRId64, number);
    size_t got = spell_int(number, text);
    CHECK(got == (size_t)length && memcmp(text, expected, got) == 0, "%s became %.*s",
          expected, (int)got, text);
}

/* The digits of the shortest spelling, and ten to what power the first one is. */
static int
shortest_digits(double number, char *digits, int *exponent)
{
    char text[64];
    for (int count = 1;; count++) {
        snprintf(text, sizeof text, "%.*e", count - 1, number);
        if (strtod(text, NULL) == number) {
            char *e = strchr(text, 'e');
            *exponent = atoi(e + 1);
            digits[0] = text[0];
            if (count > 1) {
                memcpy(digits + 1, text + 2, (size_t)(count - 1));
            }
            while (count > 1 && digits[count - 1] == '0') {
                count--;
            }
            return count;
        }
    }
}

static int
expected_spelling(double number, char *text)
{
    char digits[32], *at = text;
    int exponent, count;
    if (signbit(number)) {
        *at++ = '-';
        number = -number;
    }
    if (number == 0) {
        return (int)(at - text) + sprintf(at, "0.0");
    }
    count = shortest_digits(number, digits, &exponent);
    if (exponent < -4 || exponent >= 16) {
        at += sprintf(at, "%c%s%.*s", digits[0], count > 1 ? "." : "", count - 1, digits + 1);
        at += sprintf(at, "e%c%02d", exponent < 0 ? '-' : '+', abs(exponent));
    }
    else if (exponent < 0) {
        at += sprintf(at, "0.%.*s%.*s", -exponent - 1, "0000", count, digits);
    }
    else {
        for (int i = 0; i <= exponent || i < count; i++) {
            if (i == exponent + 1) {
                *at++ = '.';
            }
            *at++ = i < count ? digits[i] : '0';
        }
        if (count <= exponent + 1) {
            at += sprintf(at, ".0");
        }
    }
    return (int)(at - text);
}

static void
check_double(double number)
{
    char expected[64], text[SPELL_ROOM + 1], copy[SPELL_ROOM + 1];
    size_t got = spell_double(number, text);
    double magnitude = fabs(number);
    CHECK(got <= SPELL_ROOM, "%zu characters", got);
    if (got == 0) {
        CHECK(!(magnitude == 0 || (magnitude > 1e-40 && magnitude < 1e40)), "%.17g left out",
              number);
        return;
    }
    spelled++;
    memcpy(copy, text, got);
    copy[got] = '\0';
    CHECK(strtod(copy, NULL) == number, "%.17g became %s", number, copy);
    size_t length = (size_t)expected_spelling(number, expected);
    expected[length] = '\0';
    /* Beside a power of two, the nearest of the fewest digits may not be what printf
       rounds to. */
    int exponent;
    if (frexp(magnitude, &exponent) == 0.5 && length >= got) {
        return;
    }
    CHECK(length == got && memcmp(text, expected, got) == 0, "%.17g became %s, not %s", number,
          copy, expected);
}

static void
check_both(double number)
{
    check_double(number);
    check_double(-number);
}

static double
random_double(void)
{
    uint64_t bits = random_bits();
    double number;
    memcpy(&number, &bits, sizeof number);
    return number;
}

int
main(void)
{
    for (int64_t i = 1, n = 1; i < 64; i++, n = (int64_t)((uint64_t)n * 2)) {
        check_int(n);
        check_int(n - 1);
        check_int(-n);
    }
    for (int64_t n = 1; n <= INT64_MAX / 10; n *= 10) {
        check_int(n);
        check_int(n - 1);
        check_int(-n);
    }
    check_int(INT64_MAX);
    check_int(INT64_MIN);
    for (int i = 0; i < 100000; i++) {
        check_int((int64_t)(random_bits() >> random_below(64)));
    }

    check_both(0.0);
    for (int power = -1074; power < 1024; power++) {
        double number = ldexp(1.0, power);
        check_both(number);
        check_both(nextafter(number, 0.0));
        check_both(nextafter(number, INFINITY));
        check_both(3 * number);
    }
    for (int power = -330; power < 309; power++) {
        for (int digit = 1; digit < 10; digit++) {
            char text[32];
            snprintf(text, sizeof text, "%de%d", digit, power);
            double number = strtod(text, NULL);
            check_both(number);
            check_both(nextafter(number, 0.0));
            check_both(nextafter(number, INFINITY));
        }
    }
    check_double(NAN);
    check_double(INFINITY);
    check_double(-INFINITY);
    check_both(9007199254740993.0);
    check_both(5e-324);
    for (int i = 0; i < 200000; i++) {
        check_double(random_double());
        check_double(ldexp((double)(random_bits() >> 11), (int)random_below(200) - 150));
        check_both((double)(random_bits() >> random_below(64)) / pow(10, random_below(12)));
    }
    CHECK(spelled > 600000, "only %lu were spelled", spelled);
    return 0;
}
