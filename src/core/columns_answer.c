/* Values that are answers are put in their place at once.  Dropped rows and texts that are
 * answers wait for columns_settle(), which then goes over the rows since row_mark once for
 * each column.
 */
#include "core/columns_answer.h"

#include "core/columns_column.h"

/* ---- questions ---- */

static const columns_question *
question_at(const columns *self, size_t index)
{
    return (const columns_question *)self->questions.data + index;
}

static bool
is_dropped(const columns *self, int64_t row)
{
    return columns_bit(self->dropped.data, row - self->row_mark);
}

const columns_question *
columns_next_question(columns *self)
{
    size_t count = self->questions.length / sizeof(columns_question);
    while (self->asked < count) {
        const columns_question *question = question_at(self, self->asked++);
        if (question->column == UINT32_MAX || !is_dropped(self, question->row)) {
            return question;
        }
    }
    return NULL;
}

const columns_question *
columns_peek_question(const columns *self, size_t ahead)
{
    const size_t count = self->questions.length / sizeof(columns_question);
    return ahead < count - self->asked ? question_at(self, self->asked + ahead) : NULL;
}

/* ---- answers ---- */

void
columns_answer_null(columns *self, const columns_question *question)
{
    columns_column *column = &self->columns[question->column];
    if (column->array.null_count == 0 ||
        columns_bit(column->array.validity.data, question->row)) {
        (void)columns_column_null(self, column, question->row, self->rows); /* there is room */
    }
}

static void
set_answer(columns *self, const columns_question *question, const void *value)
{
    columns_array *array = &self->columns[question->column].array;
    size_t size = columns_value_size(array->kind);
    memcpy(array->values.data + question->row * size, value, size);
}

void
columns_answer_uint(columns *self, const columns_question *question, uint64_t value)
{
    columns_array *array = &self->columns[question->column].array;
    const uint8_t one = (uint8_t)value;
    const uint16_t two = (uint16_t)value;
    const uint32_t four = (uint32_t)value;
    switch (columns_value_size(array->kind)) {
    case 0:
        columns_set_bit(array->values.data, question->row, value != 0);
        break;
    case 1:
        set_answer(self, question, &one);
        break;
    case 2:
        set_answer(self, question, &two);
        break;
    case 4:
        set_answer(self, question, &four);
        break;
    default:
        set_answer(self, question, &value);
    }
}

void
columns_answer_int(columns *self, const columns_question *question, int64_t value)
{
    columns_answer_uint(self, question, (uint64_t)value);
}

void
columns_answer_double(columns *self, const columns_question *question, double value)
{
    const float single = (float)value;
    if (self->columns[question->column].array.kind == COLUMNS_FLOAT32) {
        set_answer(self, question, &single);
    }
    else {
        set_answer(self, question, &value);
    }
}

void
columns_answer_decimal(columns *self, const columns_question *question, wide value)
{
    columns_array *array = &self->columns[question->column].array;
    columns_put_decimal(array->values.data, question->row, value);
}

bool
columns_answer_bytes(columns *self, const columns_question *question, const uint8_t *bytes,
                     size_t length)
{
    columns_buffer *answers = &self->columns[question->column].answers;
    columns_buffer *all = &self->answer_bytes;
    if (!columns_reserve(self, answers, answers->length + sizeof(columns_answer)) ||
        !columns_reserve(self, all, all->length + length)) {
        return false;
    }
    columns_answer *answer = (columns_answer *)(answers->data + answers->length);
    *answer = (columns_answer){
        .row = question->row - (uint32_t)self->row_mark,
        .start = all->length,
        .length = length,
    };
    if (length > 0) {
        memcpy(all->data + all->length, bytes, length);
    }
    all->length += length;
    answers->length += sizeof *answer;
    self->changes = true;
    return true;
}

void
columns_drop(columns *self, const columns_question *question)
{
    if (question->column != UINT32_MAX) {
        columns_set_bit(self->dropped.data, question->row - self->row_mark, true);
        self->changes = true;
    }
}

/* ---- what fits ---- */

bool
columns_fits_int(const columns_spec *spec, int64_t value)
{
    switch (spec->kind) {
    case COLUMNS_INT8:
        return value >= INT8_MIN && value <= INT8_MAX;
    case COLUMNS_INT16:
        return value >= INT16_MIN && value <= INT16_MAX;
    case COLUMNS_INT32:
    case COLUMNS_DATE32:
        return value >= INT32_MIN && value <= INT32_MAX;
    case COLUMNS_UINT8:
    case COLUMNS_UINT16:
    case COLUMNS_UINT32:
    case COLUMNS_UINT64:
        return value >= 0 && columns_fits_uint(spec, (uint64_t)value);
    default:
        return true;
    }
}

