/* A number is `digits` / 10^scale where that fits in 64 bits, and the range is kept for one
 * scale, which only grows.  Other numbers are kept as texts, and compared digit by digit.
 */
#include "core/schema_number.h"

#include <stdio.h>

#include "core/number.h"

#define KEPT_DIGITS 15   /* a double has every number of so many digits */
#define MOST_DIGITS 17   /* no double needs more */
#define LEAST_TOP (-290) /* of numbers far from where doubles end */
#define GREATEST_TOP 308
#define NATIVE_EXPONENT 6 /* digits of an exponent that Decimal takes on every machine */

const int64_t schema_tens[SCHEMA_SCALES] = {
    1,
    10,
    100,
    1000,
    10000,
    100000,
    1000000,
    10000000,
    100000000,
    1000000000,
    INT64_C(10000000000),
    INT64_C(100000000000),
    INT64_C(1000000000000),
    INT64_C(10000000000000),
    INT64_C(100000000000000),
    INT64_C(1000000000000000),
    INT64_C(10000000000000000),
    INT64_C(100000000000000000),
    INT64_C(1000000000000000000),
};

/* ---- the shape of a number ---- */

typedef struct {
    bool negative;
    bool finite;
    bool is_nan;
    bool whole;        /* neither point nor exponent */
    bool leading_zero; /* it begins with 0 and another digit */
    const uint8_t *at; /* the first digit that is not 0, or `end` */
    const uint8_t *end;
    int64_t count;    /* digits from `at` on */
    int64_t exponent; /* of the last of them */
    uint64_t digits;  /* their value, if they are at most 18 */
} shape;

static bool
spells(span s, const char *word)
{
    size_t length = strlen(word);
    if ((size_t)(s.end - s.at) != length) {
        return false;
    }
    for (size_t i = 0; i < length; i++) {
        if ((s.at[i] | 0x20) != word[i]) {
            return false;
        }
    }
    return true;
}

static bool
take_long_exponent(span *s, size_t most, int64_t *exponent)
{
    bool negative = take_sign(s);
    int64_t total = 0;
    size_t count = (size_t)(s->end - s->at);
    if (count < 1 || count > most) {
        return false;
    }
    for (; s->at < s->end; s->at++) {
        if (!is_digit(*s->at)) {
            return false;
        }
        total = total * 10 + (*s->at - '0');
    }
    *exponent += negative ? -total : total;
    return true;
}

/* Read the digits and the point. */
static bool
take_mantissa(span *s, shape *out)
{
    const uint8_t *first = s->at;
    bool point = false;
    size_t all = 0;
    out->at = NULL;
    for (; s->at < s->end; s->at++) {
        if (*s->at == '.' && !point) {
            point = true;
            continue;
        }
        if (!is_digit(*s->at)) {
            break;
        }
        all++;
        out->exponent -= point;
        if (out->at == NULL && *s->at != '0') {
            out->at = s->at;
        }
        if (out->at != NULL) {
            out->count++;
            out->digits = out->digits * 10 + (uint64_t)(*s->at - '0');
        }
    }
    out->end = s->at;
    out->whole = !point;
    out->leading_zero = *first == '0' && all > 1;
    if (out->at == NULL) {
        out->at = out->end;
    }
    return all > 0;
}

/* Read a number as int(), float() and Decimal() do; false for a rare spelling, or none. */
static bool
read_shape(const uint8_t *text, size_t length, size_t most_exponent, shape *out)
{
    span s = strip(text, length);
    *out = (shape){.finite = true};
    out->negative = take_sign(&s);
    if (s.at == s.end) {
        return false;
    }
    if (!is_digit(*s.at) && *s.at != '.') {
        out->finite = false;
        out->is_nan = spells(s, "nan");
        return out->is_nan || spells(s, "inf") || spells(s, "infinity");
    }
    if (!take_mantissa(&s, out)) {
        return false;
    }
    if (s.at == s.end) {
        return true;
    }
    out->whole = false;
    return (*s.at++ | 0x20) == 'e' && take_long_exponent(&s, most_exponent, &out->exponent);
}

/* The place of the first digit: 1 for one to nine. */
static int64_t
top_of(const shape *s)
{
    return s->count + s->exponent;
}

