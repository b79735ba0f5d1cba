/* Reads a source ahead of its user, and has threads work on what was read.
 *
 * The caller's thread reads the source and fills blocks of a pipeline, which indexes them and
 * works on their records.  Then it takes one after the other: the units and the machine of a
 * block become those of the parser, which then is as if it had been fed with the block, and
 * what a thread made of the records is `piece`.  So positions, counters, faults and
 * checkpoints are those of a reader without threads, and so are the results.  If a piece is
 * not whole, the work is done again here, because it may run Python code.
 *
 * States: not running, when the source is fed to the parser itself; running.  It runs after
 * the first batch, or some megabytes.  After a fault of the data the pipeline has stalled: the
 * blocks under way are fed to the parser as they are, and then it runs again.
 *
 * An exception of the source waits in `error` until the blocks before it are taken.
 *
 * User code runs when the source is read.  The front end is `running` meanwhile.  The pipeline
 * is used only by the front end that owns it.  In a child of the process its threads are
 * missing and its monitor may be held for ever, so it is not touched there, and not freed.
 */
#include "csv/batches/ahead.h"

#include <string.h>

#include "csv/parse/feed.h"
#include "runtime/raising.h"

#define LEAST_BYTES ((uint64_t)4 << 20) /* of a source that is read with several threads */

/* ---- as the sink of the source ---- */

typedef struct {
    csv_ahead *self;
    csv_parser *parser;
} ahead_target;

