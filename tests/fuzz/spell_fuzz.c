/* What is spelled is read again as the same value, by libc or by core/number.h; a float in as
   few digits as there can be. */
#include "core/spell.h"

#include "core/number_decimal.h"
#include "core/number_moment.h"
#include "core/spell_bytes.h"
#include "core/spell_decimal.h"
#include "core/spell_time.h"

#include <math.h>

#include "fuzz.h"

static int
digits_of(const char *text)
{
    int count = 0, zeros = 0;
    for (; *text != '\0' && *text != 'e'; text++) {
        if (*text >= '0' && *text <= '9' && (count > 0 || *text != '0')) {
            count++;
            zeros = *text == '0' ? zeros + 1 : 0;
        }
    }
    return count - zeros; /* without those at the end */
}

static void
check_double(double number)
{
    char text[SPELL_ROOM + 1], shorter[64];
    const size_t length = spell_double(number, text);
    if (length == 0) {
        CHECK(!(fabs(number) >= 1e-40 && fabs(number) <= 1e40));
        return;
    }
    text[length] = '\0';
    const double again = strtod(text, NULL);
    CHECK(memcmp(&again, &number, sizeof number) == 0);
    const int digits = digits_of(text);
    if (digits > 1) {
        snprintf(shorter, sizeof shorter, "%.*e", digits - 2, number);
        CHECK(strtod(shorter, NULL) != number);
    }
}

static void
check_ints(int64_t number)
{
    char text[SPELL_ROOM + 1], expected[64];
    text[spell_int(number, text)] = '\0';
    snprintf(expected, sizeof expected, "%lld", (long long)number);
    CHECK(strcmp(text, expected) == 0);
    text[spell_unsigned((uint64_t)number, text)] = '\0';
    snprintf(expected, sizeof expected, "%llu", (unsigned long long)number);
    CHECK(strcmp(text, expected) == 0);
}

/* A decimal of two words is within what is read of 38 digits. */
static void
check_decimal(int64_t number, int scale)
{
    char text[SPELL_DECIMAL_ROOM];
    wide read;
    const uint32_t words[2] = {(uint32_t)number, (uint32_t)((uint64_t)number >> 32)};
    const size_t length = spell_decimal(words, 2, scale, text);
    CHECK(length < sizeof text);
    CHECK(number_decimal((const uint8_t *)text, length, 38, scale, &read) == NUMBER_OK);
    CHECK(read.low == (uint64_t)number && read.high == (number < 0 ? UINT64_MAX : 0));
}

static void
check_moments(int64_t count, int offset)
{
    char text[SPELL_TIME_ROOM];
    number_date_value date;
    number_timestamp_value read;
    const int64_t days = count % 4000000;
    size_t length = spell_date(days, text);
    if (length > 0) {
        CHECK(number_date((const uint8_t *)text, length, &date) == NUMBER_OK);
        CHECK(number_days(&date) == days);
    }
    const spell_moment moment = spell_moment_of(count, 1000000);
    CHECK(moment.nanoseconds < 1000000000);
    CHECK((uint64_t)moment.seconds * 1000000 + moment.nanoseconds / 1000 == (uint64_t)count);
    length = spell_timestamp(moment, true, offset * 60, text);
    if (length > 0) {
        CHECK(number_timestamp((const uint8_t *)text, length, &read) == NUMBER_OK);
        CHECK(read.zoned && read.seconds == moment.seconds);
        CHECK((uint32_t)read.nanosecond == moment.nanoseconds);
    }
    CHECK(spell_timedelta(moment, text) < sizeof text);
    CHECK(spell_pandas_timedelta(moment, text) < sizeof text);
    CHECK(spell_time(moment, text) >= 8);
}

/* Each byte is itself or escaped, between quotes. */
static void
check_bytes(const uint8_t *bytes, size_t count)
{
    char *text = allocate(4 * count + 3);
    const size_t length = spell_bytes(bytes, count, text);
    size_t at = 2;
    CHECK(length >= 3 && text[0] == 'b' && text[1] == text[length - 1]);
    for (size_t i = 0; i < count; i++) {
        unsigned byte = (uint8_t)text[at++];
        if (byte == '\\') {
            const char kind = text[at++];
            byte = kind == 't'   ? '\t'
                   : kind == 'n' ? '\n'
                   : kind == 'r' ? '\r'
                                 : (uint8_t)kind;
            if (kind == 'x') {
                const char hex[3] = {text[at], text[at + 1], '\0'};
                byte = (unsigned)strtoul(hex, NULL, 16);
                at += 2;
            }
        }
        else {
            CHECK(byte >= ' ' && byte < 0x7F && (char)byte != text[1]);
        }
        CHECK(byte == bytes[i]);
    }
    CHECK(at + 1 == length);
    free(text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    input in = {data, size};
    const int choice = next_byte(&in);
    int64_t number = 0;
    double real;
    if (in.count > 64) {
        return 0;
    }
    memcpy(&number, in.bytes, in.count < sizeof number ? in.count : sizeof number);
    memcpy(&real, &number, sizeof real);
    check_double(real);
    check_double((double)number / 1000);
    check_ints(number);
    check_decimal(number, choice % 40 - 20);
    check_moments(number, (choice - 128) * 11);
    check_moments(number % INT64_C(100000000000000000), choice - 128);
    check_bytes(in.bytes, in.count);
    return 0;
}
