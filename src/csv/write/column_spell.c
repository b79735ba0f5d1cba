/* Numbers, dates, times and the like of a column as CSV fields.
 *
 * Each text is written to a slot of fixed room, with room for quotes around it.  None of them
 * has a special character, unless the dialect has a digit or the like among them.
 *
 * No user code runs here, but that of time zones.
 */
#include "csv/write/column_spell.h"

#include <math.h>
#include <string.h>

#include "core/spell.h"
#include "core/spell_decimal.h"
#include "core/spell_time.h"
#include "csv/write/column_zone.h"

#define SLOT 64 /* two quotes, and any text but that of a decimal */
#define DECIMAL_SLOT 128
#define DATE_LENGTH 10 /* of a datetime, before the time */

/* ---- single values ---- */

/* What the functions below return for a value that has no text, with an exception set. */
#define NO_TEXT 0

static size_t
refuse_range(const char *what)
{
    PyErr_Format(PyExc_OverflowError, "%s out of range", what);
    return NO_TEXT;
}

static size_t
write_double(double number, char *text)
{
    size_t count = spell_double(number, text);
    if (count > 0) {
        return count;
    }
    char *spelled = PyOS_double_to_string(number, 'r', 0, Py_DTSF_ADD_DOT_0, NULL);
    if (spelled == NULL) {
        return NO_TEXT;
    }
    count = strlen(spelled);
    memcpy(text, spelled, count);
    PyMem_Free(spelled);
    return count;
}

static size_t
write_timestamp(csv_column *self, int64_t value, char *text)
{
    int64_t per_second = arrow_per_second(self->type);
    spell_moment moment = spell_moment_of(value, per_second);
    int offset = 0;
    if (spell_timestamp(moment, false, 0, text) == 0) {
        return refuse_range("date value");
    }
    if (self->zone != NULL && csv_zone_offset(self->zone, moment.seconds, &offset) < 0) {
        return NO_TEXT;
    }
    size_t count = spell_timestamp(moment, self->zone != NULL, offset, text);
    const csv_formats *formats = self->cells.style->formats;
    if (count > 0 && formats->datetime != NULL) {
        text[DATE_LENGTH] = 'T';
    }
    return count > 0 ? count : refuse_range("date value");
}

static size_t
write_duration(const arrow_type *type, int64_t value, char *text)
{
    spell_moment length = spell_moment_of(value, arrow_per_second(type));
    size_t count = type->unit == ARROW_NANOSECOND ? spell_pandas_timedelta(length, text)
                                                  : spell_timedelta(length, text);
    return count > 0 ? count : refuse_range("duration");
}

static size_t
write_date(int64_t days, char *text)
{
    size_t count = spell_date(days, text);
    return count > 0 ? count : refuse_range("date value");
}

static size_t
write_decimal(const arrow_type *type, const void *values, int64_t at, char *text)
{
    uint32_t words[8];
    memcpy(words, (const char *)values + at * type->width, (size_t)type->width);
    return spell_decimal(words, (int)(type->width / 4), type->scale, text);
}

/* Write the value at a place in the values and return its length, or NO_TEXT. */
static size_t
write_value(csv_column *self, int64_t at, char *text)
{
    const arrow_type *type = self->type;
    const void *values = self->array->buffers[1];
    switch (type->kind) {
    case ARROW_BOOL: {
        bool value = arrow_bit(values, at);
        memcpy(text, value ? "True" : "False", 5);
        return value ? 4 : 5;
    }
    case ARROW_UINT64:
        return spell_unsigned(ARROW_LOAD(uint64_t, values, at), text);
    case ARROW_FLOAT16:
        return write_double(arrow_half(ARROW_LOAD(uint16_t, values, at)), text);
    case ARROW_FLOAT32:
        return write_double((double)ARROW_LOAD(float, values, at), text);
    case ARROW_DECIMAL:
        return write_decimal(type, values, at, text);
    default:
        break;
    }
    int64_t value = arrow_integer(type->kind, type->width, values, at);
    switch (type->kind) {
    case ARROW_DATE32:
        return write_date(value, text);
    case ARROW_DATE64:
        return write_date(value / 86400000 - (value % 86400000 < 0), text);
    case ARROW_TIME32:
    case ARROW_TIME64:
        return spell_time(spell_moment_of(value, arrow_per_second(type)), text);
    case ARROW_TIMESTAMP:
        return write_timestamp(self, value, text);
    case ARROW_DURATION:
        return write_duration(type, value, text);
    default:
        return spell_int(value, text);
    }
}

/* ---- formats ---- */

static bool
is_float(arrow_kind kind)
{
    return kind == ARROW_FLOAT16 || kind == ARROW_FLOAT32 || kind == ARROW_FLOAT64;
}

