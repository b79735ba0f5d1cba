/* A number is written anew as float() and int() take it, on the stack, and read by number.h.
 */
#include "core/convert.h"

#include <string.h>

#include "core/digits.h"
#include "core/number.h"
#include "core/number_decimal.h"

#define LONGEST 64 /* bytes of a number that is read here; a longer one is rare */

/* ---- whitespace ---- */

/* The bytes of the whitespace that the text begins with, or 0. */
static size_t
space_at(const uint8_t *p, size_t length)
{
    if (is_space(*p) || (*p >= 0x1C && *p <= 0x1F)) {
        return 1;
    }
    if (length >= 2 && *p == 0xC2) { /* U+0085, U+00A0 */
        return p[1] == 0x85 || p[1] == 0xA0 ? 2 : 0;
    }
    if (length < 3 || *p < 0xE1 || *p > 0xE3) {
        return 0;
    }
    const bool is = (p[0] == 0xE1 && p[1] == 0x9A && p[2] == 0x80) || /* U+1680 */
                    (p[0] == 0xE2 && p[1] == 0x80 && /* U+2000 to U+200A and others */
                     (p[2] <= 0x8A || p[2] == 0xA8 || p[2] == 0xA9 || p[2] == 0xAF)) ||
                    (p[0] == 0xE2 && p[1] == 0x81 && p[2] == 0x9F) || /* U+205F */
                    (p[0] == 0xE3 && p[1] == 0x80 && p[2] == 0x80);   /* U+3000 */
    return is ? 3 : 0;
}

/* The bytes of the whitespace that the text ends with, or 0. */
static size_t
space_before(const uint8_t *end, size_t length)
{
    for (size_t count = 1; count <= 3 && count <= length; count++) {
        if (space_at(end - count, count) == count) {
            return count;
        }
    }
    return 0;
}

void
convert_strip(const uint8_t **text, size_t *length)
{
    size_t count;
    while (*length > 0 && (count = space_at(*text, *length)) > 0) {
        *text += count;
        *length -= count;
    }
    while (*length > 0 && (count = space_before(*text + *length, *length)) > 0) {
        *length -= count;
    }
}

/* ---- numbers ---- */

typedef struct {
    const uint8_t *at;
    const uint8_t *end;
    uint8_t *to;
} speller;

static inline size_t
copy_digits(speller *s)
{
    const uint8_t *start = s->at;
    while (s->at < s->end && is_digit(*s->at)) {
        *s->to++ = *s->at++;
    }
    return (size_t)(s->at - start);
}

static inline void
copy_sign(speller *s)
{
    if (s->at < s->end && (*s->at == '-' || *s->at == '+')) {
        *s->to++ = *s->at++;
    }
}

/* Pass over a mark, if it is there. */
static inline bool
take_mark(speller *s, const convert_mark *mark)
{
    const size_t left = (size_t)(s->end - s->at);
    if (mark->length == 0 || left < mark->length || *s->at != mark->bytes[0] ||
        memcmp(s->at, mark->bytes, mark->length) != 0) {
        return false;
    }
    s->at += mark->length;
    return true;
}

static inline bool
take_thousands(const convert_rule *rule, speller *s)
{
    for (int i = 0; i < rule->thousands_count; i++) {
        if (take_mark(s, &rule->thousands[i])) {
            return true;
        }
    }
    return false;
}

/* Copy digits that may be grouped.  False if the groups are wrong. */
static bool
copy_whole(const convert_rule *rule, speller *s, size_t *count)
{
    const size_t first = copy_digits(s);
    size_t last = 0;
    bool grouped = false, threes = true, twos = true;
    *count = first;
    while (take_thousands(rule, s)) {
        twos = twos && (!grouped || last == 2);
        last = copy_digits(s);
        threes = threes && last == 3;
        grouped = true;
        *count += last;
    }
    return !grouped ||
           (first > 0 && ((first <= 3 && threes) || (first <= 2 && twos && last == 3)));
}

