/* pipeline.c: blocks cut anywhere, worked on by several threads, have the rows
 * that one machine reads, in order.  Each run stops at some place: the threads
 * end wherever they are, and some have no memory.
 *
 *     gcc -std=c11 -O2 -Isrc tests/core/pipeline_test.c src/core/ *.c -lm -pthread
 *
 * Also with -fsanitize=thread.
 */
#include "core/columns.h"
#include "core/columns_piece.h"

#include "core/columns_join.h"
#include "core/fields_feed.h"
#include "core/utf8.h"

#include <stdatomic.h>

#include "check.h"

static const columns_spec specs[] = {{.kind = COLUMNS_UTF8, .field = 0},
                                     {.kind = COLUMNS_INT64, .field = 1},
                                     {.kind = COLUMNS_DICTIONARY, .field = 2}};

static columns_layout layout = {
    .dialect = {.set = {',', '"', SCAN_ABSENT},
                .doublequote = true,
                .utf8 = true,
                .max_field = SIZE_MAX,
                .max_record = SIZE_MAX},
    .specs = specs,
    .count = 3,
    .most = UINT32_MAX,
    .max_bytes = COLUMNS_MAX_BYTES,
};

static size_t
check_text(const scan_kernel *kernel, const uint8_t *bytes, size_t count)
{
    (void)kernel;
    return utf8_valid_prefix(bytes, count);
}

/* ---- a file ---- */

static uint8_t *text;
static size_t text_length;

typedef enum {
    PLAIN,
    WITH_QUESTIONS,
    WITH_LONG_RECORD,
    WITH_BAD_TEXT,
    WITH_MANY_ENDS
} trouble;

static size_t
put(size_t at, const char *string)
{
    size_t length = strlen(string);
    memcpy(text + at, string, length);
    return at + length;
}

static void
make_text(trouble kind, size_t most)
{
    static const char *const words[] = {"red", "green", "a \"\"quoted\"\"\r\nblue", "\xC3\xA9",
                                        ""};
    text = allocate(most + 1000000);
    size_t at = 0, number = 0;
    while (at < most) {
        char field[64];
        bool odd = random_below(2000) == 0;
        snprintf(field, sizeof field, "row %zu,%zu,", number, number * 7);
        at = put(at, field);
        if (odd && kind == WITH_QUESTIONS) {
            at = put(at - 1, "x,");
        }
        at = put(at, "\"");
        at = put(at, words[random_below(5)]);
        if (kind == WITH_LONG_RECORD && number == 20000) {
            memset(text + at, 'x', 300000);
            at += 300000;
        }
        if (kind == WITH_BAD_TEXT && number == 30000) {
            at = put(at, "\xFF");
        }
        at = put(at, "\"\n");
        if (kind == WITH_MANY_ENDS && number == 10000) {
            memset(text + at, ',', 900000);
            at += 900000;
        }
        number++;
    }
    text_length = at;
}

/* ---- the rows ---- */

/* Rows laid out by one builder.  A question is a null. */
static void
answer(columns *self)
{
    const columns_question *q;
    while ((q = columns_next_question(self)) != NULL) {
        columns_answer_null(self, q);
    }
    CHECK(columns_settle(self) == COLUMNS_FINE, "memory");
}

static void
append(columns *self, const fields *machine, const uint8_t *block, size_t length)
{
    const columns_records records = {
        block, length, machine->ends, machine->records, machine->records_length, 1};
    for (size_t at = 0; at < records.count;) {
        columns_status status = columns_append(self, &records, &at, INT32_MAX);
        CHECK(status == COLUMNS_FINE || status == COLUMNS_ASKS, "laid out");
        if (status == COLUMNS_ASKS) {
            answer(self);
        }
    }
}

/* What a machine reads of the text from `from` on; it may have read a record in progress. */
static size_t
read_rest(columns *self, fields *machine, const uint8_t *units, size_t length, size_t valid)
{
    valid += utf8_valid_prefix(units + valid, length - valid);
    CHECK(fields_feed(machine, units, 1, valid), "memory");
    append(self, machine, units, length);
    return valid;
}

static void
finish(columns *self, columns_batch *batch)
{
    CHECK(columns_finish(self, batch), "memory");
}

static bool
same_bytes(const columns_buffer *a, const columns_buffer *b)
{
    return a->length == b->length &&
           (a->length == 0 || memcmp(a->data, b->data, a->length) == 0);
}

static void
check_same(const columns_batch *a, const columns_batch *b)
{
    CHECK(a->rows == b->rows, "%lld rows, not %lld", (long long)b->rows, (long long)a->rows);
    for (uint32_t j = 0; j < a->count; j++) {
        const columns_array *x = &a->arrays[j], *y = &b->arrays[j];
        CHECK(x->null_count == y->null_count && same_bytes(&x->validity, &y->validity) &&
                  same_bytes(&x->values, &y->values) && same_bytes(&x->data, &y->data) &&
                  same_bytes(&x->entries, &y->entries),
              "the same bytes in column %u", (unsigned)j);
    }
}

/* ---- threads without memory ---- */

