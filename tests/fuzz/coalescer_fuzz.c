/* The coalescer: pieces of any length come out whole, in order, in chunks of one size. */
#include "core/coalescer.h"

#include "fuzz.h"

static size_t
take(coalescer *machine, const uint8_t *expected, size_t out, size_t fed, bool all)
{
    const uint8_t *chunk;
    size_t count;
    while ((count = coalescer_next(machine, &chunk)) > 0) {
        CHECK(count <= machine->size && out + count <= fed);
        CHECK(all || count == machine->size);
        CHECK(memcmp(chunk, expected + out, count) == 0);
        out += count;
    }
    return out;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    input in = {data, size};
    coalescer machine;
    coalescer_init(&machine, 1u + next_byte(&in), COALESCER_NEVER);
    uint8_t steps[64];
    size_t count = in.count < sizeof steps ? in.count : sizeof steps;
    memcpy(steps, in.bytes, count);
    size_t out = 0, at = 0;
    for (size_t i = 0; i < count && at < in.count; i++) {
        size_t most = in.count - at, length = steps[i] >> 1;
        length = length < most ? length : most;
        uint8_t *piece = copy_of(in.bytes + at, length);
        if (!coalescer_put(&machine, piece, length)) {
            CHECK(coalescer_feed(&machine, piece, length));
        }
        at += length;
        bool flushed = steps[i] & 1;
        if (flushed) {
            coalescer_flush(&machine);
        }
        out = take(&machine, in.bytes, out, at, flushed);
        CHECK(at - out < machine.size);
        CHECK(!flushed || out == at);
        free(piece);
    }
    coalescer_flush(&machine);
    CHECK(take(&machine, in.bytes, out, at, true) == at);
    coalescer_free(&machine);
    return 0;
}