bool
columns_fits_uint(const columns_spec *spec, uint64_t value)
{
    switch (spec->kind) {
    case COLUMNS_UINT8:
        return value <= UINT8_MAX;
    case COLUMNS_UINT16:
        return value <= UINT16_MAX;
    case COLUMNS_UINT32:
        return value <= UINT32_MAX;
    case COLUMNS_UINT64:
        return true;
    default:
        return value <= INT64_MAX && columns_fits_int(spec, (int64_t)value);
    }
}

/* ---- settling: values of fixed size ---- */

static void
move_value(columns_array *array, int64_t to, int64_t from)
{
    size_t size = columns_value_size(array->kind);
    uint8_t *values = array->values.data;
    if (size == 0) {
        columns_set_bit(values, to, columns_bit(values, from));
    }
    else {
        memcpy(values + (size_t)to * size, values + (size_t)from * size, size);
    }
}

/* Move the bits of the rows that are kept.  The number of nulls among them. */
static int64_t
move_nulls(const columns *self, uint8_t *bits)
{
    int64_t nulls = 0, to = self->row_mark;
    for (int64_t row = self->row_mark; row < self->rows; row++) {
        if (!is_dropped(self, row)) {
            bool valid = columns_bit(bits, row);
            columns_set_bit(bits, to++, valid);
            nulls += !valid;
        }
    }
    columns_fill_bits(bits, to, self->rows, false);
    return nulls;
}

static void
settle_values(const columns *self, columns_column *column)
{
    int64_t to = self->row_mark;
    for (int64_t row = self->row_mark; row < self->rows; row++) {
        if (!is_dropped(self, row)) {
            if (to != row) {
                move_value(&column->array, to, row);
            }
            to++;
        }
    }
    if (column->array.kind == COLUMNS_BOOL) {
        columns_fill_bits(column->array.values.data, to, self->rows, false);
    }
}

/* ---- settling: texts ---- */

/* The texts of a column since row_mark, copied so that they can be laid out again. */
typedef struct {
    columns_kind kind;
    const uint8_t *values;
    const uint8_t *bytes; /* data from data_mark on */
    const int32_t *ends;  /* of a dictionary's entries, from entry_mark on */
    size_t data_mark;
    int64_t entry_mark;
    int64_t entry_count;
} old_texts;

/* Copy the texts to scratch.  False if there is no memory. */
static bool
copy_texts(columns *self, const columns_column *column, old_texts *old)
{
    const columns_array *array = &column->array;
    const size_t start = (size_t)self->row_mark * columns_value_size(array->kind);
    const size_t values = columns_values_length(array->kind, self->rows) - start;
    const size_t bytes = array->data.length - column->data_mark;
    size_t entries = 0;
    if (array->kind == COLUMNS_DICTIONARY) {
        entries = (size_t)(array->entry_count - column->entry_mark + 1) * sizeof(int32_t);
    }
    if (!columns_reserve(self, &self->scratch, values + entries + bytes)) {
        return false;
    }
    uint8_t *out = self->scratch.data;
    *old = (old_texts){.kind = array->kind,
                       .values = out,
                       .ends = (const int32_t *)(out + values),
                       .bytes = out + values + entries,
                       .data_mark = column->data_mark,
                       .entry_mark = column->entry_mark,
                       .entry_count = array->entry_count};
    memcpy(out, array->values.data + start, values);
    if (entries > 0 && array->entry_count > 0) {
        memcpy(out + values,
               array->entries.data + column->entry_mark * (int64_t)sizeof(int32_t), entries);
    }
    if (bytes > 0) {
        memcpy(out + values + entries, array->data.data + column->data_mark, bytes);
    }
    return true;
}

/* Where in the copy the bytes from `start` up to `end` of the data are. */
static const uint8_t *
old_bytes(const old_texts *old, size_t start, size_t end, size_t *length)
{
    *length = end - start;
    return old->bytes + (start - old->data_mark);
}