static atomic_uint asked_for;

/* Runs out now and then, on any thread. */
static void *
short_memory(void *block, size_t size)
{
    if (size > 0 && atomic_fetch_add(&asked_for, 1) % 7 == 0) {
        return NULL;
    }
    return pipeline_memory(block, size);
}

static void *
begin_short(const void *context, void *piece)
{
    if (piece == NULL && random_below(4) == 0) {
        return NULL;
    }
    columns *made = columns_piece_work.begin(context, piece);
    CHECK(made != NULL, "memory");
    made->allocate = short_memory;
    return made;
}

static bool
add_short(void *piece, const columns_records *records)
{
    return columns_piece_work.add(piece, records);
}

static void
free_short(void *piece)
{
    columns_piece_work.free(piece);
}

/* Where a thread has no memory, the owner does the work. */
static const pipeline_work short_work = {begin_short, add_short, free_short};

/* ---- a pipeline ---- */

/* Fill blocks while there is room for any.  *at: what was given. */
static void
fill(pipeline *p, size_t *at, size_t piece)
{
    while (*at < text_length && pipeline_has_room(p) && !pipeline_has_stalled(p)) {
        size_t more = text_length - *at < piece ? text_length - *at : piece;
        pipeline_block *b = pipeline_room(p, more);
        CHECK(b != NULL, "memory");
        if (b->block.length == PIPELINE_HEADROOM) {
            b->byte = *at;
        }
        memcpy(b->block.data + b->block.length, text + *at, more);
        b->block.length += more;
        *at += more;
        if (b->block.length >= PIPELINE_HEADROOM + PIPELINE_BLOCK || random_below(20) == 0) {
            pipeline_submit(p);
        }
    }
    if (*at == text_length || pipeline_has_stalled(p)) {
        pipeline_submit(p);
    }
}

/* Lay out all rows through a pipeline, up to `stop` blocks.  Whether all were. */
static bool
run(const pipeline_work *work, int threads, size_t piece, size_t stop, columns_batch *batch)
{
    columns self;
    fields start;
    size_t at = 0, done = 0, read_to = 0;
    bool complete = true;
    fields_init(&start, &layout.dialect, scan_choose(NULL), FIELDS_STREAM);
    CHECK(columns_init(&self, &layout, columns_core_memory), "memory");
    pipeline *p = pipeline_new(work, &layout, check_text, threads);
    CHECK(p != NULL, "memory");
    CHECK(pipeline_begin(p, &start, text, 0, 0), "begun");
    for (;;) {
        fill(p, &at, piece);
        pipeline_block *b = pipeline_wait(p);
        if (b == NULL || done == stop) {
            complete = b == NULL;
            break;
        }
        if (!b->indexed) {
            complete = true; /* the rest is read below */
            break;
        }
        done++;
        if (b->whole) {
            int64_t row = 0;
            columns *rows = b->piece;
            CHECK(columns_join(&self, rows, &row, INT32_MAX) == COLUMNS_FINE, "joined");
            CHECK(row == rows->rows, "all rows");
            CHECK(row == 0 || columns_place(rows, row - 1) < b->machine.records_length,
                  "a place");
        }
        else {
            append(&self, &b->machine, b->block.data, b->block.length);
        }
        read_to = b->byte + b->machine.record_start - PIPELINE_HEADROOM;
        if (random_below(30) == 0) {
            pipeline_stall(p); /* as after a fault */
        }
        pipeline_release(p);
    }
    if (complete && read_to < text_length) {
        fields_restart(&start);
        read_rest(&self, &start, text + read_to, text_length - read_to, 0);
    }
    pipeline_free(p);
    finish(&self, batch);
    columns_free(&self);
    fields_free(&start);
    return complete;
}

static void
test_text(trouble kind, size_t most)
{
    columns self;
    columns_batch expected, got;
    fields machine;
    make_text(kind, most);
    fields_init(&machine, &layout.dialect, scan_choose(NULL), FIELDS_STREAM);
    CHECK(columns_init(&self, &layout, columns_core_memory), "memory");
    read_rest(&self, &machine, text, text_length, 0);
    finish(&self, &expected);
    for (int threads = 1; threads <= 4; threads++) {
        CHECK(run(&columns_piece_work, threads, 128 * 1024, SIZE_MAX, &got), "complete");
        check_same(&expected, &got);
        columns_batch_free(&got);
        CHECK(run(&short_work, threads, 128 * 1024, SIZE_MAX, &got), "complete");
        check_same(&expected, &got);
        columns_batch_free(&got);
        (void)run(&columns_piece_work, threads, 50000, random_below(8), &got);
        columns_batch_free(&got);
    }
    columns_batch_free(&expected);
    columns_free(&self);
    fields_free(&machine);
    free(text);
}

int
main(void)
{
    for (int kind = PLAIN; kind <= WITH_MANY_ENDS; kind++) {
        test_text((trouble)kind, 3 << 20);
        test_text((trouble)kind, 100000);
    }
    CHECK(threads_available() >= 1, "a processor");
    puts("fine");
    return 0;
}
