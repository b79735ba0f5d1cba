/* convert.c and convert_moment.c against tables, and on texts of any bytes.
 *
 *     gcc -std=c11 -O2 -Isrc tests/core/convert_test.c src/core/convert*.c src/core/number*.c
 *
 * Each text lies in an allocation of exactly its length, so that under ASan a read beyond it
 * is seen.  What strptime() and float() give is compared in tests/csv/test_convert.py.
 */
#include "core/convert.h"
#include "core/convert_moment.h"

#include "check.h"

#define LONGEST 80

static convert_rule
number_rule(convert_kind kind)
{
    convert_rule rule = {.kind = kind, .precision = 9, .scale = 2};
    rule.decimal = (convert_mark){{','}, 1};
    rule.thousands[0] = (convert_mark){{'.'}, 1};
    rule.thousands[1] = (convert_mark){{0xC2, 0xA0}, 2};
    rule.thousands_count = 2;
    return rule;
}

static convert_rule
format_rule(const char *format)
{
    convert_rule rule = {.kind = CONVERT_DATE};
    CHECK(convert_read_format(&rule, (const uint8_t *)format, strlen(format), true), "%s",
          format);
    return rule;
}

static uint8_t *
exact_copy(const char *text, size_t length)
{
    uint8_t *copy = allocate(length);
    if (length > 0) {
        memcpy(copy, text, length);
    }
    return copy;
}

/* ---- numbers ---- */

static void
check_number(const char *text, const char *plain)
{
    const convert_rule rule = number_rule(CONVERT_NUMBER);
    const size_t length = strlen(text);
    uint8_t *copy = exact_copy(text, length);
    uint8_t *out = allocate(length);
    size_t count = 0;
    number_status status = convert_spell(&rule, copy, length, out, &count);
    CHECK((status == NUMBER_OK) == (plain != NULL), "%s", text);
    if (plain != NULL) {
        CHECK(count == strlen(plain) && memcmp(out, plain, count) == 0, "%s: %.*s", text,
              (int)count, (const char *)out);
    }
    free(copy);
    free(out);
}

static void
check_numbers(void)
{
    static const char *const table[][2] = {
        {"1.234,5", "1234.5"},
        {" -7 ", "-7"},
        {"+1\xC2\xA0"
         "000",
         "+1000"},
        {"12.34.567", "1234567"},
        {"1.234.567e-3", "1234567e-3"},
        {",5", ".5"},
        {"1,", "1."},
        {"NaN", "NaN"},
        {"-Infinity", "-Infinity"},
        {"1.5", NULL},
        {"1.2345", NULL},
        {"1234.567", NULL},
        {"1..234", NULL},
        {".234", NULL},
        {"1.234.", NULL},
        {"", NULL},
        {" ", NULL},
        {"-", NULL},
        {",", NULL},
        {"1e", NULL},
        {"e5", NULL},
        {"1_0", NULL},
        {"infinite", NULL},
        {"123.45.678", NULL},
        {"1 2", NULL},
        {"--1", NULL},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        check_number(table[i][0], table[i][1]);
    }
    const convert_rule whole = number_rule(CONVERT_INTEGER);
    const convert_rule fixed = number_rule(CONVERT_DECIMAL);
    int64_t integer = 0;
    wide decimal = {0, 0};
    CHECK(convert_integer(&whole, (const uint8_t *)"-1.000", 6, &integer) == NUMBER_OK, "int");
    CHECK(integer == -1000, "%lld", (long long)integer);
    CHECK(convert_integer(&whole, (const uint8_t *)"1,0", 3, &integer) != NUMBER_OK, "int");
    CHECK(convert_decimal(&fixed, (const uint8_t *)"1,5", 3, &decimal) == NUMBER_OK &&
              decimal.high == 0 && decimal.low == 150,
          "decimal");
    CHECK(convert_decimal(&fixed, (const uint8_t *)"1,555", 5, &decimal) != NUMBER_OK,
          "scale");
    CHECK(convert_decimal(&fixed, (const uint8_t *)"nan", 3, &decimal) != NUMBER_OK, "nan");
}

/* ---- dates ---- */

