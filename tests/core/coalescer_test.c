/* The coalescer against the plain statement of it: all bytes in one line, cut. */
#include "core/coalescer.h"

#include "check.h"
#include "core/clock.h"

#define LONGEST 4000

/* All bytes fed so far, and how many of them came out again. */
static uint8_t line[1 << 20];
static size_t fed, taken;

static size_t
held(void)
{
    return fed - taken;
}

static void
feed(coalescer *c, size_t count)
{
    uint8_t *piece = allocate(count);
    CHECK(fed + count <= sizeof line, "the model's line is full");
    for (size_t i = 0; i < count; i++) {
        piece[i] = line[fed + i] = (uint8_t)random_bits();
    }
    fed += count;
    /* Any way in must give the same. */
    if (random_below(2) == 0 || !coalescer_put(c, piece, count)) {
        CHECK(coalescer_feed(c, piece, count), "no memory");
    }
    CHECK(!coalescer_is_empty(c) == (held() > 0), "empty, and %zu are held", held());
    bool due = c->due;
    for (;;) {
        bool ready = coalescer_is_ready(c);
        const uint8_t *chunk;
        size_t expected = held() >= c->size ? c->size : due ? held() : 0;
        size_t got = coalescer_next(c, &chunk);
        CHECK(got == expected, "%zu bytes, not %zu", got, expected);
        CHECK(got == 0 || ready, "not ready, and %zu came", got);
        if (got == 0) {
            break;
        }
        CHECK(memcmp(chunk, line + taken, got) == 0, "other bytes");
        taken += got;
    }
    free(piece); /* so that a sanitizer sees a use after this */
}

static void
flush(coalescer *c)
{
    const uint8_t *chunk;
    size_t expected = held();
    coalescer_flush(c);
    CHECK(coalescer_is_ready(c) == (expected > 0), "ready with %zu held", expected);
    CHECK(coalescer_next(c, &chunk) == expected, "not all that was held");
    CHECK(expected == 0 || memcmp(chunk, line + taken, expected) == 0, "other bytes");
    taken += expected;
    CHECK(coalescer_next(c, &chunk) == 0 && coalescer_is_empty(c), "more than was held");
}

static void
test_random(void)
{
    for (int round = 0; round < 400; round++) {
        coalescer c;
        size_t size = 1 + random_below(round % 4 == 0 ? 12000 : 40);
        coalescer_init(&c, size, COALESCER_NEVER);
        fed = taken = 0;
        for (int step = 0; step < 100; step++) {
            uint32_t most = random_below(5) == 0 ? LONGEST : 20;
            size_t count = random_below(8) == 0 ? size : random_below(most + 1);
            feed(&c, count);
            if (random_below(6) == 0) {
                flush(&c);
            }
            CHECK(c.capacity <= size, "room for %zu", c.capacity);
        }
        flush(&c);
        coalescer_free(&c);
        CHECK(c.block == NULL && coalescer_is_empty(&c), "not emptied");
        coalescer_free(&c);
    }
}

/* A whole chunk that comes while nothing is held is not copied. */
static void
test_uncopied(void)
{
    static const uint8_t piece[100];
    const uint8_t *chunk;
    coalescer c;
    coalescer_init(&c, 40, COALESCER_NEVER);
    CHECK(coalescer_feed(&c, piece, 100), "no memory");
    CHECK(coalescer_next(&c, &chunk) == 40 && chunk == piece, "copied");
    CHECK(coalescer_next(&c, &chunk) == 40 && chunk == piece + 40, "copied");
    CHECK(coalescer_next(&c, &chunk) == 0, "not a whole chunk");
    CHECK(coalescer_feed(&c, piece, 20), "no memory");
    CHECK(coalescer_next(&c, &chunk) == 40 && chunk != piece, "not copied together");
    coalescer_free(&c);
}

static size_t
tick(coalescer *c, uint64_t now)
{
    const uint8_t *chunk;
    coalescer_tick(c, now);
    size_t count = coalescer_next(c, &chunk);
    while (coalescer_next(c, &chunk) != 0) {
    }
    return count;
}

static void
test_delay(void)
{
    coalescer c;
    coalescer_init(&c, 10, 100);
    CHECK(coalescer_needs_clock(&c), "a delay and no clock");
    CHECK(tick(&c, 0) == 0, "nothing was held");
    CHECK(tick(&c, 1000) == 0, "nothing was held");
    CHECK(coalescer_feed(&c, "ab", 2) && tick(&c, 1000) == 0, "too early");
    CHECK(coalescer_feed(&c, "c", 1) && tick(&c, 1099) == 0, "too early");
    CHECK(coalescer_feed(&c, "d", 1) && tick(&c, 1100) == 4, "too late");
    CHECK(coalescer_feed(&c, "e", 1) && tick(&c, 1101) == 0, "time began with the next byte");
    coalescer_ask(&c, 1500);
    CHECK(coalescer_feed(&c, "f", 1) && tick(&c, 1599) == 0, "nobody had waited");
    CHECK(coalescer_feed(&c, "g", 1) && tick(&c, 1600) == 3, "too late");
    coalescer_ask(&c, 1700);
    CHECK(coalescer_feed(&c, "h", 1) && tick(&c, 1900) == 0, "it had just come");
    CHECK(coalescer_feed(&c, "0123456789", 10) && tick(&c, 1950) == 10, "a whole chunk");
    CHECK(coalescer_feed(&c, "", 0) && tick(&c, 2000) == 0, "what was left began to wait");
    CHECK(coalescer_feed(&c, "", 0) && tick(&c, 2100) == 1, "too late");
    coalescer_free(&c);

    coalescer_init(&c, 10, 0);
    CHECK(!coalescer_needs_clock(&c), "no delay and a clock");
    coalescer_init(&c, 10, COALESCER_NEVER);
    CHECK(!coalescer_needs_clock(&c), "no delay and a clock");
}

static void
test_clock(void)
{
    uint64_t coarse = clock_coarse(), precise = clock_precise();
    for (int i = 0; i < 100000; i++) {
        uint64_t next_coarse = clock_coarse(), next_precise = clock_precise();
        CHECK(next_coarse >= coarse && next_precise >= precise, "time went back");
        coarse = next_coarse;
        precise = next_precise;
    }
}

int
main(void)
{
    test_random();
    test_uncopied();
    test_delay();
    test_clock();
    return 0;
}
