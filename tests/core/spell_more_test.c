/* spell_time.c, spell_decimal.c and spell_bytes.c: places where calendars and digits end. */
#include "core/spell_bytes.h"
#include "core/spell_decimal.h"
#include "core/spell_time.h"

#include "check.h"

static void
check_text(const char *text, size_t length, const char *expected)
{
    CHECK(length == strlen(expected) && memcmp(text, expected, length) == 0, "%s became %.*s",
          expected, (int)length, text);
}

static void
test_dates(void)
{
    static const struct {
        int64_t days;
        const char *text;
    } dates[] = {
        {-719162, "0001-01-01"}, {-719103, "0001-03-01"}, {-1, "1969-12-31"},
        {0, "1970-01-01"},       {11016, "2000-02-29"},   {11017, "2000-03-01"},
        {47540, "2100-02-28"},   {47541, "2100-03-01"},   {2932896, "9999-12-31"},
    };
    char text[SPELL_TIME_ROOM];
    for (size_t i = 0; i < sizeof dates / sizeof *dates; i++) {
        check_text(text, spell_date(dates[i].days, text), dates[i].text);
    }
    CHECK(spell_date(-719163, text) == 0 && spell_date(2932897, text) == 0,
          "a date that is none was written");
}

/* The calendar day by day. */
static void
test_every_day(void)
{
    static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int64_t days = -719162;
    for (int year = 1; year <= 9999; year++) {
        bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        for (int month = 1; month <= 12; month++) {
            int last = lengths[month - 1] + (month == 2 && leap);
            for (int day = 1; day <= last; day++) {
                char expected[32], text[SPELL_TIME_ROOM];
                snprintf(expected, sizeof expected, "%04d-%02d-%02d", year, month, day);
                check_text(text, spell_date(days++, text), expected);
            }
        }
    }
}

static void
test_times(void)
{
    char text[SPELL_TIME_ROOM];
    spell_moment last = spell_moment_of(-1, 1000000000);
    check_text(text, spell_time(last, text), "23:59:59.999999");
    check_text(text, spell_timestamp(last, true, -3723, text),
               "1969-12-31 22:57:56.999999999-01:02:03");
    check_text(text, spell_pandas_timedelta(last, text), "-1 days +23:59:59.999999999");
    check_text(text, spell_timedelta(last, text), "-1 day, 23:59:59.999999");
    check_text(text, spell_timedelta(spell_moment_of(86400, 1), text), "1 day, 0:00:00");
    check_text(text, spell_timedelta(spell_moment_of(36000, 1), text), "10:00:00");
    CHECK(spell_timedelta(spell_moment_of(INT64_MAX, 1), text) == 0, "it is too long");
    spell_moment end = spell_moment_of(INT64_C(253402300799), 1);
    CHECK(spell_timestamp(end, true, 1, text) == 0, "the year 10000 was written");
    check_text(text, spell_timestamp(end, true, 0, text), "9999-12-31 23:59:59+00:00");
}

static void
test_decimals(void)
{
    static const struct {
        uint32_t number;
        int scale;
        const char *text;
    } decimals[] = {
        {0, 0, "0"},          {0, 3, "0.000"},   {0, -2, "0E+2"},        {0, 10, "0E-10"},
        {123, 2, "1.23"},     {123, 3, "0.123"}, {123, 8, "0.00000123"}, {123, 9, "1.23E-7"},
        {123, -1, "1.23E+3"}, {1, -1, "1E+1"},
    };
    char text[SPELL_DECIMAL_ROOM];
    for (size_t i = 0; i < sizeof decimals / sizeof *decimals; i++) {
        uint32_t words[4] = {decimals[i].number};
        check_text(text, spell_decimal(words, 4, decimals[i].scale, text), decimals[i].text);
    }
    uint32_t least[8] = {0, 0, 0, 0, 0, 0, 0, 0x80000000};
    check_text(text, spell_decimal(least, 8, 0, text),
               "-578960446186580977117854925043439539266349923328202820197287920039565648199"
               "68");
}

static void
test_bytes(void)
{
    char text[64];
    check_text(text, spell_bytes((const uint8_t *)"", 0, text), "b''");
    check_text(text, spell_bytes((const uint8_t *)"it's", 4, text), "b\"it's\"");
    check_text(text, spell_bytes((const uint8_t *)"'\"", 2, text), "b'\\'\"'");
    check_text(text, spell_bytes((const uint8_t *)"\t\n\r\\\0\x7f\xff~", 8, text),
               "b'\\t\\n\\r\\\\\\x00\\x7f\\xff~'");
}

int
main(void)
{
    test_dates();
    test_every_day();
    test_times();
    test_decimals();
    test_bytes();
    return 0;
}
