/* One monitor guards the counters.  Whoever has nothing to do waits in it, the owner also, and
 * each step wakes all: a step takes some hundred microseconds.
 */
#include "core/pipeline.h"

#include <stdlib.h>
#include <string.h>

#include "core/fields_feed.h"
#include "core/memory.h"

#define LONGEST_POINT 4 /* bytes: fewer may be a code point that is cut short */
#define SLACK 4096 /* units that the machine may make room for beyond those that it reads */

/* How many units of a block are taken to have one end of a field, and one record. */
#define UNITS_OF_END 2
#define UNITS_OF_RECORD 8

static pipeline_block *
block_at(const pipeline *self, size_t number)
{
    return &self->blocks[number % self->capacity];
}

/* ---- the index ---- */

/* Begin a block with what the one before it left. */
static void
take_carry(const pipeline_carry *carry, pipeline_block *b)
{
    fields *machine = &b->machine;
    const uint32_t start = (uint32_t)(PIPELINE_HEADROOM - carry->length);
    uint32_t *ends = machine->ends;
    fields_record *records = machine->records;
    const size_t ends_capacity = machine->ends_capacity;
    const size_t records_capacity = machine->records_capacity;
    *machine = carry->machine;
    machine->ends = ends;
    machine->ends_capacity = ends_capacity;
    machine->records = records;
    machine->records_capacity = records_capacity;
    memcpy(b->block.data + start, carry->units, carry->length);
    for (size_t i = 0; i < carry->open; i++) {
        ends[i] = carry->ends[i] + start;
    }
    machine->ends_length = carry->open;
    machine->records_length = machine->taken = 0;
    machine->first = 0;
    machine->pos += start;
    machine->field_start += start;
    machine->record_start = start;
    b->valid = start + carry->valid;
}

/* Keep what the next block begins with.  False if it is too much. */
static bool
leave_carry(pipeline_carry *carry, const fields *machine, const uint8_t *units, size_t length,
            size_t valid)
{
    const uint32_t start = machine->record_start;
    carry->length = length - start;
    carry->open = machine->ends_length - machine->first;
    if (carry->length > PIPELINE_HEADROOM) {
        return false;
    }
    carry->machine = *machine;
    carry->machine.pos -= start;
    carry->machine.field_start -= start;
    carry->machine.record_start = 0;
    carry->valid = valid - start;
    if (carry->length > 0) {
        memcpy(carry->units, units + start, carry->length);
    }
    for (size_t i = 0; i < carry->open; i++) {
        carry->ends[i] = machine->ends[machine->first + i] - start;
    }
    return true;
}

/* Feed the machine, as far as its arrays have room for what it may list: they must not grow on
   this thread.  False if there is no room. */
static bool
feed(fields *machine, const uint8_t *block, size_t length)
{
    while (machine->pos < length && machine->error == FIELDS_FINE) {
        const size_t ends = machine->ends_capacity - machine->ends_length;
        const size_t records = machine->records_capacity - machine->records_length;
        const size_t room = ends < records ? ends : records;
        const size_t left = length - machine->pos;
        if (room <= 2 * SLACK) {
            return false;
        }
        const size_t more = left < room - SLACK ? left : room - SLACK;
        if (!fields_feed(machine, block, 1, machine->pos + more)) {
            return false;
        }
    }
    return true;
}

/* Index a block.  False if the next one can't be indexed after it. */
static bool
index_block(pipeline *self, pipeline_block *b)
{
    fields *machine = &b->machine;
    take_carry(&self->carry, b);
    b->valid +=
        self->check(machine->kernel, b->block.data + b->valid, b->block.length - b->valid);
    if (!feed(machine, b->block.data, b->valid)) {
        return false;
    }
    b->indexed = true;
    return machine->error == FIELDS_FINE && b->block.length - b->valid < LONGEST_POINT &&
           leave_carry(&self->carry, machine, b->block.data, b->block.length, b->valid);
}

/* ---- the layout ---- */

static void
lay_out_block(const pipeline *self, pipeline_block *b)
{
    const columns_records records = {
        .block = b->block.data,
        .length = b->block.length,
        .ends = b->machine.ends,
        .records = b->machine.records,
        .count = b->machine.records_length,
        .width = 1,
    };
    b->whole = b->piece != NULL && self->work->add(b->piece, &records);
}

