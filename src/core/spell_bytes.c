#include "core/spell_bytes.h"

#include <string.h>

static char *
write_byte(uint8_t byte, char quote, char *text)
{
    static const char digits[] = "0123456789abcdef";
    static const char plain[] = "\t\n\r\\", escaped[] = "tnr\\";
    const char *found = byte == 0 ? NULL : strchr(plain, byte);
    if (found != NULL || byte == (uint8_t)quote) {
        *text++ = '\\';
        *text++ = found != NULL ? escaped[found - plain] : quote;
    }
    else if (byte < ' ' || byte >= 0x7F) {
        *text++ = '\\';
        *text++ = 'x';
        *text++ = digits[byte >> 4];
        *text++ = digits[byte & 15];
    }
    else {
        *text++ = (char)byte;
    }
    return text;
}

size_t
spell_bytes(const uint8_t *bytes, size_t count, char *text)
{
    char quote = '\'';
    if (count > 0 && memchr(bytes, '\'', count) != NULL && memchr(bytes, '"', count) == NULL) {
        quote = '"';
    }
    char *at = text;
    *at++ = 'b';
    *at++ = quote;
    for (size_t i = 0; i < count; i++) {
        at = write_byte(bytes[i], quote, at);
    }
    *at++ = quote;
    return (size_t)(at - text);
}
