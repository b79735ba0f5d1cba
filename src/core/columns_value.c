/* One loop for each kind: `kind` is constant in it. */
#include "core/columns_value.h"

#include "core/convert_moment.h"
#include "core/digits.h"
#include "core/number.h"
#include "core/number_decimal.h"
#include "core/number_moment.h"

#define DAY INT64_C(86400)

/* A value as its bits, in the lowest bytes. */
typedef union {
    uint64_t bits;
    int64_t whole;
    float single;
    double real;
    wide decimal;
} value;

/* ---- integers ---- */

/* Read a whole number of at most 64 bits, from `least` to `most`. */
INLINE bool
read_whole(const uint8_t *text, size_t length, int64_t least, int64_t most, value *out)
{
    uint64_t total;
    bool negative;
    if (!take_integer(text, length, 19, &total, &negative) ||
        total > (uint64_t)INT64_MAX + negative) {
        return false;
    }
    out->whole = negative ? (int64_t)(0 - total) : (int64_t)total;
    return out->whole >= least && out->whole <= most;
}

/* ---- moments ---- */

/* The largest seconds whose nanoseconds fit for certain. */
#define MOST_SECONDS (INT64_MAX / 1000000000 - 1)

static bool
read_timestamp(const columns_spec *spec, const uint8_t *text, size_t length, value *out)
{
    static const int parts[] = {1, 1000, 1000000, 1000000000};
    const int per_second = parts[spec->unit];
    number_timestamp_value moment;
    if (number_timestamp(text, length, &moment) != NUMBER_OK || moment.zoned != spec->zoned) {
        return false;
    }
    const int step = 1000000000 / per_second; /* nanoseconds of one unit */
    if (moment.nanosecond % step != 0) {
        return false;
    }
    if (spec->unit == COLUMNS_NANOSECONDS &&
        (moment.seconds > MOST_SECONDS || moment.seconds < -MOST_SECONDS)) {
        return false;
    }
    out->whole = moment.seconds * per_second + moment.nanosecond / step;
    return true;
}

static bool
read_date(const uint8_t *text, size_t length, value *out)
{
    number_date_value date;
    if (number_date(text, length, &date) != NUMBER_OK) {
        return false;
    }
    out->whole = number_days(&date);
    return true;
}

/* ---- any kind ---- */

INLINE bool
read_value(columns_kind kind, const columns_spec *spec, const uint8_t *text, size_t length,
           value *out)
{
    bool truth = false;
    switch (kind) {
    case COLUMNS_BOOL:
        if (number_bool(text, length, &truth) != NUMBER_OK) {
            return false;
        }
        out->bits = truth;
        return true;
    case COLUMNS_INT8:
        return read_whole(text, length, INT8_MIN, INT8_MAX, out);
    case COLUMNS_INT16:
        return read_whole(text, length, INT16_MIN, INT16_MAX, out);
    case COLUMNS_INT32:
        return read_whole(text, length, INT32_MIN, INT32_MAX, out);
    case COLUMNS_INT64:
        return read_whole(text, length, INT64_MIN, INT64_MAX, out);
    case COLUMNS_UINT8:
        return read_whole(text, length, 0, UINT8_MAX, out);
    case COLUMNS_UINT16:
        return read_whole(text, length, 0, UINT16_MAX, out);
    case COLUMNS_UINT32:
        return read_whole(text, length, 0, UINT32_MAX, out);
    case COLUMNS_UINT64:
        return number_uint64(text, length, &out->bits) == NUMBER_OK;
    case COLUMNS_FLOAT32:
        return number_float(text, length, &out->single) == NUMBER_OK;
    case COLUMNS_FLOAT64:
        return number_double(text, length, &out->real) == NUMBER_OK;
    case COLUMNS_DATE32:
        return read_date(text, length, out);
    case COLUMNS_TIME64:
        return number_time(text, length, &out->whole) == NUMBER_OK;
    case COLUMNS_TIMESTAMP:
        return read_timestamp(spec, text, length, out);
    default:
        return number_decimal(text, length, spec->precision, spec->scale, &out->decimal) ==
               NUMBER_OK;
    }
}

INLINE void
set_value(columns_kind kind, uint8_t *values, int64_t row, const value *v)
{
    switch (columns_value_size(kind)) {
    case 0:
        columns_set_bit(values, row, v->bits & 1);
        break;
    case 1:
        values[row] = (uint8_t)v->bits;
        break;
    case 2:
        ((uint16_t *)values)[row] = (uint16_t)v->bits;
        break;
    case 4:
        if (kind == COLUMNS_FLOAT32) {
            ((float *)values)[row] = v->single;
        }
        else {
            ((uint32_t *)values)[row] = (uint32_t)v->bits;
        }
        break;
    case 8:
        ((uint64_t *)values)[row] = v->bits;
        break;
    default:
        columns_put_decimal(values, row, v->decimal);
    }
}

