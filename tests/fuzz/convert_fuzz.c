/* Rules of the user's: what is read of a number is what strtod() and strtoll() say of its
   plain spelling, and a moment that is written by a format is read by it. */
#include "core/convert.h"

#include "core/convert_moment.h"
#include "core/number_decimal.h"
#include "core/utf8.h"

#include <errno.h>
#include <math.h>

#include "fuzz.h"

enum { FORMAT = 24, MOMENT = 200, LONGEST = 160 };

/* ---- numbers ---- */

static convert_rule
number_rule(convert_kind kind, uint8_t choice)
{
    static const convert_mark marks[] = {
        {{','}, 1}, {{'.'}, 1}, {{' '}, 1}, {{0xC2, 0xA0}, 2}, {{0xE2, 0x80, 0xAF}, 3}};
    convert_rule rule = {.kind = kind, .precision = 1 + choice % 38};
    rule.scale = choice / 2 % (rule.precision + 1);
    rule.decimal = marks[choice & 1];
    rule.thousands[0] = marks[1 + (choice & 3)];
    rule.thousands[1] = marks[4];
    rule.thousands_count = choice >> 6;
    rule.thousands_count -= rule.thousands_count > 2;
    if (memcmp(&rule.thousands[0], &rule.decimal, sizeof rule.decimal) == 0) {
        rule.thousands_count = 0;
    }
    return rule;
}

/* The digits of the text, in their order, are those of the plain spelling. */
static void
check_digits(const uint8_t *text, size_t length, const char *plain, size_t count)
{
    size_t at = 0;
    for (size_t i = 0; i < length; i++) {
        if (text[i] >= '0' && text[i] <= '9') {
            while (at < count && (plain[at] < '0' || plain[at] > '9')) {
                at++;
            }
            CHECK(at < count && plain[at++] == (char)text[i]);
        }
    }
    CHECK(strcspn(plain + at, "0123456789") == count - at);
}

static void
check_number(const convert_rule *rule, const uint8_t *text, size_t length)
{
    char plain[LONGEST + 1], *end;
    size_t count = 0;
    uint8_t *out = allocate(length);
    const bool is = convert_spell(rule, text, length, out, &count) == NUMBER_OK;
    double real = 0;
    int64_t whole = 0;
    wide fixed = {0, 0}, expected = {0, 0};
    if (is) {
        CHECK(count <= length && count < sizeof plain);
        memcpy(plain, out, count);
        plain[count] = '\0';
        check_digits(text, length, plain, count);
    }
    free(out);
    if (rule->kind == CONVERT_NUMBER &&
        convert_number(rule, text, length, &real) == NUMBER_OK) {
        CHECK(is);
        const double by_libc = strtod(plain, &end);
        CHECK(end == plain + count && memcmp(&by_libc, &real, sizeof real) == 0);
    }
    if (rule->kind == CONVERT_INTEGER &&
        convert_integer(rule, text, length, &whole) == NUMBER_OK) {
        errno = 0;
        CHECK(is && strtoll(plain, &end, 10) == whole && errno == 0 && end == plain + count);
    }
    if (rule->kind == CONVERT_DECIMAL &&
        convert_decimal(rule, text, length, &fixed) == NUMBER_OK) {
        CHECK(is && number_decimal((const uint8_t *)plain, count, rule->precision, rule->scale,
                                   &expected) == NUMBER_OK);
        CHECK(fixed.high == expected.high && fixed.low == expected.low);
    }
}

/* ---- moments ---- */

/* Spell a moment by the steps of a rule.  Numbers have one digit where one is enough, unless
   another digit may follow. */
static size_t
spell_moment_by(const convert_rule *rule, const number_datetime_value *v, char *out)
{
    static const char *const months[] = {"January",   "February", "March",    "April",
                                         "May",       "June",     "July",     "August",
                                         "September", "October",  "November", "December"};
    size_t at = 0;
    for (int i = 0; i < rule->step_count; i++) {
        const convert_step *step = &rule->steps[i];
        const int hour = v->hour % 12 == 0 ? 12 : v->hour % 12;
        char *to = out + at;
        const size_t left = MOMENT - at;
        switch (step->directive) {
        case CONVERT_DAY:
            at += (size_t)snprintf(to, left, "%02d", v->date.day);
            break;
        case CONVERT_MONTH:
            at += (size_t)snprintf(to, left, "%02d", v->date.month);
            break;
        case CONVERT_YEAR:
            at += (size_t)snprintf(to, left, "%04d", v->date.year);
            break;
        case CONVERT_YEAR_2:
            at += (size_t)snprintf(to, left, "%02d", v->date.year % 100);
            break;
        case CONVERT_HOUR:
            at += (size_t)snprintf(to, left, "%02d", v->hour);
            break;
        case CONVERT_HOUR_12:
            at += (size_t)snprintf(to, left, "%02d", hour);
            break;
        case CONVERT_MINUTE:
            at += (size_t)snprintf(to, left, "%02d", v->minute);
            break;
        case CONVERT_SECOND:
            at += (size_t)snprintf(to, left, "%02d", v->second);
            break;
        case CONVERT_FRACTION:
            at += (size_t)snprintf(to, left, "%06d", v->microsecond);
            break;
        case CONVERT_HALF:
            at += (size_t)snprintf(to, left, "%s", v->hour < 12 ? "am" : "PM");
            break;
        case CONVERT_MONTH_NAME:
            at += (size_t)snprintf(to, left, "%s", months[v->date.month - 1]);
            break;
        case CONVERT_MONTH_SHORT:
            at += (size_t)snprintf(to, left, "%.3s", months[v->date.month - 1]);
            break;
        default:
            memcpy(to, step->bytes, step->length);
            at += step->length;
        }
    }
    return at;
}

