/* number.c against strtod, strtoll and tables of its own: seven million
 * spellings, edge cases and pseudo-random ones, the same in every run.
 *
 *     gcc -std=c11 -O2 -Isrc tests/core/number_test.c src/core/number.c
 *
 * Every spelling lies in an allocation of exactly its length, so that under
 * ASan a read beyond it is seen.  A model says of each whether it must be
 * taken or must not be; what is taken must be right.
 *
 * C leaves open in what order an expression's parts are evaluated: none draws
 * two numbers, or the spellings would depend on the compiler.
 */
#include "core/number.h"
#include "core/number_moment.h"

#include <inttypes.h>
#include <stdarg.h>

#ifdef __SSE2__
#include <xmmintrin.h>
#endif

#include "check.h"

#define LONGEST 700
#define FIRST_POWER (-65)
#define LAST_POWER 65

static uint8_t *blocks[LONGEST + 1];
static unsigned long checked;
static unsigned long uncertain;
static unsigned long failures;

/* ---- what the tests stand on ---- */

static const uint8_t *
exact_copy(const void *text, size_t length)
{
    if (blocks[length] == NULL) {
        blocks[length] = allocate(length);
    }
    if (length == 0) {
        return blocks[0] + 1;
    }
    return memcpy(blocks[length], text, length);
}

static void
fail(const char *what, const char *text, size_t length)
{
    if (failures++ < 20) {
        fprintf(stderr, "%s: '%.*s'\n", what, (int)length, text);
    }
}

static bool
is_one_of(char c, const char *set)
{
    return c != '\0' && strchr(set, c) != NULL;
}

static size_t
span_of(const char *text, size_t *at, const char *set)
{
    size_t start = *at;
    while (is_one_of(text[*at], set)) {
        (*at)++;
    }
    return *at - start;
}

static const char *const spaces = " \t\n\r\v\f";
static const char *const digits = "0123456789";

/* ---- integers ---- */

static bool
model_int(const char *text, size_t length)
{
    size_t at = 0;
    span_of(text, &at, spaces);
    at += is_one_of(text[at], "+-");
    size_t count = span_of(text, &at, digits);
    span_of(text, &at, spaces);
    return at == length && count >= 1 && count <= 18;
}

static void
check_int(const char *text, size_t length)
{
    int64_t value = -77;
    number_status status = number_int(exact_copy(text, length), length, &value);
    bool expected = model_int(text, length);
    checked++;
    if ((status == NUMBER_OK) != expected) {
        fail("number_int takes what it should not, or does not", text, length);
    }
    else if (value != (expected ? strtoll(text, NULL, 10) : -77)) {
        fail("number_int", text, length);
    }
}

/* ---- doubles ---- */

typedef struct {
    bool accepted;
    bool certain; /* must be taken: there is no tie, or one that is seen */
} double_model;

static double_model
model_double(const char *text, size_t length)
{
    size_t at = 0, significant = 0, count = 0;
    long exponent = 0, written = 0;
    uint64_t total = 0;
    bool point = false;
    span_of(text, &at, spaces);
    at += is_one_of(text[at], "+-");
    for (; is_one_of(text[at], digits) || (text[at] == '.' && !point); at++) {
        if (text[at] == '.') {
            point = true;
            continue;
        }
        count++;
        significant += significant > 0 || text[at] != '0';
        exponent -= point;
        total = total * 10 + (uint64_t)(text[at] - '0');
    }
    if (is_one_of(text[at], "eE")) {
        bool negative = text[++at] == '-';
        at += is_one_of(text[at], "+-");
        size_t start = at;
        size_t length_written = span_of(text, &at, digits);
        if (length_written < 1 || length_written > 4) {
            return (double_model){false, false};
        }
        written = strtol(text + start, NULL, 10);
        exponent += negative ? -written : written;
    }
    span_of(text, &at, spaces);
    bool in_range = total == 0 || (exponent >= FIRST_POWER && exponent <= LAST_POWER);
    bool accepted = at == length && count >= 1 && significant <= 19 && in_range;
    bool tie_possible = exponent < 0 && total > UINT64_C(1) << 53;
    return (double_model){accepted, accepted && !tie_possible && length <= 128};
}

