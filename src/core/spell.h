/* Numbers -> text, as CPython spells them. */
#ifndef GENERATORS_CORE_SPELL_H
#define GENERATORS_CORE_SPELL_H

#include <stddef.h>
#include <stdint.h>

#define SPELL_ROOM 48 /* enough for any number, and for what is written beyond its end */

/* Write repr() of an int and return its length. */
size_t spell_int(int64_t number, char *text);
size_t spell_unsigned(uint64_t number, char *text);

/* Write repr() of a float and return its length.  Returns 0 if the number is infinite, NaN, or
   too large or too small for the table; the caller then asks CPython.  From 1e-40 to 1e40 it
   never returns 0. */
size_t spell_double(double number, char *text);

#endif
