#include "core/buffer.h"

#include <string.h>

#include "core/memory.h"
#include "core/units.h"

void
buffer_init(buffer *self)
{
    *self = (buffer){.width = 1};
}

void
buffer_free(buffer *self)
{
    CORE_FREE(self->data);
    buffer_init(self);
}

/* Write `count` units into wider ones.  It goes from the last unit to the first, so that `to`
   may be `from`. */
static void
spread(void *to, int to_width, const void *from, int from_width, size_t count)
{
    while (count-- > 0) {
        set_unit(to, count, to_width, unit_at(from, count, from_width));
    }
}

buffer_status
buffer_reserve(buffer *self, size_t more, int width)
{
    if (width < self->width) {
        width = self->width;
    }
    if (more > BUFFER_LIMIT - self->length) {
        return BUFFER_TOO_LONG;
    }
    size_t needed = self->length + more;
    size_t bytes_held = self->capacity * (size_t)self->width;
    if (self->data == NULL || needed > bytes_held / (size_t)width) {
        size_t doubled = 2 * self->capacity;
        size_t capacity = needed > doubled ? needed : doubled;
        if (capacity > BUFFER_LIMIT) {
            capacity = BUFFER_LIMIT;
        }
        if (capacity > SIZE_MAX / (size_t)width) {
            return BUFFER_NO_MEMORY;
        }
        size_t size = capacity * (size_t)width;
        uint8_t *data = CORE_REALLOC(self->data, size > 0 ? size : 1);
        if (data == NULL) {
            return BUFFER_NO_MEMORY;
        }
        self->data = data;
        bytes_held = size;
    }
    if (width > self->width) {
        spread(self->data, width, self->data, self->width, self->length);
        self->width = width;
    }
    self->capacity = bytes_held / (size_t)width;
    return BUFFER_OK;
}

buffer_status
buffer_append(buffer *self, const void *units, size_t count, int width)
{
    buffer_status status = buffer_reserve(self, count, width);
    if (status != BUFFER_OK) {
        return status;
    }
    uint8_t *end = self->data + self->length * (size_t)self->width;
    if (width == self->width) {
        if (count > 0) {
            memcpy(end, units, count * (size_t)width);
        }
    }
    else {
        spread(end, self->width, units, width, count);
    }
    self->length += count;
    return BUFFER_OK;
}

buffer_status
buffer_append_unit(buffer *self, uint32_t unit)
{
    int width = unit <= UINT8_MAX ? 1 : unit <= UINT16_MAX ? 2 : 4;
    buffer_status status = buffer_reserve(self, 1, width);
    if (status != BUFFER_OK) {
        return status;
    }
    uint8_t *end = self->data + self->length * (size_t)self->width;
    set_unit(end, 0, self->width, unit);
    self->length++;
    return BUFFER_OK;
}

uint32_t
buffer_unit(const buffer *self, size_t index)
{
    return unit_at(self->data, index, self->width);
}

void
buffer_cut(buffer *self, size_t length)
{
    if (length == 0) {
        self->capacity *= (size_t)self->width;
        self->width = 1;
    }
    self->length = length;
}

void
buffer_drop(buffer *self, size_t count)
{
    size_t left = self->length - count;
    if (left > 0 && count > 0) {
        memmove(self->data, self->data + count * (size_t)self->width,
                left * (size_t)self->width);
    }
    buffer_cut(self, left);
}
