/* One call of columns_append() goes over the records three times: it chooses those that become
 * rows, which may cost a copy of them if some do not; it finds how many of them fit; and it
 * lays out one column after the other.
 */
#include "core/columns.h"

#include "core/columns_column.h"
#include "core/columns_content.h"
#include "core/columns_text.h"
#include "core/columns_value.h"

/* ---- lifetime ---- */

bool
columns_init(columns *self, const columns_layout *layout, columns_allocator allocate)
{
    *self = (columns){.layout = layout, .allocate = allocate};
    for (size_t i = 0; i < layout->null_count; i++) {
        size_t length = layout->nulls[i].length;
        self->null_lengths |= UINT64_C(1) << (length < 63 ? length : 63);
    }
    self->columns = allocate(NULL, (size_t)layout->count * sizeof *self->columns + 1);
    if (self->columns == NULL) {
        return false;
    }
    for (uint32_t j = 0; j < layout->count; j++) {
        self->columns[j] = (columns_column){.array.kind = layout->specs[j].kind};
    }
    return true;
}

static void
free_column(const columns *self, columns_column *column)
{
    columns_buffer_free(&column->slots, self->allocate);
    columns_buffer_free(&column->answers, self->allocate);
}

void
columns_free(columns *self)
{
    if (self->columns == NULL) {
        return;
    }
    for (uint32_t j = 0; j < self->layout->count; j++) {
        free_column(self, &self->columns[j]);
    }
    columns_buffer *buffers[] = {&self->chosen,      &self->places,  &self->questions,
                                 &self->sorted,      &self->scratch, &self->dropped,
                                 &self->answer_bytes};
    for (size_t i = 0; i < sizeof buffers / sizeof *buffers; i++) {
        columns_buffer_free(buffers[i], self->allocate);
    }
    columns_arena_free(&self->arena, self->allocate);
    self->allocate(self->columns, 0);
    *self = (columns){0};
}

/* Note what a column needed, for what is laid out next.  The bytes of memory that it holds. */
static size_t
note_rooms(const columns *self, columns_column *column)
{
    const columns_array *array = &column->array;
    const size_t values = columns_values_length(array->kind, self->rows);
    column->values_room = values + values / 8;
    column->data_room = array->data.length + array->data.length / 8;
    column->validity_room = array->null_count > 0 ? ((size_t)self->rows + 7) / 8 : 0;
    return array->validity.capacity + array->values.capacity + array->data.capacity +
           array->entries.capacity;
}

void
columns_clear(columns *self)
{
    size_t used = 0;
    for (uint32_t j = 0; j < self->layout->count; j++) {
        used += note_rooms(self, &self->columns[j]);
        columns_column_clear(&self->columns[j]);
    }
    /* Give up an arena of which much is places that buffers have left. */
    if (self->arena.held > 2 * used + COLUMNS_ARENA_SMALLEST) {
        for (uint32_t j = 0; j < self->layout->count; j++) {
            columns_array *array = &self->columns[j].array;
            *array = (columns_array){.kind = array->kind};
        }
        columns_arena_free(&self->arena, self->allocate);
        self->arena_room = used;
    }
    self->rows = 0;
    self->questions.length = 0;
    self->changes = false;
}

/* ---- choosing records ---- */

typedef enum { ROW, BLANK, TOO_FEW, TOO_MANY } record_kind;

/* What becomes of a record.  *width: how many fields it has. */
INLINE record_kind
kind_of(const columns_layout *layout, const columns_records *source,
        const fields_record *record, uint32_t *width)
{
    uint32_t count = record->last - record->first;
    if (count == 1 && source->ends[record->first] == record->start) {
        if (layout->skips_blank) {
            return BLANK;
        }
        count = 0;
    }
    *width = count;
    return count < layout->least ? TOO_FEW : count > layout->most ? TOO_MANY : ROW;
}

INLINE void
note_record(columns_region *g, const fields_record *record, uint32_t width)
{
    g->least = width < g->least ? width : g->least;
    g->flags |= record->flags;
    g->count++;
}

/* A record gives no row: from here on, those that do are copied.  False if there is no
   memory. */
static bool
begin_copies(columns_region *g, size_t most)
{
    columns *self = g->self;
    if (!columns_reserve(self, &self->chosen, most * sizeof(fields_record)) ||
        !columns_reserve(self, &self->places, most * sizeof(uint32_t) + 1)) {
        return false;
    }
    if (g->count > 0) {
        memcpy(self->chosen.data, g->records, g->count * sizeof *g->records);
    }
    uint32_t *places = (uint32_t *)self->places.data;
    for (size_t i = 0; i < g->count; i++) {
        places[i] = (uint32_t)(g->first + i);
    }
    g->records = (const fields_record *)self->chosen.data;
    g->places = places;
    return true;
}

