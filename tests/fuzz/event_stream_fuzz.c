/* The parser of text/event-stream: cut anywhere, it reads what its plain statement reads. */
#include "core/event_stream.h"

#include "fuzz.h"

#include "../core/event_stream_model.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static events_text expected, out;
    input in = {data, size};
    uint8_t steps[16];
    size_t count = in.count < sizeof steps ? in.count : sizeof steps;
    memcpy(steps, in.bytes, count);
    for (size_t i = 0; i < count; i++) {
        next_byte(&in);
    }
    if (in.count > 4000) {
        return 0;
    }
    expected.length = out.length = 0;
    model_read((const char *)in.bytes, in.count, &expected);
    event_stream machine;
    event_stream_init(&machine, SIZE_MAX);
    for (size_t at = 0, i = 0; at < in.count; i++) {
        size_t most = in.count - at, length = count == 0 ? most : steps[i % count] % 32 + 1u;
        length = length < most ? length : most;
        uint8_t *piece = copy_of(in.bytes + at, length);
        CHECK(event_stream_feed(&machine, piece, length));
        free(piece);
        at += length;
        CHECK(events_take(&machine, &out) == EVENT_STREAM_MORE);
        CHECK(event_stream_byte(&machine) <= at);
    }
    events_put_end(&machine, &out);
    CHECK(out.length == expected.length && memcmp(out.text, expected.text, out.length) == 0);
    event_stream_free(&machine);

    /* With a limit: the same events, up to one that is too long. */
    event_stream_init(&machine, 16);
    out.length = 0;
    CHECK(event_stream_feed(&machine, in.bytes, in.count));
    event_stream_step step = events_take(&machine, &out);
    CHECK(step == EVENT_STREAM_MORE || step == EVENT_STREAM_TOO_LONG);
    CHECK(out.length <= expected.length && memcmp(out.text, expected.text, out.length) == 0);
    event_stream_free(&machine);
    return 0;
}
