/* Which cells a spreadsheet would run as a formula: see formula.c. */
#ifndef GENERATORS_CSV_WRITE_FORMULA_H
#define GENERATORS_CSV_WRITE_FORMULA_H

#include "state.h"

/* Whether a spreadsheet would run the text, with or without blanks before it.  The str must be
   ready; the bytes are UTF-8, and are read safely if they are not. */
bool csv_formula_in_text(PyObject *text);
bool csv_formula_in_bytes(const uint8_t *text, size_t count);

/* Whether the text is a number in digits, such as -5.5, +1 or -1e3, and nothing else. */
bool csv_formula_is_number(const char *text, size_t count);

#endif
