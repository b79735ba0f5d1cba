/* Numbers -> text, as CPython spells them. */
#ifndef GENERATORS_CORE_SPELL_H
#define GENERATORS_CORE_SPELL_H

#include <stddef.h>
#include <stdint.h>

#define SPELL_ROOM 32 /* no number needs more */

/* repr() of an int: how many characters were written. */
size_t spell_int(int64_t number, char *text);

/* repr() of a float: how many characters were written, or 0 where the number is too
   large or too small for the table, or no number, and CPython is to be asked.
   From 1e-40 to 1e40 it never is. */
size_t spell_double(double number, char *text);

#endif
