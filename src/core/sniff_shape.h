/* Numbers, dates and times, in the spellings that people use: what they are, not their value.
 */
#ifndef GENERATORS_CORE_SNIFF_SHAPE_H
#define GENERATORS_CORE_SNIFF_SHAPE_H

#include <stddef.h>
#include <stdint.h>

typedef enum {
    SNIFF_EMPTY, /* or one of the usual signs for what is missing */
    SNIFF_INTEGER,
    SNIFF_NUMBER, /* with a fraction, an exponent, thousands, a currency or a percent sign */
    SNIFF_DATE,
    SNIFF_TIME,
    SNIFF_DATETIME,
    SNIFF_WORD, /* letters, digits and joiners */
    SNIFF_TEXT,
    SNIFF_TYPES,
} sniff_type;

/* In place of any unit that is not ASCII. */
#define SNIFF_HIGH 0x80

/* The type of a text without blanks around it: SNIFF_TEXT if it is no number, date or time.
 *cost is set otherwise, in 64ths of a bit. */
sniff_type sniff_shape(const uint8_t *text, size_t length, uint32_t *cost);

#endif