static void
check_double(const char *text, size_t length)
{
    double value = -77.0;
    number_status status = number_double(exact_copy(text, length), length, &value);
    double_model model = model_double(text, length);
    checked++;
    if (status != NUMBER_OK) {
        uncertain += model.accepted;
        if (model.certain || value != -77.0) {
            fail("number_double should be sure", text, length);
        }
        return;
    }
    double expected = strtod(text, NULL);
    if (!model.accepted) {
        fail("number_double takes what it should not", text, length);
    }
    else if (memcmp(&value, &expected, sizeof value) != 0) {
        fail("number_double", text, length);
    }
}

static void
check_double_text(const char *format, ...)
{
    char text[LONGEST + 1];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    check_double(text, (size_t)length);
}

static double
random_double(int least_exponent, int exponents)
{
    uint64_t field = (uint64_t)(1023 + least_exponent) + random_below((uint32_t)exponents);
    uint64_t bits = field << 52 | random_bits() >> 12;
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* Digits and an exponent, with the point at any place. */
static void
check_random_decimal(uint64_t number, int exponent)
{
    char plain[32];
    int count = snprintf(plain, sizeof plain, "%" PRIu64, number);
    int point = (int)random_below((uint32_t)count + 1);
    check_double_text("%s%.*s.%se%d", number % 4 == 0 ? "-" : "", point, plain, plain + point,
                      exponent + count - point);
}

static void
test_random_doubles(void)
{
    for (int i = 0; i < 150000; i++) {
        uint64_t number = random_bits() % UINT64_C(10000000000000000000);
        int shift = (int)random_below(64);
        check_random_decimal(number, (int)random_below(140) - 70);
        check_random_decimal(number >> shift, (int)random_below(60) - 30);
        check_double_text("%.17g", random_double(-300, 600));
        check_double_text("%.16e", random_double(-120, 240));
    }
    for (int i = 0; i < 50000; i++) {
        int places = (int)random_below(20);
        check_double_text("%.*f", places % 7, random_double(-10, 40));
        check_double_text("%.*g", places, random_double(-40, 80));
        check_double_text("%" PRIu64, random_bits() % UINT64_C(10000000000000000000));
    }
    if (uncertain > 100) { /* ties are rare by chance */
        fail("number_double is seldom sure", "", 0);
    }
}

/* Whole numbers of more than 53 bits that are exactly between two doubles, and
   their neighbours; the same times powers of ten, and as fractions. */
static void
test_halfway(void)
{
    for (int i = 0; i < 40000; i++) {
        int more = (int)random_below(10);
        uint64_t odd = (UINT64_C(1) << 53) + 2 * (random_bits() >> 12) + 1;
        uint64_t half = odd << more;
        if (half > UINT64_C(9999999999999999998)) {
            half = odd;
        }
        for (uint64_t number = half - 1; number <= half + 1; number++) {
            check_double_text("%" PRIu64, number);
            check_double_text("%" PRIu64 "e%d", number, (int)random_below(12));
            check_double_text("%" PRIu64 "0e-1", number);
            check_double_text("%" PRIu64 "e-%d", number, 1 + (int)random_below(30));
        }
    }
    /* n + 1/2, 1/4 and so on, which a power of five makes exact. */
    for (int i = 0; i < 20000; i++) {
        int bits = 1 + (int)random_below(9);
        double value = (double)((random_bits() >> (11 + bits)) * 2 + 1) / (double)(1 << bits);
        check_double_text("%.*f", bits, value);
        check_double_text("%.*f", bits + 1, value);
    }
}

/* The same answers whichever way the machine is set to round.  (The standard's
   fesetround would need the mathematics library.) */
static void
test_rounding_modes(void)
{
#ifdef __SSE2__
    static const unsigned modes[] = {_MM_ROUND_UP, _MM_ROUND_DOWN, _MM_ROUND_TOWARD_ZERO};
    for (int i = 0; i < 60000; i++) {
        char text[40];
        uint64_t number = random_bits() % UINT64_C(10000000000000000000) >> (i % 48);
        int length = snprintf(text, sizeof text, "%s%" PRIu64 "e%d", i % 2 == 0 ? "" : "-",
                              number, (int)random_below(60) - 30);
        double expected = -77.0, value = -77.0;
        number_double(exact_copy(text, (size_t)length), (size_t)length, &expected);
        _MM_SET_ROUNDING_MODE(modes[i % 3]);
        number_double(exact_copy(text, (size_t)length), (size_t)length, &value);
        _MM_SET_ROUNDING_MODE(_MM_ROUND_NEAREST);
        checked++;
        if (memcmp(&value, &expected, sizeof value) != 0) {
            fail("number_double in another rounding mode", text, (size_t)length);
        }
    }
#endif
}

static void
test_powers(void)
{
    static const uint64_t numbers[] = {0,
                                       1,
                                       2,
                                       5,
                                       7,
                                       9,
                                       99,
                                       123456789,
                                       UINT64_C(9007199254740991),
                                       UINT64_C(9007199254740992),
                                       UINT64_C(9007199254740993),
                                       UINT64_C(9999999999999999),
                                       UINT64_C(17976931348623157),
                                       UINT64_C(22250738585072014),
                                       UINT64_C(22250738585072011),
                                       UINT64_C(49406564584124654),
                                       UINT64_C(24703282292062327),
                                       UINT64_C(24703282292062328),
                                       UINT64_C(1000000000000000000),
                                       UINT64_C(9223372036854775807),
                                       UINT64_C(9223372036854775808),
                                       UINT64_C(9999999999999999999)};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        for (int exponent = -400; exponent <= 400; exponent++) {
            check_double_text("%" PRIu64 "e%d", numbers[i], exponent);
            check_double_text("-%" PRIu64 "E%+04d", numbers[i], exponent);
        }
    }
    for (int zeros = 0; zeros < LONGEST - 20; zeros++) {
        check_double_text("0.%0*d", zeros + 1, 7);
        check_double_text("%0*d.5", zeros + 1, 12);
        check_double_text("%0*d", zeros + 1, 0);
        check_double_text("-.%0*d", zeros + 1, 0);
        check_double_text("1%0*d", zeros + 1, 0);
        check_double_text("%*d%*s", zeros / 2 + 1, 3, zeros / 2 + 1, "");
    }
}

