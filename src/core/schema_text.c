#include "core/schema_text.h"

bool
schema_text_copy(schema_text *self, columns_allocator allocate, const uint8_t *bytes,
                 size_t length)
{
    self->bytes = NULL;
    self->length = 0;
    if (!columns_buffer_reserve(&self->memory, allocate, length)) {
        return false;
    }
    if (length > 0) {
        memcpy(self->memory.data, bytes, length);
    }
    self->memory.length = length;
    self->bytes = self->memory.data;
    self->length = length;
    return true;
}

bool
schema_text_own(schema_text *self, columns_allocator allocate)
{
    return self->bytes == NULL || self->bytes == self->memory.data ||
           schema_text_copy(self, allocate, self->bytes, self->length);
}

void
schema_sample_set(schema_sample *self, uint64_t record, const uint8_t *bytes, size_t length)
{
    size_t kept = length;
    if (length > SCHEMA_SAMPLE) {
        kept = SCHEMA_SAMPLE;
        while (kept > 0 && (bytes[kept] & 0xC0) == 0x80) {
            kept--;
        }
    }
    self->record = record;
    self->length = (uint8_t)kept;
    self->cut = kept < length;
    if (kept > 0) {
        memcpy(self->text, bytes, kept);
    }
}