/* Lay out what is no value: the placeholder, and a null or a question. */
static bool
lay_other(const columns_region *g, uint32_t j, size_t i, const columns_content *content)
{
    if (content->failed) {
        return false;
    }
    if (columns_content_is_null(g, &g->self->layout->specs[j], content)) {
        return columns_lay_null(g, j, i);
    }
    return columns_ask(g, COLUMNS_ASKS_VALUE, i, j);
}

INLINE bool
lay_values(const columns_region *g, uint32_t j, columns_kind kind)
{
    columns *self = g->self;
    const columns_spec *spec = &self->layout->specs[j];
    uint8_t *values = self->columns[j].array.values.data;
    const uint32_t hard_flags = columns_hard_flags(g, false);
    const bool hard = columns_is_hard(g);
    for (size_t i = 0; i < g->count; i++) {
        columns_content content =
            columns_read(g, &g->records[i], spec->field, hard, hard_flags, false);
        value v;
        memset(&v, 0, sizeof v);
        bool fine = content.length > 0 &&
                    (!spec->takes_nulls || !columns_content_is_null(g, spec, &content)) &&
                    read_value(kind, spec, content.bytes, content.length, &v);
        if (!fine) {
            memset(&v, 0, sizeof v);
        }
        set_value(kind, values, self->row_mark + (int64_t)i, &v);
        if (!fine && !lay_other(g, j, i, &content)) {
            return false;
        }
    }
    return true;
}

/* ---- by a rule ---- */

static bool
read_moment(const convert_rule *rule, const uint8_t *text, size_t length, value *out)
{
    number_datetime_value v;
    if (convert_moment(rule, text, length, &v) != NUMBER_OK) {
        return false;
    }
    const int64_t days = number_days(&v.date);
    const int64_t time =
        ((v.hour * 60 + v.minute) * INT64_C(60) + v.second) * 1000000 + v.microsecond;
    out->whole = rule->kind == CONVERT_DATE   ? days
                 : rule->kind == CONVERT_TIME ? time
                                              : days * DAY * 1000000 + time;
    return true;
}

static bool
read_by_rule(const convert_rule *rule, const uint8_t *text, size_t length, value *out)
{
    bool truth = false;
    switch (rule->kind) {
    case CONVERT_NUMBER:
        return convert_number(rule, text, length, &out->real) == NUMBER_OK;
    case CONVERT_INTEGER:
        return convert_integer(rule, text, length, &out->whole) == NUMBER_OK;
    case CONVERT_DECIMAL:
        return convert_decimal(rule, text, length, &out->decimal) == NUMBER_OK;
    case CONVERT_BOOLEAN:
        if (convert_boolean(rule, text, length, &truth) != NUMBER_OK) {
            return false;
        }
        out->bits = truth;
        return true;
    default:
        return read_moment(rule, text, length, out);
    }
}

static bool
lay_by_rule(const columns_region *g, uint32_t j)
{
    columns *self = g->self;
    const columns_spec *spec = &self->layout->specs[j];
    uint8_t *values = self->columns[j].array.values.data;
    const uint32_t hard_flags = columns_hard_flags(g, false);
    const bool hard = columns_is_hard(g);
    for (size_t i = 0; i < g->count; i++) {
        columns_content content =
            columns_read(g, &g->records[i], spec->field, hard, hard_flags, false);
        value v;
        memset(&v, 0, sizeof v);
        const bool fine = content.length > 0 && !columns_content_is_null(g, spec, &content) &&
                          read_by_rule(spec->rule, content.bytes, content.length, &v);
        set_value(spec->kind, values, self->row_mark + (int64_t)i, &v);
        if (!fine && !lay_other(g, j, i, &content)) {
            return false;
        }
    }
    return true;
}

bool
columns_lay_values(const columns_region *g, uint32_t j)
{
    if (g->self->layout->specs[j].rule != NULL) {
        return lay_by_rule(g, j);
    }
#define LAY(kind) \
    case kind:    \
        return lay_values(g, j, kind);
    switch (g->self->layout->specs[j].kind) {
        LAY(COLUMNS_BOOL)
        LAY(COLUMNS_INT8)
        LAY(COLUMNS_INT16)
        LAY(COLUMNS_INT32)
        LAY(COLUMNS_INT64)
        LAY(COLUMNS_UINT8)
        LAY(COLUMNS_UINT16)
        LAY(COLUMNS_UINT32)
        LAY(COLUMNS_UINT64)
        LAY(COLUMNS_FLOAT32)
        LAY(COLUMNS_FLOAT64)
        LAY(COLUMNS_DATE32)
        LAY(COLUMNS_TIME64)
        LAY(COLUMNS_TIMESTAMP)
    default:
        return lay_values(g, j, COLUMNS_DECIMAL128);
    }
#undef LAY
}