/* ---- spellings made of pieces ---- */

static void
both(const char *text, size_t length)
{
    check_int(text, length);
    check_double(text, length);
}

static void
test_written_out(void)
{
    static const char texts[] =
        "| |+|-|.|+.|-.|e|e5|.e5|1e|1e+|1e-|1.e5|.5|5.|-.5e-3|+5|-5|- 5|+-5|--5|5-|"
        "007|-0|-0.0|+0|0|00|0x10|1_000|1_0.5|1__0|_1|1_|inf|-inf|nan|Infinity|"
        "infinity|NaN|1e5|1E5|1e+5|1E-05|1e00005|1e0005|0e9999|1.5.|1..5|1.5e1.5|1 5|"
        "1. 5| 1.5 |\t1\n|\v1\f|\r\n1\r\n|1\034|\0371|\2051|\302\2401|1\302\240|"
        "\331\241|1\331\241|\342\210\2221|\357\274\221|12345678|1234567a|a1234567|"
        "1234567:|1234567/|12345678.|123456789012345678|1234567890123456789|"
        "-123456789012345678|000000000000000001|0000000000000000001|9007199254740993|"
        "9007199254740993.0|12345678901234567890|0.12345678901234567890|1e400|1e-400|"
        "4.9e-324|2.4703282292062327e-324|2.2250738585072011e-308|"
        "1.7976931348623159e308|0,5|1.5f|1.5L|1d5|$5|5%|1e5e5|e1e5|1e--5|1e 5|1 e5";
    for (const char *text = texts;; text++) {
        char one[64];
        size_t length = strcspn(text, "|");
        memcpy(one, text, length);
        one[length] = '\0';
        both(one, length);
        text += length;
        if (*text == '\0') {
            break;
        }
    }
    both("1\0", 2);
    both("\0001", 2);
    both("1\0005", 3);
    both("12345678\0", 9);
}

static void
test_made_of_pieces(void)
{
    static const char *const pieces[] = {
        "0",  "1",        "7", "9", "12",   "00",   "345", "12345678", "99999999", "5",
        ".",  ".",        "e", "E", "-",    "+",    " ",   "\t",       "_",        "e-5",
        "e5", "\xc2\xa0", "/", ":", "\x80", "\xff", "x",   "n"};
    char text[160];
    for (int i = 0; i < 250000; i++) {
        text[0] = '\0';
        for (uint64_t count = 1 + random_below(7); count > 0; count--) {
            strcat(text, pieces[random_below(sizeof pieces / sizeof *pieces)]);
        }
        both(text, strlen(text));
    }
}