static uint8_t *
ahead_room(void *target, generators_state *Py_UNUSED(state), size_t count)
{
    pipeline_block *b = pipeline_room(((ahead_target *)target)->self->pipeline, count);
    if (b == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    return b->block.data + b->block.length;
}

static int
ahead_filled(void *target, generators_state *Py_UNUSED(state), size_t count)
{
    csv_ahead *self = ((ahead_target *)target)->self;
    pipeline_block *b = pipeline_room(self->pipeline, 0);
    if (b == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    if (b->block.length == PIPELINE_HEADROOM) {
        b->byte = self->byte;
    }
    b->block.length += count;
    self->byte += count;
    if (b->block.length >= PIPELINE_HEADROOM + PIPELINE_BLOCK) {
        pipeline_submit(self->pipeline);
    }
    return 0;
}

static int
ahead_feed_bytes(void *target, generators_state *state, const void *bytes, size_t count)
{
    uint8_t *room = ahead_room(target, state, count);
    if (room == NULL) {
        return -1;
    }
    if (count > 0) {
        memcpy(room, bytes, count);
    }
    return ahead_filled(target, state, count);
}

static int
ahead_finish(void *target, generators_state *Py_UNUSED(state))
{
    csv_ahead *self = ((ahead_target *)target)->self;
    self->over = true;
    return 0;
}

static void
ahead_raise(void *target, generators_state *state, PyObject *message, int64_t byte)
{
    const source_sink sink = csv_parser_sink(((ahead_target *)target)->parser);
    sink.kind->raise(sink.target, state, message, byte);
}

/* A source that gave bytes gives no text, and the first items, of which some had line ends,
   are not checked any longer. */
static const source_sink_kind ahead_sink_kind = {
    .feed_bytes = ahead_feed_bytes,
    .room = ahead_room,
    .filled = ahead_filled,
    .finish = ahead_finish,
    .raise = ahead_raise,
};

/* ---- the start ---- */

static size_t
check_utf8(const scan_kernel *kernel, const uint8_t *bytes, size_t count)
{
    return csv_parser_text_prefix(kernel, CSV_UTF8, bytes, count);
}

static size_t
check_ascii(const scan_kernel *kernel, const uint8_t *bytes, size_t count)
{
    return csv_parser_text_prefix(kernel, CSV_ASCII, bytes, count);
}

static size_t
check_latin1(const scan_kernel *Py_UNUSED(kernel), const uint8_t *Py_UNUSED(bytes),
             size_t count)
{
    return count;
}

void
csv_ahead_init(csv_ahead *self, int64_t threads, const data_source *source)
{
    if (threads == 0) {
        const uint64_t size = source->total_bytes;
        bool is_large = size != FILE_SIZE_UNKNOWN && size >= LEAST_BYTES;
        threads = is_large ? threads_available() : 1;
    }
    self->threads = threads < PIPELINE_MOST_THREADS ? (int)threads : PIPELINE_MOST_THREADS;
}

/* Whether there is more than a block to read, and the first result does not wait for it:
   threads need memory that is touched for the first time, which takes some milliseconds. */
static bool
is_worth_it(const csv_ahead_reader *reader, const data_source *source)
{
    if (reader->urgent && source->bytes_read < LEAST_BYTES) {
        return false;
    }
    return source->total_bytes == FILE_SIZE_UNKNOWN ||
           (source->total_bytes > source->bytes_read &&
            source->total_bytes - source->bytes_read > PIPELINE_BLOCK);
}

static bool
may_run(const csv_ahead *self, const csv_ahead_reader *reader, const data_source *source)
{
    const csv_parser *parser = &reader->records->parser;
    return self->threads > 1 && reader->ready && reader->records->footer == 0 &&
           reader->records->fault == CSV_NO_FAULT && !csv_parser_failed(parser) &&
           !parser->finished && csv_parser_holds_bytes(parser) && parser->started &&
           parser->line == NULL && is_worth_it(reader, source);
}

/* Let it run, if it may.  0 or -1. */
static int
ahead_start(csv_ahead *self, const csv_ahead_reader *reader, const data_source *source)
{
    csv_parser *parser = &reader->records->parser;
    if (!may_run(self, reader, source)) {
        return 0;
    }
    if (csv_parser_drop_taken(parser) < 0) {
        return -1;
    }
    if (self->pipeline == NULL) {
        pipeline_check check = parser->encoding == CSV_UTF8    ? check_utf8
                               : parser->encoding == CSV_ASCII ? check_ascii
                                                               : check_latin1;
        self->pipeline = pipeline_new(reader->work, reader->context, check, self->threads);
        if (self->pipeline == NULL) {
            PyErr_NoMemory();
            return -1;
        }
    }
    self->byte = parser->block_byte + parser->block.length;
    self->running = pipeline_begin(self->pipeline, &parser->machine, parser->block.data,
                                   parser->block.length, parser->valid);
    return 0;
}

/* ---- blocks ---- */

/* Let the parser have a block that is done.  0 or -1. */
static int
ahead_take(csv_ahead *self, csv_parser *parser, generators_state *state, pipeline_block *b)
{
    buffer block = parser->block;
    fields machine = parser->machine;
    parser->byte_count += b->block.length - PIPELINE_HEADROOM;
    parser->block_byte = b->byte - PIPELINE_HEADROOM; /* the sum with a unit's place counts */
    parser->valid = b->valid;
    parser->block = b->block;
    parser->machine = b->machine;
    b->block = block;
    b->machine = machine;
    self->held = true;
    self->piece = b->whole ? b->piece : NULL;
    if (parser->valid < parser->block.length && parser->machine.error == FIELDS_FINE) {
        /* Find out whether it is a fault.  If so, what was indexed after it does not hold. */
        if (csv_parser_scan(parser, state, false) < 0) {
            return -1;
        }
        if (csv_parser_failed(parser)) {
            pipeline_stall(self->pipeline);
        }
    }
    return 0;
}

/* Feed the parser with the bytes of a block that was not indexed.  0 or -1. */
static int
ahead_feed(csv_ahead *self, csv_parser *parser, generators_state *state,
           const pipeline_block *b)
{
    const size_t count = b->block.length - PIPELINE_HEADROOM;
    int status =
        csv_parser_feed_bytes(parser, state, b->block.data + PIPELINE_HEADROOM, count);
    pipeline_release(self->pipeline);
    return status;
}

/* Read the source until there are as many blocks as may be.  0 or -1. */
static int
ahead_read(csv_ahead *self, csv_parser *parser, data_source *source, stream *owner,
           generators_state *state)
{
    ahead_target target = {self, parser};
    const source_sink sink = {&ahead_sink_kind, &target};
    while (!self->over && self->error == NULL && pipeline_has_room(self->pipeline) &&
           !pipeline_has_stalled(self->pipeline)) {
        if (data_source_pull(source, state, owner, &sink) < 0) {
            if (!PyErr_ExceptionMatches(PyExc_Exception)) {
                return -1;
            }
            self->error = PyErr_GetRaisedException();
        }
    }
    if (self->over || self->error != NULL || pipeline_has_stalled(self->pipeline)) {
        pipeline_submit(self->pipeline);
    }
    return 0;
}

static int
ahead_next(csv_ahead *self, csv_records *records, data_source *source, stream *owner,
           generators_state *state)
{
    csv_parser *parser = &records->parser;
    if (self->held) {
        self->held = false;
        pipeline_release(self->pipeline);
    }
    if (records->fault != CSV_NO_FAULT) {
        pipeline_stall(self->pipeline); /* the parser is fed with what comes next */
    }
    if (ahead_read(self, parser, source, owner, state) < 0) {
        return -1;
    }
    pipeline_block *b;
    Py_BEGIN_ALLOW_THREADS
    b = pipeline_wait(self->pipeline);
    Py_END_ALLOW_THREADS
    if (PyErr_CheckSignals() < 0) {
        return -1;
    }
    if (b != NULL) {
        return b->indexed ? ahead_take(self, parser, state, b)
                          : ahead_feed(self, parser, state, b);
    }
    if (self->error != NULL) {
        PyObject *error = self->error;
        self->error = NULL;
        PyErr_SetRaisedException(error);
        return -1;
    }
    self->running = false;
    return self->over ? csv_parser_finish(parser, state) : 0;
}

int
csv_ahead_pull(csv_ahead *self, const csv_ahead_reader *reader, data_source *source,
               stream *owner, generators_state *state)
{
    self->piece = NULL;
    if (!self->running && ahead_start(self, reader, source) < 0) {
        return -1;
    }
    if (self->running) {
        return ahead_next(self, reader->records, source, owner, state);
    }
    const source_sink sink = csv_parser_sink(&reader->records->parser);
    return data_source_pull(source, state, owner, &sink);
}

/* ---- lifetime ---- */

static bool
is_forked(const csv_ahead *self)
{
    return self->pipeline != NULL && self->pipeline->process != threads_process();
}

int
csv_ahead_check(const csv_ahead *self, const char *name)
{
    if (is_forked(self)) {
        PyErr_Format(PyExc_RuntimeError,
                     "the process was forked after %s() had started threads: the child can't "
                     "go on with it",
                     name);
        return -1;
    }
    return 0;
}

void
csv_ahead_release(csv_ahead *self)
{
    pipeline *threads = self->pipeline;
    const bool forked = is_forked(self);
    self->piece = NULL;
    self->pipeline = NULL;
    self->running = self->held = false;
    if (threads != NULL && !forked) {
        pipeline_free(threads);
    }
    Py_CLEAR(self->error);
}

int
csv_ahead_traverse(csv_ahead *self, visitproc visit, void *arg)
{
    Py_VISIT(self->error);
    return 0;
}
