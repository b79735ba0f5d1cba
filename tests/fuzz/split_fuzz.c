/* The CSV machine from every state: by masks and byte by byte it gives the same, and so do the
   spans of ranges that were cut anywhere, put together. */
#include "core/split.h"

#include "core/split_feed.h"
#include "fuzz.h"

enum { LONGEST = 600, MOST_CUTS = 6 };

static room memory;

static void
read_range(split *s, const uint8_t *text, size_t count, size_t start, size_t stop,
           size_t piece)
{
    const size_t before = start < 3 ? start : 3;
    split_begin(s, start, text + start - before, before, SPLIT_STATES);
    for (size_t at = start; at < stop; at += piece) {
        const size_t length = stop - at < piece ? stop - at : piece;
        uint8_t *copy = room_open(&memory, LONGEST, length);
        memcpy(copy, text + at, length);
        split_feed(s, copy, length);
    }
    split_end(s, text + stop, count - stop < 3 ? count - stop : 3);
}

static void
check_same(const split_span *a, const split_span *b)
{
    CHECK(a->start == b->start && a->stop == b->stop && a->end == b->end);
    CHECK(a->lines == b->lines && a->records == b->records);
    CHECK(a->first == b->first && a->last == b->last);
    CHECK(a->first_lines == b->first_lines && a->last_lines == b->last_lines);
}

/* The ranges between the cuts, read each by itself from every state, and put together from
   each state that the first can begin in. */
static void
check_composed(const split *fresh, const split *whole, const uint8_t *text, size_t count,
               const size_t *cuts, size_t piece)
{
    static split ranges[MOST_CUTS];
    for (int i = 0; i + 1 < MOST_CUTS; i++) {
        ranges[i] = *fresh;
        read_range(&ranges[i], text, count, cuts[i], cuts[i + 1], piece);
    }
    for (int state = 0; state < SPLIT_STATES; state++) {
        split_span expected, joined, next;
        const bool possible = split_result(whole, (split_state)state, &expected);
        CHECK(split_result(&ranges[0], (split_state)state, &joined) == possible);
        for (int i = 1; i + 1 < MOST_CUTS && possible; i++) {
            CHECK(split_result(&ranges[i], joined.end, &next));
            joined = split_join(&joined, &next);
        }
        if (possible) {
            check_same(&expected, &joined);
        }
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t delimiters[] = {',', ';', '\t', ' '};
    static const uint32_t quotes[] = {'"', '\'', SCAN_ABSENT, '"'};
    static const uint32_t escapes[] = {SCAN_ABSENT, '\\', SCAN_ABSENT, '\\'};
    static const bool bad_bytes[256] = {[0x81] = true, [0x9D] = true};
    input in = {data, size};
    uint8_t flags = next_byte(&in), kinds = next_byte(&in);
    size_t cut = next_byte(&in) * 3u, piece = 1u + next_byte(&in);
    if (in.count > LONGEST) {
        return 0;
    }
    cut = cut < in.count ? cut : in.count;
    size_t cuts[MOST_CUTS] = {cut};
    for (int i = 1; i + 1 < MOST_CUTS; i++) { /* by the text: near each other, or far */
        const size_t step = in.count > 0 ? in.bytes[(cut + (size_t)i) % in.count] : 0;
        cuts[i] = cuts[i - 1] + (step & 1 ? step / 16 : step);
        cuts[i] = cuts[i] < in.count ? cuts[i] : in.count;
    }
    cuts[MOST_CUTS - 1] = in.count;
    fields_dialect d = {
        .set = {delimiters[kinds & 3], quotes[kinds >> 2 & 3], escapes[kinds >> 4 & 3]},
        .doublequote = flags & 1,
        .skip_space = flags & 2,
        .strict = flags & 4,
        .max_field = SIZE_MAX,
        .max_record = SIZE_MAX,
    };
    const scan_kernel *kernels[SCAN_KERNELS];
    scan_kernels(kernels);
    for (int k = 0; kernels[k] != NULL; k++) {
        static split whole, exact, first, second;
        CHECK(split_init(&whole, &d, kernels[k], (split_encoding)(kinds >> 6), bad_bytes));
        exact = first = second = whole;
        read_range(&whole, in.bytes, in.count, cut, in.count, LONGEST);
        read_range(&exact, in.bytes, in.count, cut, in.count, 1);
        CHECK(whole.unreadable == exact.unreadable);
        for (int state = 0; state < SPLIT_STATES; state++) {
            split_span a, b;
            bool possible = split_result(&whole, (split_state)state, &a);
            CHECK(possible == split_result(&exact, (split_state)state, &b));
            if (possible) {
                check_same(&a, &b);
            }
        }
        check_composed(&first, &whole, in.bytes, in.count, cuts, piece);
        split_span a, b, joined;
        read_range(&first, in.bytes, in.count, 0, cut, piece);
        read_range(&second, in.bytes, in.count, cut, in.count, piece);
        read_range(&whole, in.bytes, in.count, 0, in.count, piece);
        CHECK(split_result(&first, SPLIT_RECORD, &a));
        CHECK(split_result(&second, a.end, &b));
        joined = split_join(&a, &b);
        CHECK(split_result(&whole, SPLIT_RECORD, &a));
        check_same(&a, &joined);
        CHECK(whole.unreadable == (first.unreadable || second.unreadable));
    }
    return 0;
}
