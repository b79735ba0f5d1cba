/* The parser of text/event-stream against the plain statement of it, for every cut. */
#include "core/event_stream.h"

#include "check.h"
#include "event_stream_model.h"

static void
feed(event_stream *machine, const char *bytes, size_t count)
{
    /* Of exactly that size, and gone when it was fed. */
    char *piece = allocate(count);
    if (count > 0) {
        memcpy(piece, bytes, count);
    }
    CHECK(event_stream_feed(machine, piece, count), "no memory");
    free(piece);
}

/* Cut where `cuts` has a bit; position i is before byte i. */
static void
check_cut(const char *bytes, size_t count, uint64_t cuts, const events_text *expected)
{
    static events_text out;
    out.length = 0;
    event_stream machine;
    event_stream_init(&machine, SIZE_MAX);
    size_t start = 0;
    for (size_t at = 0; at <= count; at++) {
        if (at == count || (at < 64 && cuts >> at & 1)) {
            feed(&machine, bytes + start, at - start);
            start = at;
            CHECK(events_take(&machine, &out) == EVENT_STREAM_MORE, "not read to the end");
        }
    }
    events_put_end(&machine, &out);
    CHECK(out.length == expected->length && memcmp(out.text, expected->text, out.length) == 0,
          "of '%.*s' cut at %llx: '%.*s', not '%.*s'", (int)count, bytes,
          (unsigned long long)cuts, (int)out.length, out.text, (int)expected->length,
          expected->text);
    event_stream_free(&machine);
}

static void
check_cuts(const char *bytes, size_t count)
{
    static events_text expected;
    expected.length = 0;
    model_read(bytes, count, &expected);
    check_cut(bytes, count, 0, &expected);
    check_cut(bytes, count, UINT64_MAX, &expected);
    for (size_t at = 0; at < count && at < 64; at++) {
        check_cut(bytes, count, UINT64_C(1) << at, &expected);
    }
    for (int i = 0; i < 4; i++) {
        check_cut(bytes, count, random_bits() & random_bits(), &expected);
    }
}

static const char *const words[] = {
    "data", "event", "id",           "retry", ":",         " ",
    "\n",   "\r",    "\r\n",         "a",     "7",         ": x",
    "\n\n", "data:", "\xEF\xBB\xBF", "id: ",  "retry: 99", "event:b",
};
enum { WORDS = sizeof words / sizeof *words };

/* All texts of up to four words. */
static void
test_short(void)
{
    char text[64];
    for (int i = 0; i < WORDS * WORDS * WORDS * WORDS; i++) {
        size_t length = 0;
        for (int rest = i, n = 0; n < 4; n++, rest /= WORDS) {
            size_t count = strlen(words[rest % WORDS]);
            memcpy(text + length, words[rest % WORDS], count);
            length += count;
        }
        static events_text expected;
        expected.length = 0;
        model_read(text, length, &expected);
        check_cut(text, length, 0, &expected);
        check_cut(text, length, UINT64_MAX, &expected);
        check_cut(text, length, random_bits(), &expected);
    }
}

static void
test_random(void)
{
    char text[600];
    for (int i = 0; i < 20000; i++) {
        size_t length = 0;
        int count = (int)random_below(50);
        for (int n = 0; n < count; n++) {
            const char *word = words[random_below(WORDS)];
            memcpy(text + length, word, strlen(word));
            length += strlen(word);
            if (random_below(8) == 0) {
                text[length++] = (char)random_bits();
            }
        }
        check_cuts(text, length);
    }
}

static void
test_retry(void)
{
    static const char *const texts[] = {
        "retry: 9223372036854775807\n",
        "retry: 9223372036854775808\n",
        "retry: 99999999999999999999999999\n",
        "retry: 000\n",
        "retry:\n",
        "retry: 1 \n",
    };
    static const int64_t numbers[] = {INT64_MAX, INT64_MAX, INT64_MAX, 0, -1, -1};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        event_stream machine;
        event_stream_init(&machine, 100);
        feed(&machine, texts[i], strlen(texts[i]));
        CHECK(event_stream_next(&machine) == EVENT_STREAM_MORE, "an event");
        CHECK(machine.retry == numbers[i], "%s: %lld", texts[i], (long long)machine.retry);
        event_stream_free(&machine);
    }
}

/* An event is too long or not, wherever it is cut. */
static void
test_limit(void)
{
    static const char text[] =
        "data: fine\n\n:comments do not count\nevent: ab\rdata: 12345\n\n";
    const size_t count = sizeof text - 1;
    for (size_t limit = 10; limit < 16; limit++) {
        for (size_t size = 1; size <= count; size++) {
            event_stream machine;
            event_stream_init(&machine, limit);
            static events_text out;
            out.length = 0;
            event_stream_step step = EVENT_STREAM_MORE;
            for (size_t at = 0; at < count && step == EVENT_STREAM_MORE; at += size) {
                feed(&machine, text + at, count - at < size ? count - at : size);
                step = events_take(&machine, &out);
            }
            bool over = limit < 13;
            CHECK(step == (over ? EVENT_STREAM_TOO_LONG : EVENT_STREAM_MORE), "limit %zu",
                  limit);
            CHECK(machine.event_count == (over ? 1 : 2), "limit %zu", limit);
            CHECK(event_stream_byte(&machine) == (over ? 45 : count), "at %llu",
                  (unsigned long long)event_stream_byte(&machine));
            CHECK(!over || machine.line_count == 4, "line %llu",
                  (unsigned long long)machine.line_count);
            CHECK(!over || event_stream_next(&machine) == EVENT_STREAM_TOO_LONG, "forgotten");
            event_stream_free(&machine);
        }
    }
}

/* A comment without an end takes no memory; what was read is dropped. */
static void
test_memory(void)
{
    event_stream machine;
    event_stream_init(&machine, 100);
    static char spaces[1000];
    memset(spaces, ' ', sizeof spaces);
    feed(&machine, "data: a\n: ", 10);
    for (int i = 0; i < 10000; i++) {
        feed(&machine, spaces, sizeof spaces);
        CHECK(event_stream_next(&machine) == EVENT_STREAM_MORE, "an event");
    }
    CHECK(machine.block.capacity < 10000, "%zu bytes", machine.block.capacity);
    feed(&machine, "\r\n\n", 3);
    CHECK(event_stream_next(&machine) == EVENT_STREAM_EVENT, "no event");
    CHECK(machine.data.length == 1 && machine.line_count == 3, "not the comment's line");
    event_stream_release(&machine);
    CHECK(machine.block.data == NULL, "not released");
    event_stream_free(&machine);
}

int
main(void)
{
    test_short();
    test_random();
    test_retry();
    test_limit();
    test_memory();
    return 0;
}
