/* Lines: cut anywhere, they are those of the whole text. */
#include "core/lines.h"

#include "fuzz.h"

typedef struct {
    uint64_t byte;
    size_t length;
    size_t end;
    lines_result result;
} line;

#define MOST 600

static const uint8_t *text;

static size_t
take(lines *machine, bool skips, line *out, size_t count, bool *failed)
{
    lines_span span;
    for (;;) {
        lines_result result = LINES_LINE;
        if (!lines_next_quick(machine, &span)) {
            result = lines_next(machine, &span);
        }
        if (result == LINES_MORE || result == LINES_OVER) {
            return count;
        }
        bool too_long = result == LINES_TOO_LONG;
        uint64_t byte = lines_byte_of(machine, &span);
        byte = too_long ? lines_byte(machine) : byte;
        CHECK(memcmp(span.bytes, text + byte, span.length) == 0);
        CHECK(count < MOST);
        out[count++] = (line){byte, span.length, span.end, result};
        if (too_long && !skips) {
            *failed = true;
            return count;
        }
        if (too_long) {
            lines_skip(machine);
        }
    }
}

static size_t
read_all(const uint8_t *header, input in, bool cut, line *out)
{
    lines machine;
    bool keeps = header[0] & 1, skips = header[0] & 2, failed = false;
    size_t length = header[1] % 4, count = 0;
    lines_init(&machine, scan_choose(NULL), in.bytes, in.count < length ? 0 : length, keeps,
               header[2]);
    machine.drops_mark = header[0] & 4;
    for (size_t at = 0, i = 0; at < in.count && !failed; i++) {
        size_t piece = cut ? 1u + in.bytes[i % in.count] % (1u + header[3]) : in.count;
        piece = piece < in.count - at ? piece : in.count - at;
        uint8_t *copy = copy_of(in.bytes + at, piece);
        CHECK(lines_feed(&machine, copy, piece) == BUFFER_OK);
        free(copy);
        at += piece;
        count = take(&machine, skips, out, count, &failed);
    }
    if (!failed) {
        lines_finish(&machine);
        count = take(&machine, skips, out, count, &failed);
    }
    lines_free(&machine);
    return count;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static line whole[MOST], pieces[MOST];
    input in = {data, size};
    uint8_t header[4];
    for (int i = 0; i < 4; i++) {
        header[i] = next_byte(&in);
    }
    if (in.count >= MOST) {
        return 0;
    }
    text = in.bytes;
    size_t count = read_all(header, in, false, whole);
    CHECK(read_all(header, in, true, pieces) == count);
    for (size_t i = 0; i < count; i++) {
        CHECK(whole[i].byte == pieces[i].byte && whole[i].length == pieces[i].length);
        CHECK(whole[i].result == pieces[i].result);
        /* Without line ends, that of a CR may not be known yet. */
        CHECK(whole[i].end == pieces[i].end || !(header[0] & 1));
    }
    return 0;
}