/* Record `at` gives no row.  False if there is no memory. */
static bool
leave_out(columns_region *g, size_t at, record_kind kind)
{
    columns *self = g->self;
    if (g->places == NULL && !begin_copies(g, g->count + g->source->count - at)) {
        return false;
    }
    if (kind == BLANK) {
        return true;
    }
    const columns_region place = {.self = self, .first = at - g->count};
    return columns_ask(&place, kind == TOO_FEW ? COLUMNS_TOO_FEW : COLUMNS_TOO_MANY, g->count,
                       UINT32_MAX);
}

/* Choose at most `most` records from *at on.  False if there is no memory. */
static bool
choose(columns_region *g, size_t *at, int64_t most)
{
    columns *self = g->self;
    const columns_records *source = g->source;
    size_t next = *at;
    for (; next < source->count && (int64_t)g->count < most; next++) {
        const fields_record *record = &source->records[next];
        uint32_t width;
        record_kind kind = kind_of(self->layout, source, record, &width);
        if (kind != ROW) {
            if (!leave_out(g, next, kind)) {
                return false;
            }
            continue;
        }
        if (g->places != NULL) {
            ((fields_record *)self->chosen.data)[g->count] = *record;
            ((uint32_t *)self->places.data)[g->count] = (uint32_t)next;
        }
        note_record(g, record, width);
    }
    *at = next;
    return true;
}

/* Take out the questions of records from `at` on. */
static void
cut_questions(columns *self, size_t at)
{
    columns_buffer *questions = &self->questions;
    while (questions->length > 0) {
        const columns_question *last =
            (const columns_question *)(questions->data + questions->length) - 1;
        if (last->record < at) {
            return;
        }
        questions->length -= sizeof *last;
    }
}

/* Let the region end where a text column would be too long.  A record that does not fit into
   an empty batch is left out.  *at is where the region ends.  False if there is no memory. */
static bool
limit(columns_region *g, size_t *at)
{
    columns *self = g->self;
    size_t before = g->count;
    for (uint32_t j = 0; j < self->layout->count && g->count > 0; j++) {
        if (columns_is_text(self->layout->specs[j].kind)) {
            int64_t fitting = columns_fitting(g, j);
            if (fitting < 0) {
                return false;
            }
            g->count = (size_t)fitting;
        }
    }
    if (g->count == before) {
        return true;
    }
    *at = g->places != NULL ? g->places[g->count] : g->first + g->count;
    cut_questions(self, *at);
    if (g->count == 0 && self->rows == 0) {
        const columns_region place = {.self = self, .first = *at};
        *at += 1;
        return columns_ask(&place, COLUMNS_TOO_LONG, 0, UINT32_MAX);
    }
    return true;
}

/* ---- questions ---- */

static bool
is_in_order(const columns_question *questions, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        if (questions[i].record < questions[i - 1].record) {
            return false;
        }
    }
    return true;
}

/* Sort the questions by record; those of one record are in the order of columns already. */
static bool
sort_questions(columns *self, size_t first, size_t end)
{
    columns_buffer *given = &self->questions, *sorted = &self->sorted;
    const size_t count = given->length / sizeof(columns_question);
    const columns_question *questions = (const columns_question *)given->data;
    if (is_in_order(questions, count)) {
        return true;
    }
    if (!columns_reserve(self, sorted, given->length) ||
        !columns_reserve(self, &self->scratch, (end - first + 1) * sizeof(uint32_t))) {
        return false;
    }
    uint32_t *places = (uint32_t *)self->scratch.data; /* of the questions of each record */
    memset(places, 0, (end - first + 1) * sizeof *places);
    for (size_t i = 0; i < count; i++) {
        places[questions[i].record - first + 1]++;
    }
    for (size_t i = first; i < end; i++) {
        places[i - first + 1] += places[i - first];
    }
    for (size_t i = 0; i < count; i++) {
        uint32_t place = places[questions[i].record - first]++;
        ((columns_question *)sorted->data)[place] = questions[i];
    }
    sorted->length = given->length;
    columns_buffer other = *given;
    *given = *sorted;
    *sorted = other;
    return true;
}

/* Make room for what the answers need, and sort the questions.  False if there is no
   memory. */
static bool
prepare_answers(columns *self, size_t first, size_t end)
{
    const size_t rows = (size_t)(self->rows - self->row_mark);
    const columns_question *questions = (const columns_question *)self->questions.data;
    const size_t count = self->questions.length / sizeof *questions;
    for (size_t i = 0; i < count; i++) {
        if (questions[i].column != UINT32_MAX &&
            !columns_column_reserve_nulls(self, &self->columns[questions[i].column],
                                          self->rows)) {
            return false;
        }
    }
    if (!columns_reserve(self, &self->dropped, rows / 8 + 1)) {
        return false;
    }
    memset(self->dropped.data, 0, rows / 8 + 1);
    self->answer_bytes.length = 0;
    self->asked = 0;
    return sort_questions(self, first, end);
}

