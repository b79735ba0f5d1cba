/* Record batches: the fields of a schema, and the columns that the column machine made.
 *
 * Plain C without the interpreter.  Both structs are immutable once they are shared, and both
 * are counted, so that any thread may hold and release them at any time, also after the
 * interpreter has ended.
 */
#ifndef GENERATORS_ARROW_BATCH_H
#define GENERATORS_ARROW_BATCH_H

#include "arrow/format.h"
#include "arrow/references.h"
#include "core/columns_batch.h"

#define ARROW_LONGEST_FORMAT 128

typedef struct {
    char *name; /* owned: UTF-8 */
    size_t name_length;
    bool nullable;
    bool is_dictionary; /* of utf8, with indices of `format` */
    char format[ARROW_LONGEST_FORMAT];
} arrow_field;

typedef struct {
    arrow_references references;
    size_t count;
    arrow_field *items; /* owned */
} arrow_fields;

/* New fields, all empty; NULL if there is no memory.  Each gets its name and its format before
   they are shared. */
arrow_fields *arrow_fields_new(size_t count);
bool arrow_field_set_name(arrow_field *self, const char *name, size_t length);
void arrow_fields_release(arrow_fields *self); /* `self` may be NULL */

/* Whether two fields have the same type, and two schemas the same names and types. */
bool arrow_field_types_equal(const arrow_field *self, const arrow_field *other);
bool arrow_fields_equal(const arrow_fields *self, const arrow_fields *other);

static inline arrow_fields *
arrow_fields_hold(arrow_fields *self)
{
    arrow_references_add(&self->references);
    return self;
}

/* The buffers of one column, in the order of the C data interface.  None is NULL but the
   bitmap of a column without nulls. */
typedef struct {
    const void *buffers[4];
    int buffer_count;
    int64_t view_bytes;        /* views: the length of their block of bytes */
    const void *of_entries[3]; /* of a dictionary's values */
} arrow_buffers;

typedef struct {
    arrow_references references;
    arrow_fields *fields;    /* owned */
    columns_batch made;      /* owned */
    arrow_buffers *exported; /* owned: one for each column */
} arrow_batch;

/* A new batch, which holds `fields` and takes `made`, whose columns are of their types.  NULL
   if there is no memory; `made` is then untouched. */
arrow_batch *arrow_batch_new(arrow_fields *fields, columns_batch *made);
void arrow_batch_release(arrow_batch *self); /* `self` may be NULL */

static inline arrow_batch *
arrow_batch_hold(arrow_batch *self)
{
    arrow_references_add(&self->references);
    return self;
}

/* Whether two columns have the same type and the same values. */
bool arrow_columns_equal(const columns_array *self, const columns_array *other);

/* Bytes of a value in the buffer of values; 0 for bool and for texts. */
size_t arrow_value_size(columns_kind kind);

/* Whether value `index` is there. */
static inline bool
arrow_has_value(const columns_array *self, int64_t index)
{
    const uint8_t *bits = self->validity.data;
    return self->null_count == 0 || (bits[index >> 3] >> (index & 7) & 1) != 0;
}

#endif