/* Flag the values that are written as nulls: NaT of pandas, and NaN if that is asked for. */
static void
flag_more_nulls(csv_column *self, int64_t first, size_t count)
{
    const csv_formats *formats = self->cells.style->formats;
    const arrow_type *type = self->type;
    uint8_t *flags = self->cells.flags;
    const void *values = self->array->buffers[1];
    int64_t at = self->offset + first;
    if ((type->kind == ARROW_TIMESTAMP || type->kind == ARROW_DURATION) &&
        type->unit == ARROW_NANOSECOND) {
        for (size_t i = 0; i < count; i++) {
            bool is_null = ARROW_LOAD(int64_t, values, at + (int64_t)i) == INT64_MIN;
            flags[i] |= is_null ? CELL_NULL : 0;
        }
    }
    if (!formats->nan_is_null || !is_float(type->kind)) {
        return;
    }
    for (size_t i = 0; i < count; i++) {
        int64_t place = at + (int64_t)i;
        double value = type->kind == ARROW_FLOAT64 ? ARROW_LOAD(double, values, place)
                       : type->kind == ARROW_FLOAT32
                           ? (double)ARROW_LOAD(float, values, place)
                           : arrow_half(ARROW_LOAD(uint16_t, values, place));
        flags[i] |= isnan(value) ? CELL_NULL : 0;
    }
}

/* ---- columns ---- */

/* Write `count` texts to slots and return how many; fewer if one has no text. */
static size_t
write_slots(csv_column *self, int64_t first, size_t count, uint8_t *slots, size_t room)
{
    csv_cells *cells = &self->cells;
    const void *values = self->array->buffers[1];
    int64_t at = self->offset + first;
    const csv_formats *formats = cells->style->formats;
    arrow_kind kind = self->type->kind;
    bool has_point = formats->comma && (is_float(kind) || kind == ARROW_DECIMAL);
    flag_more_nulls(self, first, count);
    for (size_t i = 0; i < count; i++) {
        char *text = (char *)slots + i * room + 1;
        size_t length;
        if (cells->flags[i] & CELL_NULL) { /* a value out of range is no failure there */
            length = 0;
        }
        else if (self->type->kind == ARROW_FLOAT64) {
            length = write_double(ARROW_LOAD(double, values, at + (int64_t)i), text);
        }
        else if (self->type->kind == ARROW_INT64) {
            length = spell_int(ARROW_LOAD(int64_t, values, at + (int64_t)i), text);
        }
        else {
            length = write_value(self, at + (int64_t)i, text);
        }
        if (length == NO_TEXT && !(cells->flags[i] & CELL_NULL)) {
            return i;
        }
        if (has_point) {
            csv_formats_set_point(formats, text, length);
        }
        cells->cells[i] = (csv_cell){(const uint8_t *)text, length};
    }
    return count;
}

static void
put_quotes(csv_cells *cells, size_t count)
{
    uint8_t quote = cells->style->quotes[0];
    for (size_t i = 0; i < count; i++) {
        csv_cell *cell = &cells->cells[i];
        uint8_t *text = (uint8_t *)cell->start;
        text[-1] = quote;
        text[cell->length] = quote;
        *cell = (csv_cell){text - 1, cell->length + 2};
    }
}

static bool
is_number(arrow_kind kind)
{
    return kind == ARROW_BOOL || arrow_is_integer(kind) || kind == ARROW_FLOAT16 ||
           kind == ARROW_FLOAT32 || kind == ARROW_FLOAT64 || kind == ARROW_DECIMAL;
}

/* Whether a text of this kind can have a special character in this dialect, or be a formula.
 */
static bool
can_be_special(const csv_style *style, arrow_kind kind)
{
    if (!style->ascii || (kind == ARROW_DURATION && style->escape_formulas)) {
        return true;
    }
    const char *letters = kind == ARROW_BOOL       ? "TrueFalse"
                          : kind == ARROW_DECIMAL  ? "0123456789.-E+"
                          : kind == ARROW_DURATION ? "0123456789.-+: ,daysNT"
                          : arrow_is_integer(kind) ? "0123456789-"
                          : is_number(kind)        ? "0123456789.-e+infa"
                                                   : "0123456789.-+: NaT";
    for (; *letters != '\0'; letters++) {
        if (style->quoter->special[(uint8_t)*letters]) {
            return true;
        }
    }
    if (style->formats->comma && is_number(kind)) {
        return style->quoter->special[','] != 0;
    }
    return false;
}

static size_t
make_fields(csv_column *self, size_t count)
{
    csv_cells *cells = &self->cells;
    arrow_kind kind = self->type->kind;
    bool number = is_number(kind);
    bool quoted = number ? cells->style->quotes_number : cells->style->quotes_other;
    if (!can_be_special(cells->style, kind)) {
        if (quoted) {
            put_quotes(cells, count);
        }
        return csv_cells_set_nulls(cells, count);
    }
    for (size_t i = 0; i < count; i++) {
        cells->flags[i] |= (uint8_t)((quoted ? CELL_QUOTED : 0) | (number ? CELL_NUMBER : 0));
    }
    return csv_cells_quote(cells, count);
}

size_t
csv_column_fill_spelled(csv_column *self, int64_t first, size_t count)
{
    size_t room = self->type->kind == ARROW_DECIMAL ? DECIMAL_SLOT : SLOT;
    uint8_t *slots = csv_cells_slots(&self->cells, count, room);
    if (slots == NULL) {
        self->cells.result = CSV_RAISED;
        return 0;
    }
    size_t written = write_slots(self, first, count, slots, room);
    if (written == count) {
        return make_fields(self, count);
    }
    PyObject *raised = PyErr_GetRaisedException();
    size_t made = make_fields(self, written);
    if (made == written) {
        self->cells.result = CSV_RAISED;
        PyErr_SetRaisedException(raised);
    }
    else {
        Py_XDECREF(raised);
    }
    return made;
}
