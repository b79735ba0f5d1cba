/* The readers of numbers that only columns use, against libc and models of
 * their own: pseudo-random spellings, the same in every run.
 *
 *     gcc -std=c11 -O2 -Isrc tests/core/number_columns_test.c src/core/number*.c
 */
#include "core/number.h"
#include "core/number_decimal.h"
#include "core/number_moment.h"

#include <errno.h>
#include <inttypes.h>

#include "check.h"

enum { TIMES = 300000, LONGEST = 128 };

/* The text in an allocation of exactly its length. */
static const uint8_t *
exact(const char *text)
{
    static uint8_t *blocks[LONGEST];
    size_t length = strlen(text);
    CHECK(length < LONGEST, "a longer text than expected");
    if (blocks[length] == NULL) {
        blocks[length] = allocate(length);
    }
    return memcpy(blocks[length], text, length);
}

#define READ(function, text, ...) function(exact(text), strlen(text), __VA_ARGS__)

/* ---- integers ---- */

static void
check_ints(const char *text, const char *number, size_t digits, bool spelled)
{
    int64_t value = -77;
    uint64_t large = 77;
    errno = 0;
    long long expected = strtoll(number, NULL, 10);
    bool fits = spelled && digits <= 19 && errno == 0;
    CHECK((READ(number_int64, text, &value) == NUMBER_OK) == fits, "'%s'", text);
    CHECK(value == (fits ? expected : -77), "'%s' is %" PRId64, text, value);
    errno = 0;
    unsigned long long wide_value = strtoull(number, NULL, 10);
    bool negative = *number == '-' && wide_value != 0;
    fits = spelled && digits <= 20 && errno == 0 && !negative;
    CHECK((READ(number_uint64, text, &large) == NUMBER_OK) == fits, "'%s'", text);
    CHECK(large == (fits ? wide_value : 77), "'%s' is %" PRIu64, text, large);
}

static void
test_ints(void)
{
    static const char *const edges[] = {
        "9223372036854775807",  "9223372036854775808",   "-9223372036854775808",
        "-9223372036854775809", "18446744073709551615",  "18446744073709551616",
        "99999999999999999999", "184467440737095516150", "-0",
    };
    for (size_t i = 0; i < sizeof edges / sizeof *edges; i++) {
        check_ints(edges[i], edges[i], strlen(edges[i]) - (*edges[i] == '-'), true);
    }
    for (int i = 0; i < TIMES; i++) {
        static const char *const signs[] = {"", "", "-", "+"};
        static const char *const spaces[] = {"", "", "", " ", "\t "};
        char number[64], text[80];
        size_t digits = random_below(23);
        size_t at = (size_t)sprintf(number, "%s", signs[random_below(4)]);
        for (size_t k = 0; k < digits; k++) {
            number[at++] = (char)('0' + random_below(k == 0 && digits > 18 ? 3 : 10));
        }
        bool wrong = digits > 0 && random_below(10) == 0;
        if (wrong) {
            number[at - 1 - random_below((uint32_t)digits)] = "x/:_ \xC3"[random_below(6)];
        }
        number[at] = '\0';
        const char *before = spaces[random_below(5)], *after = spaces[random_below(5)];
        snprintf(text, sizeof text, "%s%s%s", before, number, after);
        if (!wrong) {
            check_ints(text, number, digits, digits > 0);
        }
        else if (strchr(number, ' ') == NULL) {
            check_ints(text, number, digits, false);
        }
    }
}

/* ---- floats ---- */

static void
test_floats(void)
{
    float value;
    unsigned long taken = 0;
    CHECK(READ(number_float, "16777217", &value) == NUMBER_UNSURE, "halfway");
    CHECK(READ(number_float, "1e39", &value) == NUMBER_UNSURE, "infinite");
    CHECK(READ(number_float, "3.4028235677973366e38", &value) == NUMBER_UNSURE, "as well");
    CHECK(READ(number_float, "3.40282357e38", &value) == NUMBER_UNSURE, "rounded up to it");
    CHECK(READ(number_float, "1e-60", &value) == NUMBER_OK && value == 0, "tiny");
    CHECK(READ(number_float, "x", &value) == NUMBER_UNSURE, "no number");
    for (int i = 0; i < TIMES; i++) {
        char text[64];
        uint32_t bits = (uint32_t)random_bits();
        float given;
        memcpy(&given, &bits, sizeof given);
        if ((bits >> 23 & 0xFF) == 0xFF) {
            continue;
        }
        static const char *const formats[] = {"%.9g", "%.3g", "%.17g", "%.12e"};
        snprintf(text, sizeof text, formats[random_below(4)], (double)given);
        if (READ(number_float, text, &value) == NUMBER_OK) {
            float expected = strtof(text, NULL);
            CHECK(memcmp(&value, &expected, sizeof value) == 0, "'%s' is %.9g", text,
                  (double)value);
            taken++;
        }
    }
    CHECK(taken > TIMES / 2, "only %lu floats were taken", taken);
}

