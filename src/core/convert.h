/* Text -> value by a rule of the user's: decimal commas, grouped digits, dates by a format,
 * other words for true and false; or "not sure".  The other rules are in number.h.
 *
 * A rule never changes once it is made, and threads may share it.  What it points to is
 * borrowed and outlives it.  The functions are stateless and do not depend on the locale.
 *
 * The text is UTF-8 of any length, without a terminating NUL.  Nothing outside of it is read.
 * *value is written only with NUMBER_OK.  NUMBER_UNSURE means that the caller decides: see
 * csv/row/converter.c.
 *
 * Whitespace around a text is never part of it: what str.strip() removes.
 */
#ifndef GENERATORS_CORE_CONVERT_H
#define GENERATORS_CORE_CONVERT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/number_moment.h"
#include "core/number_status.h"
#include "core/wide.h"

typedef enum {
    CONVERT_STRIP,
    CONVERT_NUMBER,
    CONVERT_INTEGER,
    CONVERT_DECIMAL,
    CONVERT_BOOLEAN,
    CONVERT_DATE,
    CONVERT_DATETIME,
    CONVERT_TIME,
} convert_kind;

/* A character, in UTF-8. */
typedef struct {
    uint8_t bytes[4];
    uint8_t length; /* 0: there is none */
} convert_mark;

/* A word for true or false, without whitespace around. */
typedef struct {
    const uint8_t *bytes;
    size_t length;
    bool value;
} convert_word;

/* What a format asks for next: a directive of strptime(), or bytes as they are. */
typedef enum {
    CONVERT_LITERAL,
    CONVERT_DAY,
    CONVERT_MONTH,
    CONVERT_YEAR,
    CONVERT_YEAR_2,
    CONVERT_HOUR,
    CONVERT_HOUR_12,
    CONVERT_MINUTE,
    CONVERT_SECOND,
    CONVERT_FRACTION,
    CONVERT_HALF, /* AM or PM */
    CONVERT_MONTH_NAME,
    CONVERT_MONTH_SHORT,
} convert_directive;

typedef struct {
    convert_directive directive;
    const uint8_t *bytes; /* of a literal */
    size_t length;
} convert_step;

#define CONVERT_MARKS 8 /* characters that may group digits */
#define CONVERT_STEPS 32

typedef struct {
    convert_kind kind;

    /* numbers */
    convert_mark decimal;
    convert_mark thousands[CONVERT_MARKS];
    int thousands_count;
    int precision; /* 1 to 38 */
    int scale;     /* 0 to `precision` */

    /* words: the ASCII letters of a text are compared in lower case */
    const convert_word *words;
    size_t word_count;

    /* dates and times */
    convert_step steps[CONVERT_STEPS];
    int step_count;
    bool iso;   /* CONVERT_TIME: as number_time() reads it, and there are no steps */
    bool zoned; /* the format names an offset from UTC */
    bool asks;  /* the format has a directive that is not read here: never sure */
} convert_rule;

/* Take the whitespace off both ends. */
void convert_strip(const uint8_t **text, size_t *length);

/* Write the number in ASCII, as float() and int() take it: without grouping, and with a point.
   A number is an optional sign; digits, which may be grouped; the decimal mark and digits; and
   an exponent.  An integer has neither of the last two.  A float may also be nan, inf or
   infinity.  Grouped digits are one to three, and then groups of three; or one or two, groups
   of two and a last one of three.  There is room for `length` bytes.  Unsure: it is no
   number. */
number_status convert_spell(const convert_rule *rule, const uint8_t *text, size_t length,
                            uint8_t *out, size_t *count);

/* Read a text by a rule of the kind that the function is named for. */
number_status convert_number(const convert_rule *rule, const uint8_t *text, size_t length,
                             double *value);
number_status convert_integer(const convert_rule *rule, const uint8_t *text, size_t length,
                              int64_t *value);
number_status convert_decimal(const convert_rule *rule, const uint8_t *text, size_t length,
                              wide *value);
number_status convert_boolean(const convert_rule *rule, const uint8_t *text, size_t length,
                              bool *value);

#endif
