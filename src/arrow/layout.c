/* Which of Arrow's types the column machine can lay out, and what each is called. */
#include "arrow/layout.h"

#include <stdio.h>
#include <string.h>

typedef struct {
    columns_kind kind;
    arrow_kind arrow;
    const char *name;
} known_type;

/* Those without parameters. */
static const known_type known_types[] = {
    {COLUMNS_UTF8, ARROW_UTF8, "string"},
    {COLUMNS_LARGE_UTF8, ARROW_LARGE_UTF8, "large_string"},
    {COLUMNS_UTF8_VIEW, ARROW_UTF8_VIEW, "string_view"},
    {COLUMNS_BINARY, ARROW_BINARY, "binary"},
    {COLUMNS_BOOL, ARROW_BOOL, "bool"},
    {COLUMNS_INT8, ARROW_INT8, "int8"},
    {COLUMNS_INT16, ARROW_INT16, "int16"},
    {COLUMNS_INT32, ARROW_INT32, "int32"},
    {COLUMNS_INT64, ARROW_INT64, "int64"},
    {COLUMNS_UINT8, ARROW_UINT8, "uint8"},
    {COLUMNS_UINT16, ARROW_UINT16, "uint16"},
    {COLUMNS_UINT32, ARROW_UINT32, "uint32"},
    {COLUMNS_UINT64, ARROW_UINT64, "uint64"},
    {COLUMNS_FLOAT32, ARROW_FLOAT32, "float32"},
    {COLUMNS_FLOAT64, ARROW_FLOAT64, "float64"},
    {COLUMNS_DATE32, ARROW_DATE32, "date32"},
};

#define KNOWN_TYPES (sizeof known_types / sizeof *known_types)

static const arrow_unit units[] = {
    [COLUMNS_SECONDS] = ARROW_SECOND,
    [COLUMNS_MILLISECONDS] = ARROW_MILLISECOND,
    [COLUMNS_MICROSECONDS] = ARROW_MICROSECOND,
    [COLUMNS_NANOSECONDS] = ARROW_NANOSECOND,
};

static columns_unit
unit_of(arrow_unit unit)
{
    columns_unit found = COLUMNS_SECONDS;
    while (units[found] != unit) {
        found++;
    }
    return found;
}

static const known_type *
find_kind(columns_kind kind)
{
    for (size_t i = 0; i < KNOWN_TYPES; i++) {
        if (known_types[i].kind == kind) {
            return &known_types[i];
        }
    }
    return NULL;
}

bool
arrow_layout_read(columns_spec *spec, const arrow_type *type)
{
    if (type->dictionary != NULL) {
        spec->kind = COLUMNS_DICTIONARY;
        return type->kind == ARROW_INT32 && type->dictionary->kind == ARROW_UTF8 &&
               type->dictionary->dictionary == NULL;
    }
    switch (type->kind) {
    case ARROW_TIME64:
        spec->kind = COLUMNS_TIME64;
        return type->unit == ARROW_MICROSECOND;
    case ARROW_TIMESTAMP:
        spec->kind = COLUMNS_TIMESTAMP;
        spec->unit = unit_of(type->unit);
        spec->zoned = type->zone[0] != '\0';
        return true;
    case ARROW_DECIMAL:
        spec->kind = COLUMNS_DECIMAL128;
        spec->precision = (uint8_t)type->precision;
        spec->scale = (int8_t)type->scale;
        return type->width == 16 && type->precision >= 1 && type->precision <= 38 &&
               type->scale >= -38 && type->scale <= 38;
    default:
        break;
    }
    for (size_t i = 0; i < KNOWN_TYPES; i++) {
        if (known_types[i].arrow == type->kind) {
            spec->kind = known_types[i].kind;
            return true;
        }
    }
    return false;
}

bool
arrow_layout_set_format(arrow_field *field, const columns_spec *spec, const char *zone)
{
    arrow_type type = {.kind = ARROW_UTF8, .zone = zone, .name = "", .ids = ""};
    field->is_dictionary = spec->kind == COLUMNS_DICTIONARY;
    field->nullable = !spec->not_null;
    switch (spec->kind) {
    case COLUMNS_DICTIONARY:
        break;
    case COLUMNS_TIME64:
        type.kind = ARROW_TIME64;
        type.unit = ARROW_MICROSECOND;
        break;
    case COLUMNS_TIMESTAMP:
        type.kind = ARROW_TIMESTAMP;
        type.unit = units[spec->unit];
        break;
    case COLUMNS_DECIMAL128:
        type.kind = ARROW_DECIMAL;
        type.width = 16;
        type.precision = spec->precision;
        type.scale = spec->scale;
        break;
    default:
        type.kind = find_kind(spec->kind)->arrow;
        break;
    }
    return arrow_type_format(&type, field->format, sizeof field->format) > 0;
}

static void
release_nothing(struct ArrowSchema *self)
{
    self->release = NULL;
}

bool
arrow_layout_of_field(columns_spec *spec, const arrow_field *field)
{
    struct ArrowSchema values = {
        .format = field->format, .name = "", .release = release_nothing};
    arrow_type type;
    bool known = arrow_type_read(&type, &values) == ARROW_OK;
    *spec = (columns_spec){.kind = COLUMNS_DICTIONARY, .not_null = !field->nullable};
    if (known) {
        known =
            field->is_dictionary ? type.kind == ARROW_UTF8 : arrow_layout_read(spec, &type);
    }
    arrow_type_free(&type);
    return known;
}

void
arrow_layout_name(const columns_spec *spec, char name[ARROW_LONGEST_NAME])
{
    static const char *const unit_names[] = {"s", "ms", "us", "ns"};
    const char *zone = spec->zoned ? ", with a zone" : "";
    switch (spec->kind) {
    case COLUMNS_DICTIONARY:
        strcpy(name, "dictionary of string");
        break;
    case COLUMNS_TIME64:
        strcpy(name, "time64[us]");
        break;
    case COLUMNS_TIMESTAMP:
        snprintf(name, ARROW_LONGEST_NAME, "timestamp[%s%s]", unit_names[spec->unit], zone);
        break;
    case COLUMNS_DECIMAL128:
        snprintf(name, ARROW_LONGEST_NAME, "decimal128(%d, %d)", spec->precision, spec->scale);
        break;
    default:
        strcpy(name, find_kind(spec->kind)->name);
        break;
    }
}