/* ---- moments ---- */

static bool
is_leap(int year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static void
test_days(void)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int32_t expected = -719162; /* 0001-01-01 */
    for (int year = 1; year <= 9999; year++) {
        for (int month = 1; month <= 12; month++) {
            int last = days[month - 1] + (month == 2 && is_leap(year));
            for (int day = 1; day <= last; day++) {
                const number_date_value date = {year, month, day};
                CHECK(number_days(&date) == expected, "%d-%d-%d", year, month, day);
                expected++;
            }
        }
    }
}

static void
check_time(const char *text, int64_t expected)
{
    int64_t value = -77;
    number_status status = READ(number_time, text, &value);
    CHECK((status == NUMBER_OK) == (expected >= 0), "'%s'", text);
    CHECK(value == (expected >= 0 ? expected : -77), "'%s' is %" PRId64, text, value);
}

static void
check_timestamp(const char *text, bool accepted, int64_t seconds, int nanosecond, bool zoned)
{
    number_timestamp_value t = {0, 0, false};
    CHECK((READ(number_timestamp, text, &t) == NUMBER_OK) == accepted, "'%s'", text);
    CHECK(!accepted ||
              (t.seconds == seconds && t.nanosecond == nanosecond && t.zoned == zoned),
          "'%s' is %" PRId64 ".%09d", text, t.seconds, t.nanosecond);
}

static void
test_moments(void)
{
    check_time("24:00", -1);
    check_time("12:3", -1);
    check_time("12:30:", -1);
    check_time("12:30:15.", -1);
    check_time("12:30:15.1234", -1);
    check_time("12:30:15.123456789", -1);
    check_time("12:30:60", -1);
    check_time("12:30Z", -1);
    check_time("12.30", -1);
    check_timestamp("1970-01-01", true, 0, 0, false);
    check_timestamp("1970-01-01Z", false, 0, 0, false);
    check_timestamp("1970-01-01T00:00Z", true, 0, 0, true);
    check_timestamp("1970-01-01T00:00z", false, 0, 0, false);
    check_timestamp("1969-12-31 23:59:59.5", false, 0, 0, false);
    check_timestamp("1970-01-01T00:00+24:00", false, 0, 0, false);
    check_timestamp("1970-01-01T00:00+1:00", false, 0, 0, false);
    check_timestamp("1970-01-01x00:00", false, 0, 0, false);
    check_timestamp("1970-02-29", false, 0, 0, false);
    for (int i = 0; i < TIMES; i++) {
        int hour = (int)random_below(24), minute = (int)random_below(60);
        int second = (int)random_below(60), micro = (int)random_below(1000000);
        int64_t whole = (hour * 60 + minute) * INT64_C(60);
        char clock[32], text[64];
        int nano = 0;
        switch (random_below(5)) {
        case 0:
            snprintf(clock, sizeof clock, "%02d:%02d", hour, minute);
            second = 0;
            break;
        case 1:
            snprintf(clock, sizeof clock, "%02d:%02d:%02d", hour, minute, second);
            break;
        case 2:
            nano = micro / 1000 * 1000000;
            snprintf(clock, sizeof clock, "%02d:%02d:%02d.%03d", hour, minute, second,
                     micro / 1000);
            break;
        case 3:
            nano = micro * 1000;
            snprintf(clock, sizeof clock, "%02d:%02d:%02d.%06d", hour, minute, second, micro);
            break;
        default:
            nano = micro * 1000 + 7;
            snprintf(clock, sizeof clock, "%02d:%02d:%02d.%09d", hour, minute, second, nano);
        }
        whole += second;
        check_time(clock, nano % 1000 == 7 ? -1 : whole * 1000000 + nano / 1000);
        const number_date_value date = {1 + (int)random_below(9999), 1 + (int)random_below(12),
                                        1 + (int)random_below(28)};
        int offset = (int)random_below(24 * 60);
        int kind = (int)random_below(4);
        char zone[16] = "";
        if (kind == 1) {
            strcpy(zone, "Z");
        }
        else if (kind > 1) {
            snprintf(zone, sizeof zone, "%c%02d:%02d", kind == 2 ? '+' : '-', offset / 60,
                     offset % 60);
        }
        offset = kind == 2 ? offset : kind == 3 ? -offset : 0;
        snprintf(text, sizeof text, "%04d-%02d-%02d%c%s%s", date.year, date.month, date.day,
                 random_below(2) ? 'T' : ' ', clock, zone);
        check_timestamp(text, true, number_days(&date) * INT64_C(86400) + whole - offset * 60,
                        nano, kind > 0);
    }
}

