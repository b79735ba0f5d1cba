/* Arrow's format strings.
 *
 * Most types are one or two characters, which stand in a table.  The others have a parameter
 * after a colon: the width of a value, precision and scale, a time zone, the ids of a union.
 * A schema comes from another library.  What is read of it is checked: the number of children,
 * their pointers, and the depth, because children are read by recursion.
 */
#include "arrow/format.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/memory.h"

#define DEEPEST 64

/* ---- types without a parameter ---- */

typedef struct {
    char format[4];
    arrow_kind kind;
    arrow_unit unit;
    int width;
} plain_format;

static const plain_format plain_formats[] = {
    {"n", ARROW_NULL, ARROW_SECOND, 0},
    {"b", ARROW_BOOL, ARROW_SECOND, 0},
    {"c", ARROW_INT8, ARROW_SECOND, 1},
    {"C", ARROW_UINT8, ARROW_SECOND, 1},
    {"s", ARROW_INT16, ARROW_SECOND, 2},
    {"S", ARROW_UINT16, ARROW_SECOND, 2},
    {"i", ARROW_INT32, ARROW_SECOND, 4},
    {"I", ARROW_UINT32, ARROW_SECOND, 4},
    {"l", ARROW_INT64, ARROW_SECOND, 8},
    {"L", ARROW_UINT64, ARROW_SECOND, 8},
    {"e", ARROW_FLOAT16, ARROW_SECOND, 2},
    {"f", ARROW_FLOAT32, ARROW_SECOND, 4},
    {"g", ARROW_FLOAT64, ARROW_SECOND, 8},
    {"z", ARROW_BINARY, ARROW_SECOND, 0},
    {"Z", ARROW_LARGE_BINARY, ARROW_SECOND, 0},
    {"vz", ARROW_BINARY_VIEW, ARROW_SECOND, 16},
    {"u", ARROW_UTF8, ARROW_SECOND, 0},
    {"U", ARROW_LARGE_UTF8, ARROW_SECOND, 0},
    {"vu", ARROW_UTF8_VIEW, ARROW_SECOND, 16},
    {"tdD", ARROW_DATE32, ARROW_SECOND, 4},
    {"tdm", ARROW_DATE64, ARROW_MILLISECOND, 8},
    {"tts", ARROW_TIME32, ARROW_SECOND, 4},
    {"ttm", ARROW_TIME32, ARROW_MILLISECOND, 4},
    {"ttu", ARROW_TIME64, ARROW_MICROSECOND, 8},
    {"ttn", ARROW_TIME64, ARROW_NANOSECOND, 8},
    {"tDs", ARROW_DURATION, ARROW_SECOND, 8},
    {"tDm", ARROW_DURATION, ARROW_MILLISECOND, 8},
    {"tDu", ARROW_DURATION, ARROW_MICROSECOND, 8},
    {"tDn", ARROW_DURATION, ARROW_NANOSECOND, 8},
    {"tiM", ARROW_INTERVAL_MONTHS, ARROW_SECOND, 4},
    {"tiD", ARROW_INTERVAL_DAYS, ARROW_SECOND, 8},
    {"tin", ARROW_INTERVAL_MIXED, ARROW_SECOND, 16},
    {"+l", ARROW_LIST, ARROW_SECOND, 0},
    {"+L", ARROW_LARGE_LIST, ARROW_SECOND, 0},
    {"+vl", ARROW_LIST_VIEW, ARROW_SECOND, 0},
    {"+vL", ARROW_LARGE_LIST_VIEW, ARROW_SECOND, 0},
    {"+s", ARROW_STRUCT, ARROW_SECOND, 0},
    {"+m", ARROW_MAP, ARROW_SECOND, 0},
    {"+r", ARROW_RUN_END, ARROW_SECOND, 0},
};

#define PLAIN_COUNT (sizeof plain_formats / sizeof *plain_formats)

static const char unit_letters[] = "smun";

static bool
read_plain(arrow_type *self, const char *format)
{
    for (size_t i = 0; i < PLAIN_COUNT; i++) {
        const plain_format *entry = &plain_formats[i];
        if (strcmp(entry->format, format) == 0) {
            self->kind = entry->kind;
            self->unit = entry->unit;
            self->width = entry->width;
            return true;
        }
    }
    return false;
}

/* ---- types with a parameter ---- */

/* Read a number of at most nine digits, which ends at `end` or at the end of the text, and set
 *rest to what comes after. */
static bool
read_number(const char *text, char end, int *number, const char **rest)
{
    bool negative = *text == '-';
    text += negative;
    int magnitude = 0, digits = 0;
    for (; *text >= '0' && *text <= '9' && digits < 9; text++, digits++) {
        magnitude = magnitude * 10 + (*text - '0');
    }
    if (digits == 0 || (*text != end && *text != '\0')) {
        return false;
    }
    *number = negative ? -magnitude : magnitude;
    *rest = *text == '\0' ? text : text + 1;
    return true;
}

