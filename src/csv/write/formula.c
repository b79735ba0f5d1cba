/* Which cells a spreadsheet would run as a formula.
 *
 * A formula begins with = + - @ or a character that spreadsheets treat as one of these, a tab
 * or a carriage return, also after blanks.  A plain number with a sign is no formula: a
 * spreadsheet reads it as that number.
 *
 * There is no state, and no user code runs here.
 */
#include "csv/write/formula.h"

/* ---- numbers ---- */

/* Characters of a str, or bytes. */
typedef struct {
    int kind;
    const void *units;
    Py_ssize_t count;
} characters;

static Py_UCS4
unit_at(const characters *text, Py_ssize_t at)
{
    return at < text->count ? PyUnicode_READ(text->kind, text->units, at) : 0;
}

static Py_ssize_t
skip_digits(const characters *text, Py_ssize_t at)
{
    while (unit_at(text, at) >= '0' && unit_at(text, at) <= '9') {
        at++;
    }
    return at;
}

static Py_ssize_t
skip_either(const characters *text, Py_ssize_t at, Py_UCS4 one, Py_UCS4 other)
{
    Py_UCS4 c = unit_at(text, at);
    return at + (at < text->count && (c == one || c == other));
}

/* Whether the text from `at` on is a number. */
static bool
is_number(const characters *text, Py_ssize_t at)
{
    Py_ssize_t start = skip_either(text, at, '+', '-'), end = skip_digits(text, start);
    Py_ssize_t point = skip_either(text, end, '.', ','), after = skip_digits(text, point);
    if (end - start + after - point == 0) {
        return false;
    }
    Py_ssize_t letter = skip_either(text, after, 'e', 'E');
    if (letter > after) {
        start = skip_either(text, letter, '+', '-');
        after = skip_digits(text, start);
        if (after == start) {
            return false;
        }
    }
    return after == text->count;
}

bool
csv_formula_is_number(const char *text, size_t count)
{
    return is_number(&(characters){PyUnicode_1BYTE_KIND, text, (Py_ssize_t)count}, 0);
}

/* ---- formulas ---- */

static bool
begins_formula(uint32_t c)
{
    switch (c) {
    case '=':
    case '+':
    case '-':
    case '@':
    case '\t':
    case '\r':
    case 0xFF1D: /* full-width forms, which spreadsheets treat as the plain characters */
    case 0xFF0B:
    case 0xFF0D:
    case 0xFF20:
        return true;
    default:
        return false;
    }
}

/* Blanks before a formula: str.isspace(), and U+FEFF. */
static bool
is_blank(uint32_t c)
{
    return (c >= 0x09 && c <= 0x0D) || (c >= 0x1C && c <= 0x20) || c == 0x85 || c == 0xA0 ||
           c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 ||
           c == 0x202F || c == 0x205F || c == 0x3000 || c == 0xFEFF;
}

bool
csv_formula_in_text(PyObject *text)
{
    characters all = {(int)PyUnicode_KIND(text), PyUnicode_DATA(text),
                      PyUnicode_GET_LENGTH(text)};
    for (Py_ssize_t i = 0; i < all.count; i++) {
        Py_UCS4 c = unit_at(&all, i);
        if (begins_formula(c)) {
            return !is_number(&all, i);
        }
        if (!is_blank(c)) {
            return false;
        }
    }
    return false;
}

/* The character at the start of the text, which may be no UTF-8, and *length bytes of it. */
static uint32_t
first_character(const uint8_t *text, size_t count, size_t *length)
{
    uint32_t c = text[0];
    *length = c < 0xC0 ? 1 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : 4;
    if (*length > count) {
        *length = 1;
    }
    if (*length > 1) {
        c &= 0x3Fu >> (*length - 1);
    }
    for (size_t i = 1; i < *length; i++) {
        c = c << 6 | (text[i] & 0x3F);
    }
    return c;
}

bool
csv_formula_in_bytes(const uint8_t *text, size_t count)
{
    while (count > 0) {
        size_t length;
        uint32_t c = first_character(text, count, &length);
        if (begins_formula(c)) {
            return !csv_formula_is_number((const char *)text, count);
        }
        if (!is_blank(c)) {
            return false;
        }
        text += length;
        count -= length;
    }
    return false;
}