static void
check_moment(const char *format, const char *text, int year, int month, int day, int hour,
             int microsecond)
{
    const convert_rule rule = format_rule(format);
    number_datetime_value v = {{0}, 0, 0, 0, 0};
    const size_t length = strlen(text);
    uint8_t *copy = exact_copy(text, length);
    number_status status = convert_moment(&rule, copy, length, &v);
    CHECK((status == NUMBER_OK) == (year > 0), "%s as %s", text, format);
    CHECK(year == 0 || (v.date.year == year && v.date.month == month && v.date.day == day &&
                        v.hour == hour && v.microsecond == microsecond),
          "%s as %s", text, format);
    free(copy);
}

static void
check_moments(void)
{
    check_moment("%d.%m.%Y", "24.12.2026", 2026, 12, 24, 0, 0);
    check_moment("%d.%m.%Y", "1.2.2026", 2026, 2, 1, 0, 0);
    check_moment("%d.%m.%Y", "29.2.2023", 0, 0, 0, 0, 0);
    check_moment("%d.%m.%Y", "1.2.26", 0, 0, 0, 0, 0);
    check_moment("%d.%m.%Y", "1.2.2026x", 0, 0, 0, 0, 0);
    check_moment("%y%m%d", "690102", 1969, 1, 2, 0, 0);
    check_moment("%y%m%d", "680102", 2068, 1, 2, 0, 0);
    check_moment("%I %p", "12 AM", 1900, 1, 1, 0, 0);
    check_moment("%I %p", "12 pm", 1900, 1, 1, 12, 0);
    check_moment("%d-%b-%Y", "03-Mar-2026", 2026, 3, 3, 0, 0);
    check_moment("%B %d", "September 5", 1900, 9, 5, 0, 0);
    check_moment("%H.%f", "5.25", 1900, 1, 1, 5, 250000);
    check_moment("%%%Y", "%2026", 2026, 1, 1, 0, 0);
    CHECK(format_rule("%d  %m").asks && format_rule("%d %d").asks && format_rule("%j").asks &&
              format_rule("%I").asks && format_rule("%H%").asks,
          "left to strptime()");
    CHECK(format_rule("%H:%M").kind == CONVERT_TIME &&
              format_rule("%c").kind == CONVERT_DATETIME,
          "kinds");
    convert_rule none = {.kind = CONVERT_DATE};
    CHECK(!convert_read_format(&none, (const uint8_t *)"%%d", 3, true), "no part");
}

/* ---- any bytes ---- */

static void
check_any_bytes(void)
{
    static const char alphabet[] = "0123456789.,+-eE: \xC2\xA0\xE2\x80\x89nifJAja\xFF\xE3";
    const convert_word words[] = {{(const uint8_t *)"ja", 2, true}};
    convert_rule rules[] = {
        number_rule(CONVERT_NUMBER),         number_rule(CONVERT_INTEGER),
        number_rule(CONVERT_DECIMAL),        format_rule("%d.%m.%Y"),
        format_rule("%H:%M:%S.%f"),          format_rule("%d %b %I%p"),
        {.kind = CONVERT_TIME, .iso = true},
    };
    const convert_rule boolean = {.kind = CONVERT_BOOLEAN, .words = words, .word_count = 1};
    for (int i = 0; i < 300000; i++) {
        const size_t length = random_below(i % 100 == 0 ? LONGEST : 12);
        uint8_t *text = allocate(length), *out = allocate(length);
        for (size_t j = 0; j < length; j++) {
            text[j] = (uint8_t)alphabet[random_below(sizeof alphabet - 1)];
        }
        size_t count, stripped = length;
        const uint8_t *at = text;
        double number;
        int64_t whole;
        wide decimal;
        bool truth;
        number_datetime_value moment;
        convert_strip(&at, &stripped);
        CHECK(at >= text && at + stripped <= text + length, "strip");
        (void)convert_number(&rules[0], text, length, &number);
        (void)convert_integer(&rules[1], text, length, &whole);
        (void)convert_decimal(&rules[2], text, length, &decimal);
        (void)convert_spell(&rules[i % 3], text, length, out, &count);
        (void)convert_moment(&rules[3 + i % 4], text, length, &moment);
        (void)convert_boolean(&boolean, text, length, &truth);
        free(text);
        free(out);
    }
}

int
main(void)
{
    check_numbers();
    check_moments();
    check_any_bytes();
    printf("convert: fine\n");
    return 0;
}