/* The text of the row that was `row` rows after row_mark. */
static const uint8_t *
old_text(const old_texts *old, const columns_array *array, int64_t row, size_t *length)
{
    const int32_t *small = (const int32_t *)old->values + row;
    const int64_t *large = (const int64_t *)old->values + row;
    switch (old->kind) {
    case COLUMNS_LARGE_UTF8:
        return old_bytes(old, (size_t)large[0], (size_t)large[1], length);
    case COLUMNS_UTF8_VIEW:
        small = (const int32_t *)old->values + 4 * row;
        *length = (size_t)small[0];
        if (*length <= COLUMNS_INLINE_VIEW) {
            return (const uint8_t *)(small + 1);
        }
        return old_bytes(old, (size_t)small[3], (size_t)small[3] + *length, length);
    case COLUMNS_DICTIONARY:
        if (small[0] >= old->entry_count) { /* the placeholder of a question */
            *length = 0;
            return NULL;
        }
        if (small[0] < old->entry_mark) {
            return columns_entry_text(array, small[0], length);
        }
        small = old->ends + (small[0] - old->entry_mark);
        return old_bytes(old, (size_t)small[0], (size_t)small[1], length);
    default:
        return old_bytes(old, (size_t)small[0], (size_t)small[1], length);
    }
}

/* Lay out the texts of the rows that are kept, and those of answers.  There is room, but in a
   dictionary.  False if there is no memory. */
static bool
put_texts(columns *self, columns_column *column, const old_texts *old)
{
    const columns_answer *answer = (const columns_answer *)column->answers.data;
    size_t left = column->answers.length / sizeof *answer;
    const uint8_t *valid = column->array.null_count > 0 ? column->array.validity.data : NULL;
    int64_t to = self->row_mark;
    for (int64_t row = self->row_mark; row < self->rows; row++) {
        const uint32_t index = (uint32_t)(row - self->row_mark);
        const columns_answer *own = left > 0 && answer->row == index ? answer++ : NULL;
        left -= own != NULL;
        if (is_dropped(self, row)) {
            continue;
        }
        if (valid != NULL && !columns_bit(valid, row)) {
            columns_column_skip(column, to++);
            continue;
        }
        size_t length;
        const uint8_t *text = old_text(old, &column->array, index, &length);
        if (own != NULL) {
            length = own->length;
            text = length > 0 ? self->answer_bytes.data + own->start : NULL;
        }
        if (!columns_column_put(self, column, to++, text, length)) {
            return false;
        }
    }
    return true;
}

/* Bytes of the answers of a column. */
static size_t
answer_length(const columns_column *column)
{
    const columns_answer *answer = (const columns_answer *)column->answers.data;
    size_t count = column->answers.length / sizeof *answer, total = 0;
    for (size_t i = 0; i < count; i++) {
        total += answer[i].length;
    }
    return total;
}

static columns_status
settle_texts(columns *self, columns_column *column)
{
    old_texts old;
    const size_t more = answer_length(column);
    const size_t charge = columns_column_charge(column) + more;
    if (more > 0 && column->array.kind != COLUMNS_LARGE_UTF8 &&
        charge > self->layout->max_bytes) {
        return COLUMNS_FULL;
    }
    if (!columns_column_reserve(self, column, more) || !copy_texts(self, column, &old)) {
        return COLUMNS_NO_MEMORY;
    }
    columns_column_cut_texts(self, column);
    return put_texts(self, column, &old) ? COLUMNS_FINE : COLUMNS_NO_MEMORY;
}

/* ---- settling ---- */

static columns_status
settle_column(columns *self, columns_column *column, bool drops)
{
    columns_array *array = &column->array;
    if (columns_is_text(array->kind) && (drops || column->answers.length > 0)) {
        columns_status status = settle_texts(self, column);
        if (status != COLUMNS_FINE) {
            return status;
        }
    }
    else if (drops) {
        settle_values(self, column);
    }
    if (drops && array->null_count > 0) {
        array->null_count = column->null_mark + move_nulls(self, array->validity.data);
    }
    return COLUMNS_FINE;
}

columns_status
columns_settle(columns *self)
{
    int64_t kept = 0;
    for (int64_t row = self->row_mark; row < self->rows; row++) {
        kept += !is_dropped(self, row);
    }
    const bool drops = kept < self->rows - self->row_mark;
    for (uint32_t j = 0; self->changes && j < self->layout->count; j++) {
        columns_status status = settle_column(self, &self->columns[j], drops);
        if (status != COLUMNS_FINE) {
            return status;
        }
    }
    self->rows = self->row_mark + kept;
    self->questions.length = 0;
    self->changes = false;
    return COLUMNS_FINE;
}

columns_status
columns_cut(columns *self, const columns_question *question)
{
    int64_t from = (int64_t)question->row - self->row_mark;
    int64_t count = self->rows - self->row_mark;
    if (from < count) {
        columns_fill_bits(self->dropped.data, from, count, true);
        self->changes = true;
    }
    return columns_settle(self);
}
