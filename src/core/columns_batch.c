#include "core/columns_batch.h"

#include <string.h>

static void
list_buffers(columns_array *array, columns_buffer *buffers[4])
{
    buffers[0] = &array->validity;
    buffers[1] = &array->values;
    buffers[2] = &array->data;
    buffers[3] = &array->entries;
}

static size_t
padded(size_t length)
{
    return (length + COLUMNS_ALIGNMENT - 1) / COLUMNS_ALIGNMENT * COLUMNS_ALIGNMENT;
}

/* Copy the buffers into an arena of the right size, if there is memory. */
static void
move_buffers(columns_batch *self, size_t used)
{
    columns_buffer *buffers[4], moved;
    columns_arena arena = {0}, old = self->arena;
    moved = (columns_buffer){0};
    if (!columns_arena_reserve(&arena, self->allocate, &moved, COLUMNS_ALIGNMENT, used)) {
        return;
    }
    arena.at = moved.data; /* all of it is free */
    for (uint32_t j = 0; j < self->count; j++) {
        list_buffers(&self->arrays[j], buffers);
        for (int i = 0; i < 4; i++) {
            if (buffers[i]->data == NULL) {
                continue;
            }
            moved = (columns_buffer){0};
            /* It is in the chunk that there is. */
            (void)columns_arena_reserve(&arena, self->allocate, &moved, buffers[i]->length,
                                        used);
            memcpy(moved.data, buffers[i]->data, buffers[i]->length);
            moved.length = buffers[i]->length;
            *buffers[i] = moved;
        }
    }
    self->arena = arena;
    columns_arena_free(&old, self->allocate);
}

size_t
columns_batch_trim(columns_batch *self)
{
    columns_buffer *buffers[4];
    size_t used = 0;
    for (int pass = 0; pass < 2; pass++) {
        used = 0;
        for (uint32_t j = 0; j < self->count; j++) {
            list_buffers(&self->arrays[j], buffers);
            for (int i = 0; i < 4; i++) {
                if (buffers[i]->data != NULL) {
                    size_t length = buffers[i]->length, end = padded(length);
                    memset(buffers[i]->data + length, 0, end - length);
                    used += end > 0 ? end : COLUMNS_ALIGNMENT;
                }
            }
        }
        if (pass == 0 && self->arena.taken > used + used / 4) {
            move_buffers(self, used);
        }
    }
    return used + used / 8;
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
    columns_arena_free(&self->arena, self->allocate);
    self->allocate(self->arrays, 0);
    *self = (columns_batch){0};
}

size_t
columns_batch_size(const columns_batch *self)
{
    columns_buffer *buffers[4];
    size_t total = self->count * sizeof *self->arrays + self->arena.held;
    for (uint32_t j = 0; j < self->count; j++) {
        list_buffers(&self->arrays[j], buffers);
        for (int i = 0; i < 4; i++) {
            total += buffers[i]->memory != NULL ? buffers[i]->capacity : 0;
        }
    }
    return total;
}