static bool
spells_special(const speller *s)
{
    static const char *const words[] = {"nan", "inf", "infinity"};
    const size_t left = (size_t)(s->end - s->at);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        size_t j = 0;
        while (j < left && words[i][j] != '\0' && (s->at[j] | 0x20) == words[i][j]) {
            j++;
        }
        if (j == left && words[i][j] == '\0') {
            return true;
        }
    }
    return false;
}

/* Copy what an integer has not: the fraction and the exponent.  False if it is wrong. */
static bool
copy_rest(const convert_rule *rule, speller *s, size_t count)
{
    if (take_mark(s, &rule->decimal)) {
        *s->to++ = '.';
        count += copy_digits(s);
    }
    if (count > 0 && s->at < s->end && (*s->at | 0x20) == 'e') {
        *s->to++ = *s->at++;
        copy_sign(s);
        return copy_digits(s) > 0;
    }
    return count > 0;
}

number_status
convert_spell(const convert_rule *rule, const uint8_t *text, size_t length, uint8_t *out,
              size_t *count)
{
    size_t digits;
    convert_strip(&text, &length);
    speller s = {text, text + length, out};
    copy_sign(&s);
    if (rule->kind == CONVERT_NUMBER && s.at < s.end && spells_special(&s)) {
        memcpy(s.to, s.at, (size_t)(s.end - s.at));
        s.to += s.end - s.at;
        s.at = s.end;
    }
    else if (!copy_whole(rule, &s, &digits) ||
             !(rule->kind == CONVERT_INTEGER ? digits > 0 : copy_rest(rule, &s, digits))) {
        return NUMBER_UNSURE;
    }
    *count = (size_t)(s.to - out);
    return s.at == s.end ? NUMBER_OK : NUMBER_UNSURE;
}

/* Spell a number into LONGEST bytes. */
static bool
spell_plain(const convert_rule *rule, const uint8_t *text, size_t length, uint8_t *plain,
            size_t *count)
{
    return length <= LONGEST && convert_spell(rule, text, length, plain, count) == NUMBER_OK;
}

number_status
convert_number(const convert_rule *rule, const uint8_t *text, size_t length, double *value)
{
    uint8_t plain[LONGEST];
    size_t count;
    return spell_plain(rule, text, length, plain, &count) ? number_double(plain, count, value)
                                                          : NUMBER_UNSURE;
}

number_status
convert_integer(const convert_rule *rule, const uint8_t *text, size_t length, int64_t *value)
{
    uint8_t plain[LONGEST];
    size_t count;
    return spell_plain(rule, text, length, plain, &count) ? number_int64(plain, count, value)
                                                          : NUMBER_UNSURE;
}

number_status
convert_decimal(const convert_rule *rule, const uint8_t *text, size_t length, wide *value)
{
    uint8_t plain[LONGEST];
    size_t count;
    return spell_plain(rule, text, length, plain, &count)
               ? number_decimal(plain, count, rule->precision, rule->scale, value)
               : NUMBER_UNSURE;
}

/* ---- words ---- */

static bool
is_word(const convert_word *word, const uint8_t *text, size_t length)
{
    if (word->length != length) {
        return false;
    }
    for (size_t i = 0; i < length; i++) {
        const uint8_t c = text[i];
        if ((c >= 'A' && c <= 'Z' ? c | 0x20 : c) != word->bytes[i]) {
            return false;
        }
    }
    return true;
}

number_status
convert_boolean(const convert_rule *rule, const uint8_t *text, size_t length, bool *value)
{
    convert_strip(&text, &length);
    for (size_t i = 0; i < rule->word_count; i++) {
        if (is_word(&rule->words[i], text, length)) {
            *value = rule->words[i].value;
            return NUMBER_OK;
        }
    }
    return NUMBER_UNSURE;
}
