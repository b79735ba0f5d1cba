/* Bytes -> text, as CPython spells them. */
#ifndef GENERATORS_CORE_SPELL_BYTES_H
#define GENERATORS_CORE_SPELL_BYTES_H

#include <stddef.h>
#include <stdint.h>

/* Write repr() of a bytes object to `text`, which has room for 4 * count + 3, and return its
   length. */
size_t spell_bytes(const uint8_t *bytes, size_t count, char *text);

#endif