/* ---- decimals ---- */

/* Divide by ten; the rest. */
static uint32_t
divide_by_ten(wide *value)
{
    uint64_t parts[4] = {value->high >> 32, value->high & UINT32_MAX, value->low >> 32,
                         value->low & UINT32_MAX};
    uint64_t rest = 0;
    for (int i = 0; i < 4; i++) {
        uint64_t part = rest << 32 | parts[i];
        parts[i] = part / 10;
        rest = part % 10;
    }
    *value = (wide){parts[0] << 32 | parts[1], parts[2] << 32 | parts[3]};
    return (uint32_t)rest;
}

/* Write the value as digits, without leading zeros; "" for 0. */
static void
spell(wide value, char *out)
{
    char digits[64];
    int count = 0;
    if (value.high >> 63) {
        *out++ = '-';
        value.low = 0 - value.low;
        value.high = ~value.high + (value.low == 0);
    }
    while (value.high != 0 || value.low != 0) {
        digits[count++] = (char)('0' + divide_by_ten(&value));
    }
    while (count > 0) {
        *out++ = digits[--count];
    }
    *out = '\0';
}

static void
check_decimal(const char *text, int precision, int scale, const char *expected)
{
    wide value = {77, 77};
    char spelled[64];
    number_status status = READ(number_decimal, text, precision, scale, &value);
    CHECK((status == NUMBER_OK) == (expected != NULL), "'%s' at (%d, %d)", text, precision,
          scale);
    if (expected != NULL) {
        spell(value, spelled);
        CHECK(strcmp(spelled, expected) == 0, "'%s' at (%d, %d) is %s, not %s", text,
              precision, scale, spelled, expected);
    }
}

static void
test_decimals(void)
{
    check_decimal("1.5", 2, 1, "15");
    check_decimal(" -1.50 ", 2, 1, "-15");
    check_decimal("1.55", 38, 1, NULL);
    check_decimal("100", 1, -2, "1");
    check_decimal("1e3", 4, 0, "1000");
    check_decimal("1E3", 3, 0, NULL);
    check_decimal("1.5e1", 2, 0, "15");
    check_decimal("0e9999", 1, 0, "");
    check_decimal("-0", 1, 0, "");
    check_decimal(".5", 1, 1, "5");
    check_decimal("5.", 1, 0, "5");
    check_decimal(".", 1, 0, NULL);
    check_decimal("", 1, 0, NULL);
    check_decimal("1_0", 38, 0, NULL);
    check_decimal("1e", 38, 0, NULL);
    check_decimal("nan", 38, 0, NULL);
    check_decimal("1.2.3", 38, 10, NULL);
    check_decimal("99999999999999999999999999999999999999", 38, 0,
                  "99999999999999999999999999999999999999");
    check_decimal("-99999999999999999999999999999999999999", 38, 0,
                  "-99999999999999999999999999999999999999");
    check_decimal("100000000000000000000000000000000000000", 38, 0, NULL);
    check_decimal("100000000000000000000000000000000000000", 38, -1,
                  "10000000000000000000000000000000000000");
    char many[LONGEST];
    memset(many, '1', LONGEST - 1);
    many[LONGEST - 1] = '\0';
    check_decimal(many, 38, 0, NULL);
    for (int i = 0; i < TIMES; i++) {
        char digits[64], text[80], expected[80];
        int count = 1 + (int)random_below(40), point = (int)random_below((uint32_t)count + 1);
        int precision = 1 + (int)random_below(38), scale = (int)random_below(20);
        bool negative = random_below(2);
        for (int k = 0; k < count; k++) {
            digits[k] = (char)('0' + (random_below(3) ? random_below(10) : 0));
        }
        digits[count] = '\0';
        snprintf(text, sizeof text, "%s%.*s%s%s", negative ? "-" : "", point, digits,
                 point < count ? "." : "", digits + point);
        /* The digits as an integer of `scale` places. */
        int places = count - point;
        while (places < scale) {
            digits[count++] = '0';
            places++;
        }
        bool fits = true;
        for (; places > scale; places--) {
            fits &= digits[--count] == '0';
        }
        digits[count] = '\0';
        const char *first = digits + strspn(digits, "0");
        fits &= *first == '\0' || strlen(first) <= (size_t)precision;
        snprintf(expected, sizeof expected, "%s%s", negative && *first ? "-" : "", first);
        check_decimal(text, precision, scale, fits ? expected : NULL);
    }
}

int
main(void)
{
    test_ints();
    test_floats();
    test_days();
    test_moments();
    test_decimals();
    puts("fine");
    return 0;
}