static bool
names(const convert_rule *rule, convert_directive directive)
{
    for (int i = 0; i < rule->step_count; i++) {
        if (rule->steps[i].directive == directive) {
            return true;
        }
    }
    return false;
}

/* What is read has the parts that the format names, and the rest of 1900-01-01 00:00. */
static void
check_moment(const convert_rule *rule, const number_datetime_value *v)
{
    char spelled[MOMENT + 64];
    number_datetime_value found;
    const uint8_t *text = (const uint8_t *)spelled;
    size_t length = spell_moment_by(rule, v, spelled), stripped = length;
    convert_strip(&text, &stripped);
    uint8_t *copy = copy_of(spelled, length);
    const bool is = convert_moment(rule, copy, length, &found) == NUMBER_OK;
    free(copy);
    if (stripped != length) { /* the format has whitespace around */
        return;
    }
    const bool year = names(rule, CONVERT_YEAR), year_2 = names(rule, CONVERT_YEAR_2);
    const bool month = names(rule, CONVERT_MONTH) || names(rule, CONVERT_MONTH_NAME) ||
                       names(rule, CONVERT_MONTH_SHORT);
    const bool hour = names(rule, CONVERT_HOUR) || names(rule, CONVERT_HOUR_12);
    const number_date_value date = {
        year     ? v->date.year
        : year_2 ? v->date.year % 100 + (v->date.year % 100 < 69 ? 2000 : 1900)
                 : 1900,
        month ? v->date.month : 1, names(rule, CONVERT_DAY) ? v->date.day : 1};
    CHECK(is == number_is_date(&date));
    if (is) {
        CHECK(memcmp(&found.date, &date, sizeof date) == 0);
        CHECK(found.hour == (hour ? v->hour : 0));
        CHECK(found.minute == (names(rule, CONVERT_MINUTE) ? v->minute : 0));
        CHECK(found.second == (names(rule, CONVERT_SECOND) ? v->second : 0));
        CHECK(found.microsecond == (names(rule, CONVERT_FRACTION) ? v->microsecond : 0));
    }
}

static void
check_format(input *in)
{
    const number_datetime_value moment = {
        {1 + (next_byte(in) << 8 | next_byte(in)) % 9999, 1 + next_byte(in) % 12,
         1 + next_byte(in) % 31},
        next_byte(in) % 24,
        next_byte(in) % 60,
        next_byte(in) % 60,
        (next_byte(in) << 12 | next_byte(in)) % 1000000,
    };
    convert_rule rule = {.kind = CONVERT_DATE};
    number_datetime_value found;
    const size_t length = in->count < FORMAT ? in->count : FORMAT;
    size_t kept = length; /* without blanks at the end */
    while (kept > 0 && in->bytes[kept - 1] == ' ') {
        kept--;
    }
    uint8_t *format = copy_of(in->bytes, kept);
    uint8_t *text = copy_of(in->bytes + length, in->count - length);
    if (utf8_valid_prefix(format, kept) == kept &&
        convert_read_format(&rule, format, kept, true) && !rule.asks) {
        check_moment(&rule, &moment);
    }
    if (convert_moment(&rule, text, in->count - length, &found) == NUMBER_OK) {
        CHECK(!rule.asks && number_is_date(&found.date));
        CHECK(found.hour >= 0 && found.hour < 24 && found.minute >= 0 && found.minute < 60);
        CHECK(found.second >= 0 && found.second < 60);
        CHECK(found.microsecond >= 0 && found.microsecond < 1000000);
    }
    free(format);
    free(text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    input in = {data, size};
    const uint8_t kind = next_byte(&in), choice = next_byte(&in);
    if (in.count > LONGEST) {
        return 0;
    }
    if (kind % 4 == 3) {
        check_format(&in);
        return 0;
    }
    static const convert_kind kinds[] = {CONVERT_NUMBER, CONVERT_INTEGER, CONVERT_DECIMAL};
    const convert_rule rule = number_rule(kinds[kind % 4], choice);
    const size_t length = utf8_valid_prefix(in.bytes, in.count);
    uint8_t *text = copy_of(in.bytes, length);
    if (memchr(text, 0, length) == NULL) {
        check_number(&rule, text, length);
    }
    free(text);
    return 0;
}
