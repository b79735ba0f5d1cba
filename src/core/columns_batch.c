#include "core/columns_batch.h"

static void
list_buffers(columns_array *array, columns_buffer *buffers[4])
{
    buffers[0] = &array->validity;
    buffers[1] = &array->values;
    buffers[2] = &array->data;
    buffers[3] = &array->entries;
}

void
columns_batch_free(columns_batch *self)
{
    columns_buffer *buffers[4];
    if (self->arrays == NULL) {
        return;
    }
    for (uint32_t j = 0; j < self->count; j++) {
        list_buffers(&self->arrays[j], buffers);
        for (int i = 0; i < 4; i++) {
            columns_buffer_free(buffers[i], self->allocate);
        }
    }
    self->allocate(self->arrays, 0);
    *self = (columns_batch){0};
}

size_t
columns_batch_size(const columns_batch *self)
{
    columns_buffer *buffers[4];
    size_t total = self->count * sizeof *self->arrays;
    for (uint32_t j = 0; j < self->count; j++) {
        list_buffers(&self->arrays[j], buffers);
        for (int i = 0; i < 4; i++) {
            total += buffers[i]->capacity;
        }
    }
    return total;
}