/* Numbers of every length, each with at most one byte made another. */
static void
test_one_byte_wrong(void)
{
    static const char *const signs[] = {"", "+", "-"};
    char text[64];
    for (int i = 0; i < 300000; i++) {
        int left = (int)random_below(3), right = (int)random_below(3),
            count = 1 + (int)random_below(20);
        int length = snprintf(text, 8, "%*s%s", left, "", signs[i % 3]);
        for (int k = 0; k < count; k++) {
            text[length++] = (char)('0' + random_below(10));
        }
        length += snprintf(text + length, 8, "%*s", right, "");
        if (random_below(2) == 0) {
            uint64_t at = random_below((uint32_t)length);
            text[at] = (char)(1 + random_below(255));
        }
        if (random_below(2) == 0) {
            check_int(text, (size_t)length);
        }
        else {
            check_double(text, (size_t)length);
        }
    }
}

/* ---- dates ---- */

static void
write_digits(char *text, int count, int number)
{
    while (count-- > 0) {
        text[count] = (char)('0' + number % 10);
        number /= 10;
    }
}

static void
test_every_date(void)
{
    static bool leap[10000];
    for (int y = 0; y < 10000; y += 4) {
        leap[y] = true;
    }
    for (int y = 0; y < 10000; y += 100) {
        leap[y] = y % 400 == 0;
    }
    static const int last[] = {0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31, 0};
    char text[] = "YYYY-MM-DD";
    for (int y = 0; y < 10000; y++) {
        write_digits(text, 4, y);
        for (int m = 0; m <= 13; m++) {
            write_digits(text + 5, 2, m);
            int days = last[m] + (m == 2 && leap[y]);
            for (int d = 0; d <= 32; d++) {
                number_date_value value = {-1, -1, -1};
                write_digits(text + 8, 2, d);
                bool expected = y > 0 && d > 0 && d <= days;
                number_status status = number_date(exact_copy(text, 10), 10, &value);
                bool same = expected
                                ? value.year == y && value.month == m && value.day == d
                                : value.year == -1 && value.month == -1 && value.day == -1;
                checked++;
                if ((status == NUMBER_OK) != expected || !same) {
                    fail("number_date", text, 10);
                }
            }
        }
    }
}

static bool
same_moment(const number_datetime_value *a, const number_datetime_value *b)
{
    return a->date.year == b->date.year && a->date.month == b->date.month &&
           a->date.day == b->date.day && a->hour == b->hour && a->minute == b->minute &&
           a->second == b->second && a->microsecond == b->microsecond;
}

static void
check_datetime(const char *text, size_t length, const number_datetime_value *expected)
{
    const number_datetime_value untouched = {{-1, -1, -1}, -1, -1, -1, -1};
    number_datetime_value value = untouched;
    number_status status = number_datetime(exact_copy(text, length), length, &value);
    checked++;
    if ((status == NUMBER_OK) != (expected != NULL) ||
        !same_moment(&value, expected != NULL ? expected : &untouched)) {
        fail("number_datetime", text, length);
    }
}

static void
test_every_time(void)
{
    static const size_t taken[] = {16, 19, 23, 26};
    char text[] = "2024-02-29Thh:mm:ss.ffffff";
    for (int h = 0; h < 26; h++) {
        for (int m = 0; m < 62; m++) {
            for (int s = 0; s < 62; s++) {
                int micro = (int)random_below(1000000);
                text[10] = random_below(2) == 0 ? 'T' : ' ';
                write_digits(text + 11, 2, h);
                write_digits(text + 14, 2, m);
                write_digits(text + 17, 2, s);
                write_digits(text + 20, 6, micro);
                size_t length = taken[random_below(4)];
                number_datetime_value value = {{2024, 2, 29}, h, m, s, micro};
                if (length < 26) {
                    value.microsecond = length == 23 ? micro / 1000 * 1000 : 0;
                }
                if (length < 19) {
                    value.second = 0;
                }
                bool expected = h < 24 && m < 60 && (length < 19 || s < 60);
                check_datetime(text, length, expected ? &value : NULL);
            }
        }
    }
}

/* Each byte of a date and of a datetime made every other byte, and every length
   that is not a spelling. */
