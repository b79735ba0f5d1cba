/* The ring against a list: what is put is taken, once, in its order, and the bounds are told.
 */
#include "core/ring.h"

#include "fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    input in = {data, size};
    size_t max_items = next_byte(&in), max_bytes = 4u * next_byte(&in);
    ring held;
    ring_init(&held, max_items, max_bytes);
    size_t *bytes = allocate(in.count * sizeof *bytes);
    size_t first = 0, last = 0, sum = 0;
    while (in.count > 0) {
        uint8_t step = next_byte(&in);
        if (step & 1) {
            bytes[last] = step >> 1;
            CHECK(ring_put(&held, &bytes[last], bytes[last]));
            sum += bytes[last++];
        }
        else if (first < last) {
            CHECK(ring_take(&held) == &bytes[first]);
            sum -= bytes[first++];
        }
        else {
            CHECK(ring_take(&held) == NULL);
        }
        CHECK(ring_is_empty(&held) == (first == last));
        CHECK(ring_is_full(&held) == (last - first >= max_items || sum >= max_bytes));
        CHECK(held.count == last - first && held.bytes == sum);
        for (size_t i = first; i < last && i < first + 3; i++) {
            CHECK(ring_at(&held, i - first) == &bytes[i]);
        }
    }
    ring_free(&held);
    free(bytes);
    return 0;
}