/* Compare the digits of two numbers that have the same top. */
static int
compare_digits(const shape *a, const shape *b)
{
    const uint8_t *p = a->at, *q = b->at;
    for (;;) {
        p += p < a->end && *p == '.';
        q += q < b->end && *q == '.';
        if (p >= a->end && q >= b->end) {
            return 0;
        }
        int left = p < a->end ? *p++ : '0', right = q < b->end ? *q++ : '0';
        if (left != right) {
            return left < right ? -1 : 1;
        }
    }
}

static int
compare_shapes(const shape *a, const shape *b)
{
    const int a_sign = a->count == 0 ? 0 : a->negative ? -1 : 1;
    const int b_sign = b->count == 0 ? 0 : b->negative ? -1 : 1;
    if (a_sign != b_sign || a_sign == 0) {
        return a_sign - b_sign;
    }
    if (top_of(a) != top_of(b)) {
        return (top_of(a) < top_of(b) ? -1 : 1) * a_sign;
    }
    return compare_digits(a, b) * a_sign;
}

/* ---- keeping the least and the greatest ---- */

/* Add a number as a text. */
static bool
add_text(schema_number *self, columns_allocator allocate, const uint8_t *text, size_t length,
         const shape *s, bool passing)
{
    schema_text *places[2] = {&self->least, &self->greatest};
    for (int i = 0; i < 2; i++) {
        shape old;
        bool take = !self->any_text;
        if (!take) {
            (void)read_shape(places[i]->bytes, places[i]->length, 18, &old);
            int order = compare_shapes(s, &old);
            take = i == 0 ? order < 0 : order > 0;
        }
        if (take) {
            schema_text_borrow(places[i], text, length);
            if (passing && !schema_text_copy(places[i], allocate, text, length)) {
                return false;
            }
        }
    }
    self->any_text = true;
    int64_t whole = top_of(s);
    if (s->count > 0 && whole > (int64_t)self->most_whole) {
        self->most_whole = whole > UINT32_MAX ? UINT32_MAX : (uint32_t)whole;
    }
    return true;
}

/* Write value / 10^scale.  Returns the length. */
static size_t
spell_scaled(int64_t value, uint32_t scale, uint8_t out[32])
{
    uint8_t digits[24];
    size_t count = 0, at = 0;
    uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    while (rest > 0 || count <= scale) {
        digits[count++] = (uint8_t)('0' + rest % 10);
        rest /= 10;
    }
    if (value < 0) {
        out[at++] = '-';
    }
    while (count > 0) {
        out[at++] = digits[--count];
        if (count == scale && scale > 0) {
            out[at++] = '.';
        }
    }
    return at;
}

bool
schema_number_finish(schema_number *self, columns_allocator allocate)
{
    if (!self->scaled.any) {
        return true;
    }
    const int64_t values[2] = {self->scaled.least, self->scaled.greatest};
    for (int i = 0; i < 2; i++) {
        uint8_t text[32];
        shape s;
        size_t length = spell_scaled(values[i], self->scale, text);
        (void)read_shape(text, length, 18, &s);
        if (!add_text(self, allocate, text, length, &s, true)) {
            return false;
        }
    }
    self->scaled.any = false;
    return true;
}

/* Whether value * 10^places fits. */
static bool
fits_scaled(int64_t value, uint32_t places)
{
    return places < SCHEMA_SCALES && value <= INT64_MAX / schema_tens[places] &&
           value >= -(INT64_MAX / schema_tens[places]);
}

/* Give the range a greater scale.  False if there is no memory. */
static bool
grow_scale(schema_number *self, columns_allocator allocate, uint32_t scale)
{
    const uint32_t more = scale - self->scale;
    if (self->scaled.any && (!fits_scaled(self->scaled.least, more) ||
                             !fits_scaled(self->scaled.greatest, more))) {
        if (!schema_number_finish(self, allocate)) {
            return false;
        }
    }
    if (self->scaled.any) {
        self->scaled.least *= schema_tens[more];
        self->scaled.greatest *= schema_tens[more];
    }
    self->scale = scale;
    return true;
}

