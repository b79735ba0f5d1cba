/* csv_style: an encoder's parameters, as bytes.
 *
 * It has no state.  It borrows from its encoder.
 */
#include "csv/write/style.h"

#include "core/utf8.h"

static bool
is_ascii(uint32_t unit)
{
    return unit < 0x80 || unit == SCAN_ABSENT;
}

/* Write a character as UTF-8 and set *length.  0, or -1 with UnicodeEncodeError. */
static int
write_character(uint32_t unit, uint8_t *out, size_t *length)
{
    if (utf8_encode(&unit, 4, 1, out, length)) {
        return 0;
    }
    PyObject *text = PyUnicode_FromOrdinal((int)unit);
    PyObject *bytes = text == NULL ? NULL : PyUnicode_AsUTF8String(text); /* raises */
    Py_XDECREF(text);
    Py_XDECREF(bytes);
    return -1;
}

int
csv_style_open(csv_style *self, const csv_encoder *encoder)
{
    const quoter *own = csv_encoder_quoter(encoder);
    const scan_set *set = &own->dialect.set;
    PyObject *terminator = csv_encoder_terminator(encoder);
    *self = (csv_style){.quoter = own};
    Py_ssize_t length;
    self->end = (const uint8_t *)PyUnicode_AsUTF8AndSize(terminator, &length);
    if (self->end == NULL ||
        write_character(set->delimiter, self->delimiter, &self->delimiter_length) < 0) {
        return -1;
    }
    self->end_length = (size_t)length;
    self->ascii = is_ascii(set->delimiter) && is_ascii(set->quote) && is_ascii(set->escape) &&
                  PyUnicode_IS_ASCII(terminator);
    self->doubles = self->ascii && own->dialect.doublequote && !own->dialect.escapes &&
                    set->escape == SCAN_ABSENT && set->quote != SCAN_ABSENT;
    size_t width = 0;
    if (set->quote != SCAN_ABSENT &&
        (write_character(set->quote, self->quotes, &width) < 0 ||
         write_character(set->quote, self->quotes + width, &width) < 0)) {
        return -1;
    }
    self->escape_formulas = csv_encoder_escapes_formulas(encoder);
    self->formats = csv_encoder_formats(encoder);
    if (csv_encoder_marks_null(encoder)) {
        self->marked.start =
            (const uint8_t *)PyUnicode_AsUTF8AndSize(self->formats->null, &length);
        if (self->marked.start == NULL) {
            return -1;
        }
        self->marked.length = (size_t)length;
    }
    self->quotes_text = csv_encoder_quotes(encoder, true, false, false);
    self->quotes_number = csv_encoder_quotes(encoder, false, true, false);
    self->quotes_other = csv_encoder_quotes(encoder, false, false, false);
    csv_blank quoted = {CSV_WRITTEN, {self->quotes, 2 * width}};
    self->null = self->empty = self->quoted_empty = quoted;
    return 0;
}

void
csv_style_set_alone(csv_style *self, const csv_encoder *encoder, bool alone)
{
    csv_blank *blanks[] = {&self->null, &self->empty, &self->quoted_empty};
    size_t quotes = self->quoted_empty.cell.length;
    for (int i = 0; i < 3; i++) {
        bool quoted = i == 2 || (i == 0 && csv_encoder_quotes(encoder, false, false, true));
        csv_blank *blank = blanks[i];
        blank->result = csv_encoder_blank(encoder, i == 0, alone, &quoted);
        blank->cell.length = quoted ? quotes : 0;
    }
}

void
csv_style_set_null(csv_style *self, csv_cell field)
{
    self->null = (csv_blank){CSV_WRITTEN, field};
}