static bool
read_width(arrow_type *self, arrow_kind kind, const char *parameter)
{
    int width;
    const char *rest;
    if (!read_number(parameter, '\0', &width, &rest) || width < 0) {
        return false;
    }
    self->kind = kind;
    self->width = width;
    return true;
}

/* "19,10", or "19,10,128" with the bits of a value. */
static bool
read_decimal(arrow_type *self, const char *parameter)
{
    int bits = 128;
    const char *rest;
    self->kind = ARROW_DECIMAL;
    if (!read_number(parameter, ',', &self->precision, &rest) || self->precision < 1 ||
        !read_number(rest, ',', &self->scale, &rest) ||
        (*rest != '\0' && !read_number(rest, '\0', &bits, &rest))) {
        return false;
    }
    self->width = bits / 8;
    return bits == 32 || bits == 64 || bits == 128 || bits == 256;
}

static bool
read_timestamp(arrow_type *self, const char *parameter)
{
    const char *letter = parameter[0] == '\0' ? NULL : strchr(unit_letters, parameter[0]);
    if (letter == NULL || parameter[1] != ':') {
        return false;
    }
    self->kind = ARROW_TIMESTAMP;
    self->unit = (arrow_unit)(letter - unit_letters);
    self->width = 8;
    self->zone = parameter + 2;
    return true;
}

static bool
read_union(arrow_type *self, arrow_kind kind, const char *ids)
{
    self->kind = kind;
    self->ids = ids;
    while (*ids != '\0') {
        int id;
        if (!read_number(ids, ',', &id, &ids) || id < 0 || id > INT8_MAX) {
            return false;
        }
    }
    return true;
}

static bool
read_format(arrow_type *self, const char *format)
{
    if (read_plain(self, format)) {
        return true;
    }
    if (strncmp(format, "w:", 2) == 0) {
        return read_width(self, ARROW_FIXED_BINARY, format + 2);
    }
    if (strncmp(format, "d:", 2) == 0) {
        return read_decimal(self, format + 2);
    }
    if (strncmp(format, "ts", 2) == 0) {
        return read_timestamp(self, format + 2);
    }
    if (strncmp(format, "+w:", 3) == 0) {
        return read_width(self, ARROW_FIXED_LIST, format + 3);
    }
    if (strncmp(format, "+ud:", 4) == 0) {
        return read_union(self, ARROW_DENSE_UNION, format + 4);
    }
    if (strncmp(format, "+us:", 4) == 0) {
        return read_union(self, ARROW_SPARSE_UNION, format + 4);
    }
    return false;
}

/* ---- schemas ---- */

static size_t
union_size(const char *ids)
{
    size_t count = *ids != '\0';
    for (; *ids != '\0'; ids++) {
        count += *ids == ',';
    }
    return count;
}

/* Whether a type may have these children and this dictionary. */
static bool
fits(const arrow_type *self)
{
    if (self->dictionary != NULL && !arrow_is_integer(self->kind)) {
        return false;
    }
    const arrow_type *child = self->children;
    switch (self->kind) {
    case ARROW_LIST:
    case ARROW_LARGE_LIST:
    case ARROW_LIST_VIEW:
    case ARROW_LARGE_LIST_VIEW:
    case ARROW_FIXED_LIST:
        return self->child_count == 1;
    case ARROW_MAP:
        return self->child_count == 1 && child->kind == ARROW_STRUCT &&
               child->child_count == 2;
    case ARROW_RUN_END:
        return self->child_count == 2 &&
               (child->kind == ARROW_INT16 || child->kind == ARROW_INT32 ||
                child->kind == ARROW_INT64) &&
               child->dictionary == NULL;
    case ARROW_STRUCT:
        return true;
    case ARROW_DENSE_UNION:
    case ARROW_SPARSE_UNION:
        return self->child_count == union_size(self->ids);
    default:
        return self->child_count == 0;
    }
}

static arrow_status read_type(arrow_type *self, const struct ArrowSchema *schema, int depth);

static arrow_status
read_children(arrow_type *self, const struct ArrowSchema *schema, int depth)
{
    if (schema->n_children < 0 || (schema->n_children > 0 && schema->children == NULL) ||
        (uint64_t)schema->n_children > SIZE_MAX / sizeof *self->children) {
        return ARROW_BAD_SCHEMA;
    }
    size_t count = (size_t)schema->n_children;
    if (count == 0) {
        return ARROW_OK;
    }
    self->children = CORE_REALLOC(NULL, count * sizeof *self->children);
    if (self->children == NULL) {
        return ARROW_NO_MEMORY;
    }
    arrow_status status = ARROW_OK;
    for (size_t i = 0; status == ARROW_OK && i < count; i++) {
        status = read_type(&self->children[i], schema->children[i], depth + 1);
        self->child_count++;
    }
    return status;
}