static void
test_wrong_moments(void)
{
    static const char *const whole = "2011-11-11T11:11:11.111111";
    char text[40];
    for (size_t length = 0; length <= 26; length++) {
        bool taken = length == 16 || length == 19 || length == 23 || length == 26;
        number_date_value date;
        if ((number_date(exact_copy(whole, length), length, &date) == NUMBER_OK) !=
            (length == 10)) {
            fail("number_date", whole, length);
        }
        if (!taken) {
            check_datetime(whole, length, NULL);
            continue;
        }
        for (size_t at = 0; at < length; at++) {
            for (int c = 0; c < 256; c++) {
                memcpy(text, whole, 27);
                text[at] = (char)c;
                bool digit = whole[at] == '1' || whole[at] == '2' || whole[at] == '0';
                bool legal =
                    digit ? c >= '0' && c <= '9' : c == whole[at] || (at == 10 && c == ' ');
                if (digit && legal) {
                    continue; /* the tests above */
                }
                if (legal) {
                    number_datetime_value value = {{2011, 11, 11},
                                                   11,
                                                   11,
                                                   length < 19 ? 0 : 11,
                                                   length < 23    ? 0
                                                   : length == 23 ? 111000
                                                                  : 111111};
                    check_datetime(text, length, &value);
                }
                else {
                    check_datetime(text, length, NULL);
                    if (at < 10 && number_date(exact_copy(text, 10), 10, &date) == NUMBER_OK) {
                        fail("number_date", text, 10);
                    }
                }
            }
        }
    }
    static const char *const others[] = {"2024-02-29T12:30Z",
                                         "2024-02-29T12:30:00Z",
                                         "2024-02-29T12:30+01:00",
                                         "2024-W09-4",
                                         "2024-W09-4T12:30",
                                         "20240229",
                                         "20240229T123000",
                                         "2024-02-29T1230",
                                         "2024-02-29T12",
                                         "2024-02-29T12:30:00,123",
                                         "2024-02-29T12:30:00.1",
                                         "2024-02-29T12:30:00.1234",
                                         "2024-02-29T12:30:00.1234567",
                                         "2024-02-29t12:30",
                                         "2023-02-29T12:30",
                                         "1900-02-29T00:00",
                                         "2024-02-29T24:00",
                                         " 2024-02-29T12:30",
                                         "2024-02-29T12:30 ",
                                         "2024-02-29  12:30"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        check_datetime(others[i], strlen(others[i]), NULL);
    }
}

/* ---- bool ---- */

static int
model_bool(const char *text, size_t length)
{
    static const char *const words[] = {"false", "f", "no", "0", "true", "t", "yes", "1"};
    char lower[8] = "";
    for (size_t i = 0; i < length; i++) {
        bool upper = text[i] >= 'A' && text[i] <= 'Z';
        lower[i] = upper ? (char)(text[i] - 'A' + 'a') : text[i];
    }
    for (int i = 0; i < 8; i++) {
        if (length == strlen(words[i]) && memcmp(lower, words[i], length) == 0) {
            return i >= 4;
        }
    }
    return -1;
}

static void
check_bool(const char *text, size_t length)
{
    int expected = model_bool(text, length);
    for (int before = 0; before < 2; before++) {
        bool value = before != 0;
        number_status status = number_bool(exact_copy(text, length), length, &value);
        checked++;
        if ((status == NUMBER_OK) != (expected >= 0) ||
            value != (expected >= 0 ? expected != 0 : before != 0)) {
            fail("number_bool", text, length);
        }
    }
}

static void
test_bools(void)
{
    static const char *const words[] = {"false", "f", "no", "0", "true", "t", "yes", "1"};
    char text[8];
    check_bool("", 0);
    for (int a = 0; a < 256; a++) {
        for (int b = 0; b < 256; b++) {
            text[0] = (char)a;
            text[1] = (char)b;
            check_bool(text, 1 + (b > 0));
        }
    }
    for (int i = 0; i < 100000; i++) {
        const char *word = words[random_below(8)];
        size_t length = strlen(word);
        for (size_t k = 0; k < length; k++) {
            bool other = word[k] >= 'a' && random_below(2) == 0;
            text[k] = other ? (char)(word[k] - 'a' + 'A') : word[k];
        }
        if (random_below(2) == 0) {
            uint64_t at = random_below((uint32_t)length);
            text[at] ^= (char)(1 << random_below(8));
        }
        text[length] = ' ';
        check_bool(text, length + (random_below(8) == 0));
    }
}

int
main(void)
{
    test_random_doubles();
    test_halfway();
    test_rounding_modes();
    test_powers();
    test_written_out();
    test_made_of_pieces();
    test_one_byte_wrong();
    test_every_date();
    test_every_time();
    test_wrong_moments();
    test_bools();
    for (size_t i = 0; i <= LONGEST; i++) {
        free(blocks[i]);
    }
    printf("%lu spellings, %lu of them left to the caller though well spelled, %lu wrong\n",
           checked, uncertain, failures);
    return failures != 0;
}