/* Add a number of at most 18 digits.  1; 0 if it must be a text; -1 if there is no memory. */
static int
add_scaled(schema_number *self, columns_allocator allocate, int64_t digits, uint32_t scale)
{
    if (scale >= SCHEMA_SCALES ||
        (scale < self->scale && !fits_scaled(digits, self->scale - scale))) {
        return 0;
    }
    if (scale > self->scale && !grow_scale(self, allocate, scale)) {
        return -1;
    }
    schema_range_add(&self->scaled, digits * schema_tens[self->scale - scale]);
    return 1;
}

bool
schema_number_merge(schema_number *self, schema_number *other, columns_allocator allocate)
{
    const schema_text *texts[2] = {&other->least, &other->greatest};
    if (other->scaled.any) {
        if (other->scale > self->scale && !grow_scale(self, allocate, other->scale)) {
            return false;
        }
        const int64_t values[2] = {other->scaled.least, other->scaled.greatest};
        for (int i = 0; i < 2; i++) {
            if (fits_scaled(values[i], self->scale - other->scale)) {
                schema_range_add(&self->scaled,
                                 values[i] * schema_tens[self->scale - other->scale]);
                continue;
            }
            uint8_t text[32];
            shape s;
            size_t length = spell_scaled(values[i], other->scale, text);
            (void)read_shape(text, length, 18, &s);
            if (!add_text(self, allocate, text, length, &s, true)) {
                return false;
            }
        }
    }
    for (int i = 0; other->any_text && i < 2; i++) {
        shape s;
        (void)read_shape(texts[i]->bytes, texts[i]->length, 18, &s);
        if (!add_text(self, allocate, texts[i]->bytes, texts[i]->length, &s, true)) {
            return false;
        }
    }
    if (other->most_whole > self->most_whole) {
        self->most_whole = other->most_whole;
    }
    if (other->most_scale > self->most_scale) {
        self->most_scale = other->most_scale;
    }
    for (int mark = 0; mark < SCHEMA_MARKS; mark++) {
        self->marked[mark] += other->marked[mark];
    }
    return true;
}

/* ---- whether a type has the value ---- */

/* Whether a double that is written with as many digits has these; -1 if that is not sure. */
static int
keeps_digits(const uint8_t *text, size_t length, const shape *s)
{
    int64_t significant = s->count;
    const uint8_t *last = s->end;
    while (significant > 0 && (last[-1] == '0' || last[-1] == '.')) {
        significant -= *--last == '0';
    }
    if (significant == 0) {
        return 1;
    }
    if (significant > MOST_DIGITS) {
        return 0;
    }
    if (top_of(s) < LEAST_TOP || top_of(s) > GREATEST_TOP) {
        return -1;
    }
    if (significant <= KEPT_DIGITS) {
        return 1;
    }
    double value;
    if (number_double(text, length, &value) != NUMBER_OK) {
        return -1;
    }
    char written[40];
    int count = snprintf(written, sizeof written, "%.*e", (int)significant - 1,
                         value < 0 ? -value : value);
    const uint8_t *p = s->at;
    for (int i = 0; i < count && written[i] != 'e'; i++) {
        if (!is_digit((uint8_t)written[i])) {
            continue; /* the point, whatever it is in this locale */
        }
        p += *p == '.';
        if (*p++ != (uint8_t)written[i]) {
            return 0;
        }
    }
    return 1;
}

static bool
fits_int(const uint8_t *text, size_t length, const shape *s)
{
    int64_t value;
    if (!s->whole || s->count > 19) {
        return false;
    }
    if (s->count <= 18) {
        return true;
    }
    /* number_int64() takes no more digits than these. */
    size_t digits = (size_t)(s->end - s->at);
    uint8_t copy[20];
    (void)text;
    (void)length;
    copy[0] = s->negative ? '-' : '+';
    memcpy(copy + 1, s->at, digits);
    return number_int64(copy, digits + 1, &value) == NUMBER_OK;
}

/* A text that no type of number has, whatever follows. */
static bool
is_surely_none(const uint8_t *text, size_t length)
{
    span s = strip(text, length);
    (void)take_sign(&s);
    if (s.at == s.end) {
        return true;
    }
    const uint8_t c = *s.at, lower = c | 0x20;
    return c > ' ' && c < 0x80 && !is_digit(c) && c != '.' && c != '_' && lower != 'i' &&
           lower != 'n' && lower != 's';
}

