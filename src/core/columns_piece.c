#include "core/columns_piece.h"

#include <stdlib.h>

#include "core/columns.h"

static void *
piece_begin(const void *context, void *piece)
{
    if (piece != NULL) {
        columns_clear(piece);
        return piece;
    }
    columns *made = malloc(sizeof *made);
    if (made != NULL && !columns_init(made, context, pipeline_memory)) {
        columns_free(made);
        free(made);
        return NULL;
    }
    return made;
}

static bool
piece_add(void *piece, const columns_records *records)
{
    size_t at = 0;
    columns_status status = columns_append(piece, records, &at, INT32_MAX);
    return status == COLUMNS_FINE && at == records->count;
}

static void
piece_free(void *piece)
{
    columns_free(piece);
    free(piece);
}

const pipeline_work columns_piece_work = {piece_begin, piece_add, piece_free};
