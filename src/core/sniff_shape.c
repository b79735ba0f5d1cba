/* Reads numbers, dates and times without their values: see sniff_shape.h. */
#include "core/sniff_shape.h"

#include <stdbool.h>

#include "core/digits.h"
#include "core/sniff_bits.h"

#define DIGIT_COST (SNIFF_BIT * 10 / 3)
#define POINT_COST SNIFF_BIT
/* A comma is more often a delimiter than a mark within a number. */
#define COMMA_COST (4 * SNIFF_BIT)
#define DATE_COST (15 * SNIFF_BIT)
#define TIME_COST (11 * SNIFF_BIT)
#define SECONDS_COST (6 * SNIFF_BIT)

static size_t
take_digits(span *s)
{
    const uint8_t *start = s->at;
    while (s->at < s->end && is_digit(*s->at)) {
        s->at++;
    }
    return (size_t)(s->at - start);
}

static bool
take_char(span *s, uint8_t c)
{
    if (s->at < s->end && *s->at == c) {
        s->at++;
        return true;
    }
    return false;
}

static void
take_blanks(span *s)
{
    while (take_char(s, ' ')) {
    }
}

/* ---- dates and times ---- */

/* Three groups of digits with the same mark between them, one of them a year. */
static bool
take_date(span *s, uint32_t *cost)
{
    span t = *s;
    const size_t first = take_digits(&t);
    if (first == 0 || first > 4 || first == 3 || t.at == t.end) {
        return false;
    }
    const uint8_t mark = *t.at++;
    if (mark != '-' && mark != '/' && mark != '.') {
        return false;
    }
    const size_t second = take_digits(&t);
    if (second == 0 || second > 2 || !take_char(&t, mark)) {
        return false;
    }
    const size_t third = take_digits(&t);
    if (first == 4 ? third == 0 || third > 2 : third != 2 && third != 4) {
        return false;
    }
    *s = t;
    *cost += DATE_COST;
    return true;
}

static void
take_half(span *s) /* AM, PM */
{
    span t = *s;
    take_blanks(&t);
    if (t.end - t.at >= 2 && ((t.at[0] | 32) == 'a' || (t.at[0] | 32) == 'p') &&
        (t.at[1] | 32) == 'm') {
        t.at += 2;
        *s = t;
    }
}

/* H:MM, with seconds and a fraction of them, and AM or PM. */
static bool
take_time(span *s, uint32_t *cost)
{
    span t = *s;
    const size_t hours = take_digits(&t);
    if (hours == 0 || hours > 2 || !take_char(&t, ':') || take_digits(&t) != 2) {
        return false;
    }
    *cost += TIME_COST;
    if (take_char(&t, ':')) {
        if (take_digits(&t) != 2) {
            return false;
        }
        *cost += SECONDS_COST;
        if (t.end - t.at >= 2 && (*t.at == '.' || *t.at == ',') && is_digit(t.at[1])) {
            *cost += *t.at++ == ',' ? COMMA_COST : POINT_COST;
            *cost += (uint32_t)take_digits(&t) * DIGIT_COST;
        }
    }
    *s = t;
    take_half(s);
    return true;
}

/* 'Z', +HH:MM, or nothing. */
static bool
take_zone(span *s)
{
    take_blanks(s);
    if (s->at == s->end || (s->end - s->at == 1 && (*s->at == 'Z' || *s->at == 'z'))) {
        return true;
    }
    if (s->end - s->at == 3 && s->at[0] == 'U' && s->at[1] == 'T' && s->at[2] == 'C') {
        return true;
    }
    if (!take_char(s, '+') && !take_char(s, '-')) {
        return false;
    }
    const size_t hours = take_digits(s);
    take_char(s, ':');
    const size_t minutes = take_digits(s);
    return s->at == s->end && (hours == 4 ? minutes == 0 : hours == 2 && minutes != 1);
}