/* ---- appending ---- */

static bool
lay_out(const columns_region *g)
{
    columns *self = g->self;
    const columns_layout *layout = self->layout;
    for (uint32_t j = 0; j < layout->count; j++) {
        bool fine = columns_is_text(layout->specs[j].kind) ? columns_lay_texts(g, j)
                                                           : columns_lay_values(g, j);
        if (!fine) {
            return false;
        }
    }
    return true;
}

static bool
begin_columns(columns *self, int64_t rows)
{
    for (uint32_t j = 0; j < self->layout->count; j++) {
        columns_column_mark(&self->columns[j]);
    }
    for (uint32_t j = 0; j < self->layout->count; j++) {
        if (!columns_column_begin(self, &self->columns[j], rows)) {
            return false;
        }
    }
    return true;
}

/* Nothing has happened: there is no memory. */
static columns_status
give_up(columns *self, bool begun)
{
    self->rows = self->row_mark;
    for (uint32_t j = 0; begun && j < self->layout->count; j++) {
        columns_column_revert(self, &self->columns[j]);
    }
    self->questions.length = 0;
    return COLUMNS_NO_MEMORY;
}

columns_status
columns_append(columns *self, const columns_records *records, size_t *at, int64_t rows)
{
    size_t end = *at;
    columns_region g = {.self = self,
                        .source = records,
                        .records = records->records + *at,
                        .first = *at,
                        .least = UINT32_MAX};
    self->row_mark = self->rows;
    if (!choose(&g, &end, rows - self->rows) || !limit(&g, &end)) {
        return give_up(self, false);
    }
    self->first_place = g.first;
    self->places_used = g.places != NULL;
    if (g.count > 0) {
        if (!begin_columns(self, self->rows + (int64_t)g.count)) {
            return give_up(self, true);
        }
        self->rows += (int64_t)g.count;
        if (!lay_out(&g)) {
            return give_up(self, true);
        }
    }
    if (self->questions.length > 0) {
        if (!prepare_answers(self, *at, end)) {
            return give_up(self, g.count > 0);
        }
        *at = end;
        return COLUMNS_ASKS;
    }
    const bool stuck = end == *at && end < records->count;
    *at = end;
    return stuck ? COLUMNS_FULL : COLUMNS_FINE;
}

/* ---- batches ---- */

/* Make the buffers that an array must have, whatever its length.  False if there is no
   memory. */
static bool
complete_column(columns *self, columns_column *column)
{
    columns_array *array = &column->array;
    if (!columns_array_reserve(self, &array->values, 16, 0) ||
        (columns_is_text(array->kind) && !columns_array_reserve(self, &array->data, 1, 0))) {
        return false;
    }
    if (self->rows == 0 && columns_has_offsets(array->kind)) {
        memset(array->values.data, 0, columns_value_size(array->kind));
    }
    if (array->kind != COLUMNS_DICTIONARY) {
        return true;
    }
    if (!columns_array_reserve(self, &array->entries, sizeof(int32_t), 0)) {
        return false;
    }
    if (array->entry_count == 0) {
        memset(array->entries.data, 0, sizeof(int32_t));
    }
    array->entries.length = ((size_t)array->entry_count + 1) * sizeof(int32_t);
    return true;
}

/* Move a column into a batch. */
static void
finish_column(const columns *self, columns_column *column, columns_array *out)
{
    columns_array *array = &column->array;
    array->length = self->rows;
    array->values.length = columns_values_length(array->kind, self->rows);
    column->values_room = array->values.length;
    column->data_room = array->data.length + array->data.length / 16;
    if (array->null_count > 0) {
        array->validity.length = ((size_t)self->rows + 7) / 8;
        column->validity_room = array->validity.length;
    }
    else {
        array->validity = (columns_buffer){0};
    }
    *out = *array;
    *array = (columns_array){.kind = out->kind};
    columns_column_clear(column);
}

bool
columns_finish(columns *self, columns_batch *batch)
{
    const uint32_t count = self->layout->count;
    columns_array *arrays = self->allocate(NULL, (size_t)count * sizeof *arrays + 1);
    if (arrays == NULL) {
        return false;
    }
    for (uint32_t j = 0; j < count; j++) {
        if (!complete_column(self, &self->columns[j])) {
            self->allocate(arrays, 0);
            return false;
        }
    }
    for (uint32_t j = 0; j < count; j++) {
        finish_column(self, &self->columns[j], &arrays[j]);
    }
    *batch = (columns_batch){.arrays = arrays,
                             .count = count,
                             .rows = self->rows,
                             .allocate = self->allocate,
                             .arena = self->arena};
    self->arena = (columns_arena){0};
    self->arena_room = columns_batch_trim(batch);
    self->rows = 0;
    return true;
}