static arrow_status
read_dictionary(arrow_type *self, const struct ArrowSchema *schema, int depth)
{
    if (schema->dictionary == NULL) {
        return ARROW_OK;
    }
    self->dictionary = CORE_REALLOC(NULL, sizeof *self->dictionary);
    return self->dictionary == NULL
               ? ARROW_NO_MEMORY
               : read_type(self->dictionary, schema->dictionary, depth + 1);
}

static arrow_status
read_type(arrow_type *self, const struct ArrowSchema *schema, int depth)
{
    *self = (arrow_type){.kind = ARROW_NULL, .zone = "", .ids = "", .name = ""};
    if (schema == NULL || depth > DEEPEST) {
        return ARROW_BAD_SCHEMA;
    }
    if (schema->release == NULL) {
        return ARROW_RELEASED;
    }
    if (schema->format == NULL || !read_format(self, schema->format)) {
        return ARROW_UNKNOWN;
    }
    self->name = schema->name == NULL ? "" : schema->name;
    self->nullable = (schema->flags & ARROW_FLAG_NULLABLE) != 0;
    self->ordered = (schema->flags & ARROW_FLAG_DICTIONARY_ORDERED) != 0;
    self->sorted = (schema->flags & ARROW_FLAG_MAP_KEYS_SORTED) != 0;
    arrow_status status = read_children(self, schema, depth);
    if (status == ARROW_OK) {
        status = read_dictionary(self, schema, depth);
    }
    return status == ARROW_OK && !fits(self) ? ARROW_BAD_SCHEMA : status;
}

arrow_status
arrow_type_read(arrow_type *self, const struct ArrowSchema *schema)
{
    return read_type(self, schema, 0);
}

void
arrow_type_free(arrow_type *self)
{
    for (size_t i = 0; i < self->child_count; i++) {
        arrow_type_free(&self->children[i]);
    }
    CORE_FREE(self->children);
    if (self->dictionary != NULL) {
        arrow_type_free(self->dictionary);
        CORE_FREE(self->dictionary);
    }
    *self = (arrow_type){.kind = ARROW_NULL, .zone = "", .ids = "", .name = ""};
}

/* ---- back to format strings ---- */

static int
write_decimal(const arrow_type *self, char *text, size_t room)
{
    if (self->width == 16) {
        return snprintf(text, room, "d:%d,%d", self->precision, self->scale);
    }
    return snprintf(text, room, "d:%d,%d,%d", self->precision, self->scale,
                    (int)self->width * 8);
}

static int
write_plain(const arrow_type *self, char *text, size_t room)
{
    for (size_t i = 0; i < PLAIN_COUNT; i++) {
        const plain_format *entry = &plain_formats[i];
        bool has_unit =
            entry->format[0] == 't' && (entry->format[1] == 't' || entry->format[1] == 'D');
        if (entry->kind == self->kind && (!has_unit || entry->unit == self->unit)) {
            return snprintf(text, room, "%s", entry->format);
        }
    }
    return -1; /* no type has this unit */
}

size_t
arrow_type_format(const arrow_type *self, char *text, size_t room)
{
    int count;
    switch (self->kind) {
    case ARROW_FIXED_BINARY:
        count = snprintf(text, room, "w:%" PRId64, self->width);
        break;
    case ARROW_FIXED_LIST:
        count = snprintf(text, room, "+w:%" PRId64, self->width);
        break;
    case ARROW_DECIMAL:
        count = write_decimal(self, text, room);
        break;
    case ARROW_TIMESTAMP:
        count = snprintf(text, room, "ts%c:%s", unit_letters[self->unit],
                         self->zone == NULL ? "" : self->zone);
        break;
    case ARROW_DENSE_UNION:
        count = snprintf(text, room, "+ud:%s", self->ids);
        break;
    case ARROW_SPARSE_UNION:
        count = snprintf(text, room, "+us:%s", self->ids);
        break;
    default:
        count = write_plain(self, text, room);
        break;
    }
    return count < 0 || (size_t)count >= room ? 0 : (size_t)count;
}

int
arrow_buffer_count(arrow_kind kind)
{
    switch (kind) {
    case ARROW_NULL:
    case ARROW_RUN_END:
        return 0;
    case ARROW_STRUCT:
    case ARROW_FIXED_LIST:
    case ARROW_SPARSE_UNION:
        return 1;
    case ARROW_BINARY:
    case ARROW_LARGE_BINARY:
    case ARROW_UTF8:
    case ARROW_LARGE_UTF8:
    case ARROW_BINARY_VIEW:
    case ARROW_UTF8_VIEW:
    case ARROW_LIST_VIEW:
    case ARROW_LARGE_LIST_VIEW:
        return 3;
    default:
        return 2;
    }
}