static sniff_type
moment(span s, uint32_t *cost)
{
    uint32_t sum = 0;
    sniff_type type = SNIFF_TEXT;
    if (take_date(&s, &sum)) {
        type = SNIFF_DATE;
        if (s.at < s.end) {
            if (!take_char(&s, 'T') && !take_char(&s, ' ')) {
                return SNIFF_TEXT;
            }
            take_blanks(&s);
            type = take_time(&s, &sum) && take_zone(&s) ? SNIFF_DATETIME : SNIFF_TEXT;
        }
    }
    else if (take_time(&s, &sum)) {
        type = take_zone(&s) ? SNIFF_TIME : SNIFF_TEXT;
    }
    *cost = sum;
    return type;
}

/* ---- numbers ---- */

static bool
is_unit(uint8_t c) /* of money, or a share */
{
    return c == '$' || c == SNIFF_HIGH;
}

typedef struct {
    bool plain; /* digits only */
    uint32_t cost;
} number_look;

/* Digits, perhaps in groups of three.  The mark between groups is `group`, or 0. */
static bool
take_whole(span *s, number_look *look, uint8_t *group)
{
    size_t count = take_digits(s);
    look->cost += (uint32_t)count * DIGIT_COST;
    *group = 0;
    bool any = count > 0;
    while (count > 0 && s->end - s->at >= 4) {
        const uint8_t c = *s->at;
        if ((c != ',' && c != '.' && c != '\'' && c != ' ') || (*group != 0 && c != *group) ||
            (*group == 0 && count > 3)) {
            break;
        }
        span t = {s->at + 1, s->end};
        if (take_digits(&t) != 3) {
            break;
        }
        *group = c;
        look->plain = false;
        look->cost += 3 * DIGIT_COST + (c == '.' ? POINT_COST : COMMA_COST);
        *s = t;
    }
    return any;
}

static bool
take_fraction(span *s, number_look *look, uint8_t group)
{
    if (s->at == s->end || (*s->at != '.' && *s->at != ',') || *s->at == group) {
        return false;
    }
    look->plain = false;
    look->cost += *s->at++ == ',' ? COMMA_COST : POINT_COST;
    const size_t count = take_digits(s);
    look->cost += (uint32_t)count * DIGIT_COST;
    return count > 0;
}

static bool
take_power(span *s, number_look *look)
{
    if (s->at == s->end || (*s->at | 32) != 'e') {
        return true;
    }
    s->at++;
    take_sign(s);
    const size_t count = take_digits(s);
    look->plain = false;
    look->cost += SNIFF_BIT + (uint32_t)count * DIGIT_COST;
    return count > 0 && count < 4;
}

static void
take_unit(span *s, number_look *look)
{
    span t = *s;
    take_blanks(&t);
    if (t.at < t.end && (is_unit(*t.at) || *t.at == '%')) {
        t.at++;
        take_blanks(&t);
        look->plain = false;
        look->cost += 2 * SNIFF_BIT;
        *s = t;
    }
}

static sniff_type
number(span s, uint32_t *cost)
{
    number_look look = {.plain = true};
    uint8_t group;
    const bool bracket = take_char(&s, '('); /* as accountants write what is negative */
    if (take_sign(&s)) {
        look.cost += SNIFF_BIT;
    }
    take_unit(&s, &look);
    if (take_sign(&s)) {
        look.cost += SNIFF_BIT;
    }
    const bool whole = take_whole(&s, &look, &group);
    const bool fraction = take_fraction(&s, &look, group);
    if ((!whole && !fraction) || !take_power(&s, &look)) {
        return SNIFF_TEXT;
    }
    take_unit(&s, &look);
    if (bracket && !take_char(&s, ')')) {
        return SNIFF_TEXT;
    }
    *cost = look.cost + (bracket ? 2 * SNIFF_BIT : 0);
    return s.at < s.end ? SNIFF_TEXT : look.plain ? SNIFF_INTEGER : SNIFF_NUMBER;
}

sniff_type
sniff_shape(const uint8_t *text, size_t length, uint32_t *cost)
{
    const span s = {text, text + length};
    const sniff_type type = number(s, cost);
    return type != SNIFF_TEXT ? type : moment(s, cost);
}
