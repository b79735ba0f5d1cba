/* The ring against the plain statement of it: a long row, taken from the front. */
#include "core/ring.h"

#include <stdbool.h>
#include <stdint.h>

#include "check.h"

#define LONGEST 5000

/* Item k of the row is the address of place[k]. */
static char place[LONGEST];
static size_t size_of[LONGEST];
static size_t put, taken;

static size_t
bytes_held(void)
{
    size_t sum = 0;
    for (size_t i = taken; i < put; i++) {
        sum += size_of[i];
    }
    return sum;
}

static void
check_whole(const ring *r)
{
    size_t count = put - taken, bytes = bytes_held();
    CHECK(r->count == count, "%zu items, not %zu", r->count, count);
    CHECK(r->bytes == bytes, "%zu bytes, not %zu", r->bytes, bytes);
    CHECK(ring_is_empty(r) == (count == 0), "empty with %zu", count);
    CHECK(ring_is_full(r) == (count >= r->max_items || bytes >= r->max_bytes),
          "full with %zu items, %zu bytes", count, bytes);
    bool half = 2 * count <= r->max_items && 2 * bytes <= r->max_bytes;
    CHECK(ring_is_half_empty(r) == half, "half empty with %zu items, %zu bytes", count, bytes);
    for (size_t i = 0; i < count; i++) {
        CHECK(ring_at(r, i) == &place[taken + i], "another item at %zu", i);
    }
}

static void
put_one(ring *r, size_t bytes)
{
    size_of[put] = bytes;
    CHECK(ring_put(r, &place[put], bytes), "no memory");
    put++;
}

static void
take_one(ring *r)
{
    void *item = ring_take(r);
    if (taken == put) {
        CHECK(item == NULL, "an item out of nothing");
        return;
    }
    CHECK(item == &place[taken], "another item");
    taken++;
}

static void
test_random(void)
{
    for (int round = 0; round < 300; round++) {
        ring r;
        ring_init(&r, random_below(60), 1 + random_below(500));
        put = taken = 0;
        uint32_t puts = 1 + random_below(9); /* of ten steps: it fills, or empties */
        for (int step = 0; step < 400; step++) {
            if (random_below(10) >= puts) {
                take_one(&r);
            }
            else if (!ring_is_full(&r) || random_below(20) == 0) {
                put_one(&r, random_below(30) == 0 ? 700 : random_below(20));
            }
            check_whole(&r);
        }
        while (taken < put) {
            take_one(&r);
        }
        check_whole(&r);
        CHECK(ring_take(&r) == NULL, "an item out of nothing");
        ring_free(&r);
        CHECK(r.entries == NULL && ring_is_empty(&r), "not emptied");
        ring_free(&r);
    }
}

/* Any item has its turn, however large; the next waits. */
static void
test_large_item(void)
{
    ring r;
    ring_init(&r, 10, 100);
    put = taken = 0;
    CHECK(!ring_is_full(&r), "full of nothing");
    put_one(&r, 1000000);
    CHECK(ring_is_full(&r), "room beside it");
    take_one(&r);
    put_one(&r, 99);
    CHECK(!ring_is_full(&r), "full too early");
    put_one(&r, 1000);
    CHECK(ring_is_full(&r), "room beyond the bound");
    take_one(&r);
    CHECK(ring_is_full(&r), "the large one is still held");
    take_one(&r);
    check_whole(&r);
    ring_free(&r);
}

/* Sizes that no memory has: the sum stays where it is and comes back to nothing. */
static void
test_sum_that_is_too_large(void)
{
    ring r;
    ring_init(&r, 10, SIZE_MAX);
    for (size_t i = 0; i < 3; i++) {
        CHECK(ring_put(&r, &place[i], SIZE_MAX - 5), "no memory");
    }
    CHECK(r.bytes == SIZE_MAX && ring_is_full(&r), "%zu bytes", r.bytes);
    for (size_t i = 0; i < 3; i++) {
        CHECK(ring_take(&r) == &place[i], "another item");
    }
    CHECK(r.bytes == 0, "%zu bytes of nothing", r.bytes);
    ring_free(&r);
}

/* It grows at every place where its first item can be. */
static void
test_growing(void)
{
    for (size_t shift = 0; shift < 70; shift++) {
        ring r;
        ring_init(&r, 1000, SIZE_MAX);
        put = taken = 0;
        for (size_t i = 0; i < shift; i++) {
            put_one(&r, 1);
            take_one(&r);
        }
        for (size_t i = 0; i < 200; i++) {
            put_one(&r, i);
            check_whole(&r);
        }
        while (taken < put) {
            take_one(&r);
        }
        ring_free(&r);
    }
}

/* No items ahead: always full, and it holds what it is given. */
static void
test_no_items(void)
{
    ring r;
    ring_init(&r, 0, 100);
    put = taken = 0;
    CHECK(ring_is_full(&r) && ring_is_empty(&r) && ring_is_half_empty(&r),
          "bounds of nothing");
    put_one(&r, 1);
    CHECK(ring_is_full(&r) && !ring_is_half_empty(&r), "bounds of one");
    take_one(&r);
    check_whole(&r);
    ring_free(&r);
}

int
main(void)
{
    test_random();
    test_large_item();
    test_sum_that_is_too_large();
    test_growing();
    test_no_items();
    return 0;
}
