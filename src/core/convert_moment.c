/* strptime() makes a regular expression of its format.  Each directive of it prefers two
 * digits to one.  Here, two digits are taken where there are two, else one, and nothing is
 * taken back.  So a text that is accepted is matched as the regular expression matches it
 * first.  Whatever is not accepted is left to strptime().
 */
#include "core/convert_moment.h"

#include <string.h>

#include "core/digits.h"

/* ---- formats ---- */

typedef struct {
    bool date, time; /* such a part is named */
    bool names;      /* of a month, or AM and PM */
    bool zone;
    unsigned seen; /* a bit for each directive */
} format_parts;

/* The directive of a letter, or CONVERT_LITERAL if it is not read here. */
static convert_directive
directive_of(uint8_t letter)
{
    switch (letter) {
    case 'd':
        return CONVERT_DAY;
    case 'm':
        return CONVERT_MONTH;
    case 'Y':
        return CONVERT_YEAR;
    case 'y':
        return CONVERT_YEAR_2;
    case 'H':
        return CONVERT_HOUR;
    case 'I':
        return CONVERT_HOUR_12;
    case 'M':
        return CONVERT_MINUTE;
    case 'S':
        return CONVERT_SECOND;
    case 'f':
        return CONVERT_FRACTION;
    case 'p':
        return CONVERT_HALF;
    case 'B':
        return CONVERT_MONTH_NAME;
    case 'b':
        return CONVERT_MONTH_SHORT;
    default:
        return CONVERT_LITERAL;
    }
}

static void
note_part(format_parts *parts, uint8_t letter, convert_directive directive)
{
    parts->date |= strchr("aAwdbBmyYjUWGuVxcDFe", letter) != NULL;
    parts->time |= strchr("HIpMSfzZXcTRr", letter) != NULL;
    parts->names |= directive >= CONVERT_HALF;
    parts->zone |= letter == 'z';
    parts->seen |= 1u << directive;
}

static bool
add_step(convert_rule *rule, convert_directive directive, const uint8_t *bytes, size_t length)
{
    if (rule->step_count == CONVERT_STEPS) {
        return false;
    }
    rule->steps[rule->step_count++] = (convert_step){directive, bytes, length};
    return true;
}

/* Add what the format begins with.  The bytes that it has, or 0 if it is not read here. */
static size_t
read_step(convert_rule *rule, format_parts *parts, const uint8_t *p, size_t length)
{
    if (*p != '%') {
        size_t count = 0;
        while (count < length && p[count] != '%') {
            /* Whitespace stands for any, and is compared if it is one space. */
            const bool space = is_space(p[count]) || (p[count] >= 0x1C && p[count] <= 0x1F);
            if (space && (p[count] != ' ' || (count + 1 < length && p[count + 1] == ' '))) {
                return 0;
            }
            count++;
        }
        return add_step(rule, CONVERT_LITERAL, p, count) ? count : 0;
    }
    if (length >= 2 && p[1] == '%') {
        return add_step(rule, CONVERT_LITERAL, p, 1) ? 2 : 0;
    }
    const convert_directive directive = length < 2 ? CONVERT_LITERAL : directive_of(p[1]);
    if (directive == CONVERT_LITERAL || (parts->seen & 1u << directive) != 0) {
        return 0;
    }
    note_part(parts, p[1], directive);
    return add_step(rule, directive, NULL, 0) ? 2 : 0;
}

/* Note the parts that a format names from here on. */
static void
note_rest(format_parts *parts, const uint8_t *p, size_t length)
{
    for (size_t i = 0; i + 1 < length; i++) {
        if (p[i] == '%' && p[++i] != '%' && p[i] != '\0') {
            note_part(parts, p[i], CONVERT_LITERAL);
        }
    }
}

/* Whether the directives that were seen are read here together. */
static bool
go_together(unsigned seen)
{
#define SEEN(directive) ((seen >> (directive)) & 1)
    return SEEN(CONVERT_YEAR) + SEEN(CONVERT_YEAR_2) < 2 &&
           SEEN(CONVERT_MONTH) + SEEN(CONVERT_MONTH_NAME) + SEEN(CONVERT_MONTH_SHORT) < 2 &&
           SEEN(CONVERT_HOUR_12) == SEEN(CONVERT_HALF) &&
           SEEN(CONVERT_HOUR) + SEEN(CONVERT_HOUR_12) < 2;
#undef SEEN
}

bool
convert_read_format(convert_rule *rule, const uint8_t *format, size_t length, bool english)
{
    format_parts parts = {false, false, false, false, 0};
    size_t at = 0, count = 0;
    rule->step_count = 0;
    while (at < length && (count = read_step(rule, &parts, format + at, length - at)) > 0) {
        at += count;
    }
    note_rest(&parts, format + at, length - at);
    rule->asks = at < length || (parts.names && !english) || !go_together(parts.seen);
    rule->zoned = parts.zone;
    rule->kind = parts.date && parts.time ? CONVERT_DATETIME
                 : parts.date             ? CONVERT_DATE
                                          : CONVERT_TIME;
    return parts.date || parts.time;
}

