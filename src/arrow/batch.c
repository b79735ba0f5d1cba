/* Record batches: see batch.h.
 *
 * A batch owns what the column machine made, and keeps beside it the pointers that the C data
 * interface wants, so that exporting a column takes no memory of its own.
 */
#include "arrow/batch.h"

#include <string.h>

#include "core/memory.h"

/* What an empty buffer points to: some libraries do not take NULL. */
static const _Alignas(COLUMNS_ALIGNMENT) uint8_t nothing[COLUMNS_ALIGNMENT];

static void *
new_zeroed(size_t count, size_t size)
{
    void *memory = CORE_REALLOC(NULL, count * size + 1);
    if (memory != NULL) {
        memset(memory, 0, count * size);
    }
    return memory;
}

/* ---- fields ---- */

arrow_fields *
arrow_fields_new(size_t count)
{
    arrow_fields *self = new_zeroed(1, sizeof *self);
    arrow_field *items = new_zeroed(count, sizeof *items);
    if (self == NULL || items == NULL) {
        CORE_FREE(self);
        CORE_FREE(items);
        return NULL;
    }
    arrow_references_add(&self->references);
    self->items = items;
    self->count = count;
    return self;
}

bool
arrow_field_set_name(arrow_field *self, const char *name, size_t length)
{
    char *copy = CORE_REALLOC(NULL, length + 1);
    if (copy == NULL) {
        return false;
    }
    memcpy(copy, name, length);
    copy[length] = '\0';
    CORE_FREE(self->name);
    self->name = copy;
    self->name_length = length;
    return true;
}

void
arrow_fields_release(arrow_fields *self)
{
    if (self == NULL || !arrow_references_drop(&self->references)) {
        return;
    }
    for (size_t i = 0; i < self->count; i++) {
        CORE_FREE(self->items[i].name);
    }
    CORE_FREE(self->items);
    CORE_FREE(self);
}

bool
arrow_field_types_equal(const arrow_field *self, const arrow_field *other)
{
    return self->is_dictionary == other->is_dictionary &&
           strcmp(self->format, other->format) == 0;
}

bool
arrow_fields_equal(const arrow_fields *self, const arrow_fields *other)
{
    if (self->count != other->count) {
        return false;
    }
    for (size_t i = 0; i < self->count; i++) {
        const arrow_field *a = &self->items[i], *b = &other->items[i];
        if (a->name_length != b->name_length || !arrow_field_types_equal(a, b) ||
            memcmp(a->name, b->name, a->name_length) != 0) {
            return false;
        }
    }
    return true;
}

/* ---- batches ---- */

static const void *
data_of(const columns_buffer *buffer)
{
    return buffer->data == NULL ? nothing : buffer->data;
}

static void
set_buffers(arrow_buffers *self, const columns_array *array)
{
    self->buffers[0] = array->null_count == 0 ? NULL : data_of(&array->validity);
    self->buffers[1] = data_of(&array->values);
    self->buffer_count = 2;
    switch (array->kind) {
    case COLUMNS_UTF8:
    case COLUMNS_LARGE_UTF8:
    case COLUMNS_BINARY:
        self->buffers[2] = data_of(&array->data);
        self->buffer_count = 3;
        break;
    case COLUMNS_UTF8_VIEW:
        self->view_bytes = (int64_t)array->data.length;
        self->buffers[2] = data_of(&array->data);
        self->buffers[3] = &self->view_bytes;
        self->buffer_count = 4;
        break;
    case COLUMNS_DICTIONARY:
        self->of_entries[1] = data_of(&array->entries);
        self->of_entries[2] = data_of(&array->data);
        break;
    default:
        break;
    }
}

arrow_batch *
arrow_batch_new(arrow_fields *schema, columns_batch *made)
{
    arrow_batch *self = new_zeroed(1, sizeof *self);
    arrow_buffers *exported = new_zeroed(made->count, sizeof *exported);
    if (self == NULL || exported == NULL) {
        CORE_FREE(self);
        CORE_FREE(exported);
        return NULL;
    }
    arrow_references_add(&self->references);
    self->fields = arrow_fields_hold(schema);
    self->exported = exported;
    self->made = *made;
    memset(made, 0, sizeof *made);
    for (uint32_t i = 0; i < self->made.count; i++) {
        set_buffers(&exported[i], &self->made.arrays[i]);
    }
    return self;
}