/* ---- work ---- */

/* Within the monitor: do the next thing that is to be done.  False if there is none. */
static bool
work(pipeline *self)
{
    if (!self->indexing && !self->stalled && self->indexed < self->tail) {
        pipeline_block *b = block_at(self, self->indexed);
        self->indexing = true;
        threads_monitor_leave(&self->monitor);
        bool fine = index_block(self, b);
        threads_monitor_enter(&self->monitor);
        self->indexing = false;
        self->stalled |= !fine;
        self->indexed += b->indexed;
        threads_monitor_wake(&self->monitor);
        return true;
    }
    if (self->laid < self->indexed) {
        pipeline_block *b = block_at(self, self->laid++);
        self->laying++;
        threads_monitor_leave(&self->monitor);
        lay_out_block(self, b);
        threads_monitor_enter(&self->monitor);
        self->laying--;
        b->laid_out = true;
        threads_monitor_wake(&self->monitor);
        return true;
    }
    return false;
}

static void
run_thread(void *argument)
{
    pipeline *self = argument;
    threads_monitor_enter(&self->monitor);
    while (!self->stopping) {
        if (!work(self)) {
            threads_monitor_wait(&self->monitor);
        }
    }
    threads_monitor_leave(&self->monitor);
}

/* Start another thread, if there may be one and there is work for it.  If the system refuses
   one, those that there are do its work. */
static void
start_thread(pipeline *self)
{
    if (self->thread_count < self->thread_most) {
        if (threads_start(&self->threads[self->thread_count], run_thread, self)) {
            self->thread_count++;
        }
        else {
            self->thread_most = self->thread_count;
        }
    }
}

/* ---- for the owner ---- */

bool
pipeline_begin(pipeline *self, const fields *machine, const uint8_t *units, size_t length,
               size_t valid)
{
    threads_monitor_enter(&self->monitor);
    bool fine = leave_carry(&self->carry, machine, units, length, valid);
    self->stalled = !fine;
    threads_monitor_leave(&self->monitor);
    return fine;
}

/* Make room in the arrays of a machine for what a block of that many units usually has.  The
   carry may have an end for each of its units. */
static bool
reserve_index(fields *machine, size_t units)
{
    const size_t ends = PIPELINE_HEADROOM + units / UNITS_OF_END + 4 * SLACK;
    const size_t records = units / UNITS_OF_RECORD + 4 * SLACK;
    if (machine->ends_capacity < ends) {
        uint32_t *grown = CORE_REALLOC(machine->ends, ends * sizeof *grown);
        if (grown == NULL) {
            return false;
        }
        machine->ends = grown;
        machine->ends_capacity = ends;
    }
    if (machine->records_capacity < records) {
        fields_record *grown = CORE_REALLOC(machine->records, records * sizeof *grown);
        if (grown == NULL) {
            return false;
        }
        machine->records = grown;
        machine->records_capacity = records;
    }
    return true;
}

pipeline_block *
pipeline_room(pipeline *self, size_t more)
{
    pipeline_block *b = block_at(self, self->tail);
    const size_t needed = PIPELINE_HEADROOM + PIPELINE_BLOCK + more;
    if (!pipeline_has_room(self)) {
        return NULL;
    }
    if (b->block.length == 0) {
        if (buffer_reserve(&b->block, needed, 1) != BUFFER_OK) {
            return NULL;
        }
        b->block.length = PIPELINE_HEADROOM;
        memset(b->block.data, 0, PIPELINE_HEADROOM);
    }
    if (buffer_reserve(&b->block, more, 1) != BUFFER_OK) {
        return NULL;
    }
    return reserve_index(&b->machine, b->block.length + more) ? b : NULL;
}

void
pipeline_submit(pipeline *self)
{
    if (!pipeline_has_room(self) ||
        block_at(self, self->tail)->block.length <= PIPELINE_HEADROOM) {
        return;
    }
    pipeline_block *b = block_at(self, self->tail);
    b->piece = self->work->begin(self->context, b->piece);
    threads_monitor_enter(&self->monitor);
    self->tail++;
    bool several = self->tail - self->head > 1;
    threads_monitor_wake(&self->monitor);
    threads_monitor_leave(&self->monitor);
    if (several) {
        start_thread(self);
    }
}