/* ---- texts ---- */

typedef struct {
    number_datetime_value value;
    bool afternoon, half; /* of a 12-hour clock */
} moment;

/* Read one or two digits, from `least` to `most`. */
static bool
take_two(span *s, int least, int most, int *number)
{
    const size_t left = (size_t)(s->end - s->at);
    const size_t count = left >= 2 && is_digit(s->at[1]) ? 2 : 1;
    if (left == 0 || !take_number(s->at, count, number)) {
        return false;
    }
    s->at += count;
    return *number >= least && *number <= most;
}

static bool
take_year(span *s, size_t digits, int *year)
{
    if ((size_t)(s->end - s->at) < digits || !take_number(s->at, digits, year)) {
        return false;
    }
    s->at += digits;
    if (digits == 2) {
        *year += *year < 69 ? 2000 : 1900; /* as POSIX has it */
    }
    return true;
}

/* Read one to six digits of a second. */
static bool
take_micro(span *s, int *microsecond)
{
    size_t count = 0;
    *microsecond = 0;
    for (; count < 6 && s->at < s->end && is_digit(*s->at); count++) {
        *microsecond = *microsecond * 10 + (*s->at++ - '0');
    }
    for (size_t i = count; i < 6; i++) {
        *microsecond *= 10;
    }
    return count > 0;
}

/* Read a word, in any case. */
static bool
take_word(span *s, const char *word, size_t length)
{
    if ((size_t)(s->end - s->at) < length) {
        return false;
    }
    for (size_t i = 0; i < length; i++) {
        if ((s->at[i] | 0x20) != word[i]) {
            return false;
        }
    }
    s->at += length;
    return true;
}

static bool
take_month(span *s, bool is_short, int *month)
{
    static const char *const names[] = {"january",   "february", "march",    "april",
                                        "may",       "june",     "july",     "august",
                                        "september", "october",  "november", "december"};
    for (int i = 0; i < 12; i++) {
        if (take_word(s, names[i], is_short ? 3 : strlen(names[i]))) {
            *month = i + 1;
            return true;
        }
    }
    return false;
}

static bool
take_literal(span *s, const convert_step *step)
{
    if ((size_t)(s->end - s->at) < step->length ||
        memcmp(s->at, step->bytes, step->length) != 0) {
        return false;
    }
    s->at += step->length;
    return true;
}

static bool
take_step(span *s, const convert_step *step, moment *m)
{
    number_datetime_value *v = &m->value;
    switch (step->directive) {
    case CONVERT_DAY:
        return take_two(s, 1, 31, &v->date.day);
    case CONVERT_MONTH:
        return take_two(s, 1, 12, &v->date.month);
    case CONVERT_YEAR:
        return take_year(s, 4, &v->date.year);
    case CONVERT_YEAR_2:
        return take_year(s, 2, &v->date.year);
    case CONVERT_HOUR:
        return take_two(s, 0, 23, &v->hour);
    case CONVERT_HOUR_12:
        return take_two(s, 1, 12, &v->hour);
    case CONVERT_MINUTE:
        return take_two(s, 0, 59, &v->minute);
    case CONVERT_SECOND:
        return take_two(s, 0, 59, &v->second);
    case CONVERT_FRACTION:
        return take_micro(s, &v->microsecond);
    case CONVERT_HALF:
        m->half = true;
        m->afternoon = take_word(s, "pm", 2);
        return m->afternoon || take_word(s, "am", 2);
    case CONVERT_MONTH_NAME:
    case CONVERT_MONTH_SHORT:
        return take_month(s, step->directive == CONVERT_MONTH_SHORT, &v->date.month);
    default:
        return take_literal(s, step);
    }
}

static number_status
read_iso(const uint8_t *text, size_t length, moment *m)
{
    int64_t time;
    number_datetime_value *v = &m->value;
    if (number_time(text, length, &time) != NUMBER_OK) {
        return NUMBER_UNSURE;
    }
    v->microsecond = (int)(time % 1000000);
    time /= 1000000;
    v->second = (int)(time % 60);
    v->minute = (int)(time / 60 % 60);
    v->hour = (int)(time / 3600);
    return NUMBER_OK;
}

number_status
convert_moment(const convert_rule *rule, const uint8_t *text, size_t length,
               number_datetime_value *value)
{
    moment m = {.value = {.date = {1900, 1, 1}}};
    convert_strip(&text, &length);
    if (rule->asks || (rule->iso && read_iso(text, length, &m) != NUMBER_OK)) {
        return NUMBER_UNSURE;
    }
    span s = {text, rule->iso ? text : text + length};
    for (int i = 0; i < rule->step_count; i++) {
        if (!take_step(&s, &rule->steps[i], &m)) {
            return NUMBER_UNSURE;
        }
    }
    if (s.at != s.end || !number_is_date(&m.value.date)) {
        return NUMBER_UNSURE;
    }
    if (m.half) {
        m.value.hour = m.value.hour % 12 + (m.afternoon ? 12 : 0);
    }
    *value = m.value;
    return NUMBER_OK;
}