void
arrow_batch_release(arrow_batch *self)
{
    if (self == NULL || !arrow_references_drop(&self->references)) {
        return;
    }
    columns_batch_free(&self->made);
    arrow_fields_release(self->fields);
    CORE_FREE(self->exported);
    CORE_FREE(self);
}

/* ---- values ---- */

size_t
arrow_value_size(columns_kind kind)
{
    switch (kind) {
    case COLUMNS_INT8:
    case COLUMNS_UINT8:
        return 1;
    case COLUMNS_INT16:
    case COLUMNS_UINT16:
        return 2;
    case COLUMNS_INT32:
    case COLUMNS_UINT32:
    case COLUMNS_FLOAT32:
    case COLUMNS_DATE32:
        return 4;
    case COLUMNS_INT64:
    case COLUMNS_UINT64:
    case COLUMNS_FLOAT64:
    case COLUMNS_TIME64:
    case COLUMNS_TIMESTAMP:
        return 8;
    case COLUMNS_DECIMAL128:
        return 16;
    default:
        return 0;
    }
}

typedef struct {
    const uint8_t *bytes;
    size_t length;
} slice;

/* The bytes that stand for a value which is there. */
static slice
bytes_of(const columns_array *self, int64_t index)
{
    const uint8_t *values = self->values.data, *data = self->data.data;
    switch (self->kind) {
    case COLUMNS_UTF8:
    case COLUMNS_BINARY: {
        const int32_t *ends = (const int32_t *)values + index;
        return (slice){data + ends[0], (size_t)(ends[1] - ends[0])};
    }
    case COLUMNS_LARGE_UTF8: {
        const int64_t *ends = (const int64_t *)values + index;
        return (slice){data + ends[0], (size_t)(ends[1] - ends[0])};
    }
    case COLUMNS_DICTIONARY: {
        const int32_t *ends =
            (const int32_t *)self->entries.data + ((const int32_t *)values)[index];
        return (slice){data + ends[0], (size_t)(ends[1] - ends[0])};
    }
    case COLUMNS_UTF8_VIEW: {
        const uint8_t *view = values + index * 16;
        int32_t parts[4]; /* length, first bytes, block, offset */
        memcpy(parts, view, sizeof parts);
        return (slice){parts[0] <= 12 ? view + 4 : data + parts[3], (size_t)parts[0]};
    }
    default: {
        size_t size = arrow_value_size(self->kind);
        return (slice){values + (size_t)index * size, size};
    }
    }
}

static bool
values_equal(const columns_array *self, const columns_array *other, int64_t index)
{
    if (self->kind == COLUMNS_BOOL) {
        int byte = self->values.data[index >> 3] ^ other->values.data[index >> 3];
        return (byte >> (index & 7) & 1) == 0;
    }
    slice a = bytes_of(self, index), b = bytes_of(other, index);
    if (self->kind == COLUMNS_FLOAT64) {
        double x, y;
        memcpy(&x, a.bytes, sizeof x);
        memcpy(&y, b.bytes, sizeof y);
        return x == y;
    }
    if (self->kind == COLUMNS_FLOAT32) {
        float x, y;
        memcpy(&x, a.bytes, sizeof x);
        memcpy(&y, b.bytes, sizeof y);
        return x == y;
    }
    return a.length == b.length && (a.length == 0 || memcmp(a.bytes, b.bytes, a.length) == 0);
}

bool
arrow_columns_equal(const columns_array *self, const columns_array *other)
{
    if (self->kind != other->kind || self->length != other->length ||
        self->null_count != other->null_count) {
        return false;
    }
    for (int64_t i = 0; i < self->length; i++) {
        bool has = arrow_has_value(self, i);
        if (has != arrow_has_value(other, i) || (has && !values_equal(self, other, i))) {
            return false;
        }
    }
    return true;
}
