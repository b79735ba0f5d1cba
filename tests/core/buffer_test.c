/* The block against a plain array of 4-byte units that never shrinks. */
#include "core/buffer.h"

#include <stdbool.h>

#include "check.h"

#define MODEL 20000

static uint32_t model[MODEL];
static size_t model_length;

static int
width_of(uint32_t unit)
{
    return unit <= 0xFF ? 1 : unit <= 0xFFFF ? 2 : 4;
}

static void
check(const buffer *b)
{
    CHECK(b->length == model_length, "%zu units, not %zu", b->length, model_length);
    CHECK(b->capacity >= b->length, "%zu units in room for %zu", b->length, b->capacity);
    CHECK(b->width == 1 || b->width == 2 || b->width == 4, "width %d", b->width);
    CHECK(b->length == 0 || b->data != NULL, "units and no block");
    for (size_t i = 0; i < model_length; i++) {
        uint32_t unit = buffer_unit(b, i);
        CHECK(unit == model[i], "unit %zu of %zu is %x, not %x", i, model_length,
              (unsigned)unit, (unsigned)model[i]);
    }
}

static uint32_t
random_unit(int width)
{
    uint32_t unit = (uint32_t)random_bits();
    return width == 1 ? unit & 0xFF : width == 2 ? unit & 0xFFFF : unit % 0x110000;
}

static void
append(buffer *b, size_t count, int width)
{
    uint8_t *units = allocate(count * (size_t)width);
    for (size_t i = 0; i < count; i++) {
        model[model_length + i] = random_unit(width);
        put_unit(units, i, width, model[model_length + i]);
    }
    CHECK(buffer_append(b, units, count, width) == BUFFER_OK, "no room for %zu", count);
    model_length += count;
    free(units);
}

static void
append_unit(buffer *b, uint32_t unit)
{
    int width = b->width;
    CHECK(buffer_append_unit(b, unit) == BUFFER_OK, "no room for one");
    model[model_length++] = unit;
    CHECK(b->width == (width > width_of(unit) ? width : width_of(unit)), "width %d after %x",
          b->width, (unsigned)unit);
}

static void
drop(buffer *b, size_t count)
{
    buffer_drop(b, count);
    model_length -= count;
    memmove(model, model + count, model_length * sizeof model[0]);
    CHECK(model_length > 0 || b->width == 1, "emptied, and units of %d bytes", b->width);
}

static void
test_random(void)
{
    static const int widths[] = {1, 1, 1, 1, 2, 4};
    for (int round = 0; round < 300; round++) {
        buffer b;
        buffer_init(&b);
        model_length = 0;
        for (int step = 0; step < 100; step++) {
            size_t room = MODEL - model_length;
            size_t count = random_below((uint32_t)(room < 200 ? room : 200) + 1);
            int width = widths[random_below(6)];
            switch (random_below(4)) {
            case 0:
                append(&b, count, width);
                break;
            case 1:
                if (room > 0) {
                    append_unit(&b, random_unit(width));
                }
                break;
            case 2:
                drop(&b, random_below((uint32_t)model_length + 1));
                break;
            default:
                drop(&b, random_below(4) == 0 ? model_length : 0);
            }
            check(&b);
        }
        buffer_free(&b);
        CHECK(b.data == NULL && b.length == 0 && b.capacity == 0 && b.width == 1,
              "not emptied");
        buffer_free(&b); /* a second time: nothing there */
    }
}

/* Room that was reserved is there: filling it moves nothing. */
static void
test_reserve(void)
{
    static const int widths[] = {1, 2, 4};
    for (int held = 0; held < 3; held++) {
        for (int wanted = 0; wanted < 3; wanted++) {
            buffer b;
            buffer_init(&b);
            model_length = 0;
            append(&b, 100, widths[held]);
            CHECK(buffer_reserve(&b, 1000, widths[wanted]) == BUFFER_OK, "no room");
            check(&b);
            CHECK(b.width == widths[held > wanted ? held : wanted], "width %d", b.width);
            CHECK(b.capacity >= 1100, "room for %zu", b.capacity);
            uint8_t *data = b.data;
            append(&b, 1000, widths[wanted]);
            check(&b);
            CHECK(b.data == data, "moved though there was room");
            buffer_free(&b);
        }
    }
}

/* A block that is filled and emptied keeps its room; one that only grows
   moves seldom. */
static void
test_growth(void)
{
    buffer b;
    buffer_init(&b);
    model_length = 0;
    int moves = 0;
    for (int i = 0; i < MODEL; i++) {
        size_t capacity = b.capacity;
        append_unit(&b, 'a');
        moves += b.capacity != capacity;
    }
    check(&b);
    CHECK(moves <= 20, "%d moves for %d units", moves, MODEL);

    size_t bytes = b.capacity;
    for (int width = 1; width <= 4; width *= 2) {
        drop(&b, model_length);
        check(&b);
        CHECK(b.capacity == bytes, "room for %zu bytes became %zu", bytes, b.capacity);
        append(&b, 1000, width);
        check(&b);
        CHECK(b.capacity == bytes / (size_t)width, "room for %zu units", b.capacity);
    }
    buffer_free(&b);
}

static void
test_limit(void)
{
    buffer b;
    buffer_init(&b);
    model_length = 0;
    append(&b, 10, 1);
    CHECK(buffer_reserve(&b, BUFFER_LIMIT, 1) == BUFFER_TOO_LONG, "too many units were taken");
    CHECK(buffer_reserve(&b, SIZE_MAX, 1) == BUFFER_TOO_LONG, "too many units were taken");
    CHECK(buffer_append(&b, NULL, 0, 1) == BUFFER_OK, "nothing could not be appended");
    check(&b);
    buffer_free(&b);
    CHECK(buffer_append(&b, NULL, 0, 4) == BUFFER_OK, "nothing could not be appended");
    buffer_free(&b);
}

int
main(void)
{
    test_random();
    test_reserve();
    test_growth();
    test_limit();
    return 0;
}