/* Ask about a rare spelling.  *text becomes the number in plain ASCII, if it is one. */
static schema_status
ask_number(schema *self, uint32_t alive, const uint8_t **text, size_t *length,
           uint32_t *not_of)
{
    static const schema_type asked[] = {SCHEMA_FLOAT, SCHEMA_INT, SCHEMA_DECIMAL};
    schema_answer answer = {0};
    if (self->ask == NULL) {
        return SCHEMA_STOPPED;
    }
    for (size_t i = 0; i < 3; i++) {
        if (!(alive & SCHEMA_BIT(asked[i])) && asked[i] != SCHEMA_DECIMAL) {
            continue;
        }
        switch (self->ask(self->context, asked[i], *text, *length, &answer)) {
        case SCHEMA_YES:
            break;
        case SCHEMA_NO:
            *not_of |= asked[i] == SCHEMA_DECIMAL ? SCHEMA_NUMBERS : SCHEMA_BIT(asked[i]);
            break;
        default:
            return SCHEMA_FAILED;
        }
    }
    *text = answer.number;
    *length = answer.length;
    return SCHEMA_FINE;
}

/* Add a number whose shape is known to what is kept. */
static bool
keep_number(schema_number *self, columns_allocator allocate, const uint8_t *text,
            size_t length, const shape *s, bool passing)
{
    if (!s->finite) {
        self->marks |= 1U << SCHEMA_NOT_FINITE;
        return true;
    }
    if (s->whole && s->leading_zero) {
        self->marks |= 1U << SCHEMA_LEADING_ZERO;
    }
    const int64_t scale = s->exponent < 0 ? -s->exponent : 0;
    if (scale > (int64_t)self->most_scale) {
        self->most_scale = scale > UINT32_MAX ? UINT32_MAX : (uint32_t)scale;
    }
    if (s->count <= 18 && s->exponent <= 0) {
        const int64_t digits = s->negative ? -(int64_t)s->digits : (int64_t)s->digits;
        int added =
            scale < SCHEMA_SCALES ? add_scaled(self, allocate, digits, (uint32_t)scale) : 0;
        if (added != 0) {
            return added > 0;
        }
    }
    return add_text(self, allocate, text, length, s, passing);
}

schema_status
schema_number_add(schema *self, schema_column *column, const uint8_t *text, size_t length,
                  bool passing, uint32_t *not_of)
{
    const uint32_t alive = column->alive & SCHEMA_NUMBERS;
    const uint8_t *number = text;
    size_t number_length = length;
    shape s;
    *not_of = 0;
    if (!read_shape(text, length, NATIVE_EXPONENT, &s)) {
        if (is_surely_none(text, length)) {
            *not_of = alive;
            return SCHEMA_FINE;
        }
        schema_status status = ask_number(self, alive, &number, &number_length, not_of);
        *not_of &= alive;
        if (status != SCHEMA_FINE || *not_of == alive) {
            return status;
        }
        column->number.marks |= 1U << SCHEMA_ASKED;
        if (!read_shape(number, number_length, 18, &s)) {
            s = (shape){.finite = false}; /* such as sNaN */
        }
        return keep_number(&column->number, self->allocate, number, number_length, &s, true)
                   ? SCHEMA_FINE
                   : SCHEMA_NO_MEMORY;
    }
    if (alive & SCHEMA_BIT(SCHEMA_INT) && !(s.finite && fits_int(text, length, &s))) {
        *not_of |= SCHEMA_BIT(SCHEMA_INT);
    }
    if (alive & SCHEMA_BIT(SCHEMA_FLOAT) && s.finite) {
        int keeps = keeps_digits(text, length, &s);
        if (keeps < 0) {
            schema_answer answer;
            if (self->ask == NULL) {
                return SCHEMA_STOPPED;
            }
            schema_verdict verdict =
                self->ask(self->context, SCHEMA_FLOAT, text, length, &answer);
            if (verdict == SCHEMA_RAISED) {
                return SCHEMA_FAILED;
            }
            keeps = verdict == SCHEMA_YES;
        }
        if (!keeps) {
            *not_of |= SCHEMA_BIT(SCHEMA_FLOAT);
        }
    }
    return keep_number(&column->number, self->allocate, text, length, &s, passing)
               ? SCHEMA_FINE
               : SCHEMA_NO_MEMORY;
}
