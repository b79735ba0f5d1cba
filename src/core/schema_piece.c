#include "core/schema_piece.h"

#include <stdlib.h>

static void *
piece_begin(const void *context, void *piece)
{
    const schema *owner = context;
    schema *self = piece;
    if (self == NULL) {
        self = malloc(sizeof *self);
        if (self == NULL || !schema_init(self, owner->layout, pipeline_memory)) {
            free(self);
            return NULL;
        }
    }
    schema_restart(self, owner);
    return self;
}

static bool
piece_add(void *piece, const columns_records *records)
{
    schema_status status = schema_add(piece, records, 0, records->count, 0);
    return status == SCHEMA_FINE || status == SCHEMA_STOPPED;
}

static void
piece_free(void *piece)
{
    schema_free(piece);
    free(piece);
}

bool
schema_piece_stopped(const schema *piece)
{
    for (uint32_t j = 0; j < piece->layout->count; j++) {
        if (piece->columns[j].stopped != SIZE_MAX) {
            return true;
        }
    }
    return false;
}

const pipeline_work schema_piece_work = {piece_begin, piece_add, piece_free};
