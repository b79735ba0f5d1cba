/* Fields and batches as structs of the C data interface.
 *
 * The private data of an exported struct is the fields or the batch, held once.  All pointers
 * go into these, so that a child may be moved out of its parent and outlive it.  What a parent
 * needs beside them, its children and their list, is one block, `children`, which it frees; so
 * is the dictionary of a column.
 *
 * The release functions run on any thread, without the interpreter.
 */
#include "arrow/export.h"

#include <string.h>

#include "core/memory.h"

#define INDICES "i" /* the format of a dictionary's indices */

/* ---- schemas ---- */

/* Release the children that were not moved out. */
static void
release_children_of_schema(struct ArrowSchema *self)
{
    for (int64_t i = 0; i < self->n_children; i++) {
        if (self->children[i]->release != NULL) {
            self->children[i]->release(self->children[i]);
        }
    }
    CORE_FREE(self->children);
    if (self->dictionary != NULL) {
        if (self->dictionary->release != NULL) {
            self->dictionary->release(self->dictionary);
        }
        CORE_FREE(self->dictionary);
    }
}

static void
release_schema(struct ArrowSchema *self)
{
    if (self->release == NULL) {
        return;
    }
    self->release = NULL;
    release_children_of_schema(self);
    arrow_fields *schema = self->private_data;
    self->private_data = NULL;
    arrow_fields_release(schema);
}

static void
begin_schema(struct ArrowSchema *self, arrow_fields *schema, const char *format,
             const char *name, int64_t flags)
{
    memset(self, 0, sizeof *self);
    self->format = format;
    self->name = name;
    self->flags = flags;
    self->private_data = arrow_fields_hold(schema);
    self->release = release_schema;
}

bool
arrow_export_field(arrow_fields *schema, size_t index, struct ArrowSchema *out)
{
    const arrow_field *field = &schema->items[index];
    int64_t flags = field->nullable ? ARROW_FLAG_NULLABLE : 0;
    begin_schema(out, schema, field->is_dictionary ? INDICES : field->format, field->name,
                 flags);
    if (!field->is_dictionary) {
        return true;
    }
    out->dictionary = CORE_REALLOC(NULL, sizeof *out->dictionary);
    if (out->dictionary == NULL) {
        release_schema(out);
        return false;
    }
    begin_schema(out->dictionary, schema, field->format, "", ARROW_FLAG_NULLABLE);
    return true;
}

/* One block for a list of pointers to structs, and the structs. */
static void *
new_children(size_t count, size_t size)
{
    size_t first = (count * sizeof(void *) + 15) / 16 * 16;
    char *block = CORE_REALLOC(NULL, first + count * size + 1);
    for (size_t i = 0; block != NULL && i < count; i++) {
        void *child = block + first + i * size;
        memcpy(block + i * sizeof child, &child, sizeof child);
    }
    return block;
}

bool
arrow_export_fields(arrow_fields *schema, struct ArrowSchema *out)
{
    struct ArrowSchema **children = new_children(schema->count, sizeof **children);
    if (children == NULL) {
        return false;
    }
    begin_schema(out, schema, "+s", "", 0);
    out->children = children;
    for (size_t i = 0; i < schema->count; i++) {
        if (!arrow_export_field(schema, i, children[i])) {
            release_schema(out);
            return false;
        }
        out->n_children++;
    }
    return true;
}

/* ---- arrays ---- */

static void
release_children_of_array(struct ArrowArray *self)
{
    for (int64_t i = 0; i < self->n_children; i++) {
        if (self->children[i]->release != NULL) {
            self->children[i]->release(self->children[i]);
        }
    }
    CORE_FREE(self->children);
    if (self->dictionary != NULL) {
        if (self->dictionary->release != NULL) {
            self->dictionary->release(self->dictionary);
        }
        CORE_FREE(self->dictionary);
    }
}

static void
release_array(struct ArrowArray *self)
{
    if (self->release == NULL) {
        return;
    }
    self->release = NULL;
    release_children_of_array(self);
    arrow_batch *batch = self->private_data;
    self->private_data = NULL;
    arrow_batch_release(batch);
}

static void
begin_array(struct ArrowArray *self, arrow_batch *batch, const void *const *buffers,
            int64_t buffer_count, int64_t length, int64_t null_count)
{
    memset(self, 0, sizeof *self);
    self->length = length;
    self->null_count = null_count;
    self->n_buffers = buffer_count;
    self->buffers = (const void **)buffers; /* nobody writes to them */
    self->private_data = arrow_batch_hold(batch);
    self->release = release_array;
}

bool
arrow_export_column(arrow_batch *batch, size_t index, struct ArrowArray *out)
{
    const columns_array *array = &batch->made.arrays[index];
    const arrow_buffers *exported = &batch->exported[index];
    begin_array(out, batch, exported->buffers, exported->buffer_count, array->length,
                array->null_count);
    if (array->kind != COLUMNS_DICTIONARY) {
        return true;
    }
    out->dictionary = CORE_REALLOC(NULL, sizeof *out->dictionary);
    if (out->dictionary == NULL) {
        release_array(out);
        return false;
    }
    begin_array(out->dictionary, batch, exported->of_entries, 3, array->entry_count, 0);
    return true;
}

bool
arrow_export_batch(arrow_batch *batch, struct ArrowArray *out)
{
    static const void *const no_bitmap[1] = {NULL};
    struct ArrowArray **children = new_children(batch->made.count, sizeof **children);
    if (children == NULL) {
        return false;
    }
    begin_array(out, batch, no_bitmap, 1, batch->made.rows, 0);
    out->children = children;
    for (uint32_t i = 0; i < batch->made.count; i++) {
        if (!arrow_export_column(batch, i, children[i])) {
            release_array(out);
            return false;
        }
        out->n_children++;
    }
    return true;
}