/* Whether the owner can have the oldest block. */
static bool
is_ready(const pipeline *self)
{
    const pipeline_block *b = block_at(self, self->head);
    return b->laid_out || (self->stalled && !self->indexing && self->indexed == self->head);
}

pipeline_block *
pipeline_wait(pipeline *self)
{
    pipeline_block *b = NULL;
    threads_monitor_enter(&self->monitor);
    if (self->head < self->tail) {
        while (!is_ready(self)) {
            if (!work(self)) {
                threads_monitor_wait(&self->monitor);
            }
        }
        b = block_at(self, self->head);
        self->held = true;
    }
    threads_monitor_leave(&self->monitor);
    return b;
}

void
pipeline_stall(pipeline *self)
{
    threads_monitor_enter(&self->monitor);
    self->stalled = true;
    self->laid = self->indexed; /* nothing more is laid out */
    while (self->indexing || self->laying > 0) {
        threads_monitor_wait(&self->monitor);
    }
    self->stalled = true;
    for (size_t number = self->head + self->held; number < self->tail; number++) {
        pipeline_block *b = block_at(self, number);
        b->indexed = b->laid_out = b->whole = false;
    }
    self->indexed = self->laid = self->head + self->held;
    threads_monitor_leave(&self->monitor);
}

void
pipeline_release(pipeline *self)
{
    pipeline_block *b = block_at(self, self->head);
    threads_monitor_enter(&self->monitor);
    b->block.length = 0;
    b->indexed = b->laid_out = b->whole = false;
    self->head++;
    self->held = false;
    if (self->indexed < self->head) {
        self->indexed = self->laid = self->head;
    }
    threads_monitor_leave(&self->monitor);
}

bool
pipeline_has_room(const pipeline *self)
{
    return self->tail - self->head < self->capacity;
}

bool
pipeline_has_stalled(pipeline *self)
{
    threads_monitor_enter(&self->monitor);
    bool stalled = self->stalled;
    threads_monitor_leave(&self->monitor);
    return stalled;
}

/* ---- lifetime ---- */

void *
pipeline_memory(void *block, size_t size)
{
    if (size == 0) {
        free(block);
        return NULL;
    }
    return realloc(block, size);
}

pipeline *
pipeline_new(const pipeline_work *work, const void *context, pipeline_check check, int threads)
{
    const size_t capacity = 2 * (size_t)threads;
    pipeline *self = CORE_REALLOC(NULL, sizeof *self);
    if (self == NULL) {
        return NULL;
    }
    *self = (pipeline){.work = work,
                       .context = context,
                       .check = check,
                       .thread_most = threads - 1,
                       .process = threads_process(),
                       .capacity = capacity};
    if (!threads_monitor_init(&self->monitor)) {
        CORE_FREE(self);
        return NULL;
    }
    self->blocks = CORE_REALLOC(NULL, capacity * sizeof *self->blocks);
    self->carry.units = CORE_REALLOC(NULL, PIPELINE_HEADROOM);
    self->carry.ends = CORE_REALLOC(NULL, PIPELINE_HEADROOM * sizeof(uint32_t));
    if (self->blocks != NULL) {
        memset(self->blocks, 0, capacity * sizeof *self->blocks);
        for (size_t i = 0; i < capacity; i++) {
            buffer_init(&self->blocks[i].block);
        }
    }
    if (self->blocks == NULL || self->carry.units == NULL || self->carry.ends == NULL) {
        pipeline_free(self);
        return NULL;
    }
    return self;
}

void
pipeline_free(pipeline *self)
{
    threads_monitor_enter(&self->monitor);
    self->stopping = true;
    threads_monitor_wake(&self->monitor);
    threads_monitor_leave(&self->monitor);
    for (int i = 0; i < self->thread_count; i++) {
        threads_join(&self->threads[i]);
    }
    for (size_t i = 0; self->blocks != NULL && i < self->capacity; i++) {
        pipeline_block *b = &self->blocks[i];
        buffer_free(&b->block);
        fields_free(&b->machine);
        if (b->piece != NULL) {
            self->work->free(b->piece);
        }
    }
    CORE_FREE(self->blocks);
    CORE_FREE(self->carry.units);
    CORE_FREE(self->carry.ends);
    threads_monitor_free(&self->monitor);
    CORE_FREE(self);
}
