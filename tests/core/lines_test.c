/* Lines against the plain statement of them, for all short texts and every cut. */
#include "core/lines.h"

#include "check.h"

#define LONGEST 12
#define MOST 64 /* lines of a text */

typedef struct {
    const char *newline; /* NULL: LF, CR and CR LF */
    size_t newline_length;
    bool keeps_ends;
    size_t max_line;
    bool drops_mark;
} how;

typedef struct {
    size_t start, length, end;
    bool too_long;
} line;

static const scan_kernel *kernels[SCAN_KERNELS];

/* ---- the plain statement ---- */

static size_t
end_at(const how *h, const uint8_t *text, size_t count, size_t at)
{
    if (h->newline != NULL) {
        size_t n = h->newline_length;
        return at + n <= count && memcmp(text + at, h->newline, n) == 0 ? n : 0;
    }
    if (text[at] == '\r') {
        return at + 1 < count && text[at + 1] == '\n' ? 2 : 1;
    }
    return text[at] == '\n';
}

static size_t
expect(const how *h, const uint8_t *text, size_t count, line *out)
{
    size_t found = 0;
    size_t start = h->drops_mark && count >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
    for (size_t at = start; at < count;) {
        size_t end = end_at(h, text, count, at);
        if (end > 0 || at + 1 == count) {
            size_t length = at - start + (end == 0);
            out[found++] = (line){start, length, end, length > h->max_line};
            at = start = start + length + end;
        }
        else {
            at++;
        }
    }
    return found;
}

/* ---- the machine, fed with pieces ---- */

typedef struct {
    const how *how;
    const uint8_t *text;
    const line *expected;
    size_t count;
    size_t given;
    bool skips; /* lines that are too long */
} run;

static bool
is_ascii(const lines_span *span)
{
    for (size_t i = 0; i < span->length + span->end; i++) {
        if (span->bytes[i] > 0x7F) {
            return false;
        }
    }
    return true;
}

/* Take all lines that are there. */
static void
take(run *r, lines *machine, bool finished)
{
    lines_span span;
    for (;;) {
        lines_result result = LINES_LINE;
        if (random_below(2) == 0 || !lines_next_quick(machine, &span)) {
            result = lines_next(machine, &span);
        }
        if (result == LINES_MORE || result == LINES_OVER) {
            CHECK((result == LINES_OVER) == finished, "%d", result);
            return;
        }
        while (r->skips && result == LINES_LINE && r->expected[r->given].too_long) {
            r->given++; /* it was skipped */
        }
        CHECK(r->given < r->count, "more lines than there are");
        const line *e = &r->expected[r->given];
        CHECK((result == LINES_TOO_LONG) == e->too_long, "line %zu", r->given);
        CHECK(memcmp(span.bytes, r->text + e->start, span.length) == 0, "other bytes");
        if (e->too_long) {
            CHECK(span.length == r->how->max_line && span.end == 0, "%zu", span.length);
            CHECK(lines_byte(machine) == e->start, "its place");
            CHECK(lines_next(machine, &span) == LINES_TOO_LONG, "it stays the next");
            if (!r->skips) {
                return;
            }
            lines_skip(machine);
            r->given++;
            continue;
        }
        CHECK(span.length == e->length, "%zu, not %zu", span.length, e->length);
        CHECK(lines_byte_of(machine, &span) == e->start, "its place");
        CHECK(!lines_is_ascii(machine, &span) || is_ascii(&span), "not ASCII");
        CHECK(!r->how->keeps_ends || span.end == e->end, "its end: %zu", span.end);
        r->given++;
        CHECK(machine->line_count == r->given, "the count");
        size_t next = e->start + e->length + e->end;
        CHECK(lines_byte(machine) + machine->after_carriage == next ||
                  lines_byte(machine) == next,
              "the next place");
    }
}

static bool
is_failed(const run *r)
{
    return !r->skips && r->given < r->count && r->expected[r->given].too_long;
}

/* Lines whose end has come, so that they must have been given. */
static size_t
complete(const run *r, size_t fed)
{
    size_t done = 0;
    while (done < r->count) {
        const line *e = &r->expected[done];
        size_t end = r->how->newline == NULL && r->text[e->start + e->length] == '\r' &&
                             !r->how->keeps_ends
                         ? 1
                         : e->end;
        size_t wanted = e->start + e->length + end;
        bool waits = r->how->keeps_ends && r->how->newline == NULL && end == 1 &&
                     r->text[wanted - 1] == '\r';
        if (e->end == 0 || fed < wanted + waits) {
            break;
        }
        done++;
    }
    return done;
}

static void
feed(lines *machine, const uint8_t *bytes, size_t count)
{
    uint8_t *piece = allocate(count); /* so that a sanitizer sees a use after this */
    memcpy(piece, bytes, count);
    CHECK(lines_feed(machine, piece, count) == BUFFER_OK, "no memory");
    free(piece);
}

/* Bit i of `cuts`: a cut before byte i + 1. */
static void
test_cut(const how *h, const scan_kernel *kernel, const uint8_t *text, size_t count,
         const line *expected, size_t lines_expected, uint64_t cuts, bool skips)
{
    run r = {h, text, expected, lines_expected, 0, skips};
    lines machine;
    lines_init(&machine, kernel, h->newline, h->newline_length, h->keeps_ends, h->max_line);
    machine.drops_mark = h->drops_mark;
    for (size_t start = 0, i = 0; i < count && !is_failed(&r); i++) {
        if (cuts >> i & 1 || i + 1 == count) {
            size_t half = (i + 1 - start) / 2; /* nothing need be taken between two feeds */
            feed(&machine, text + start, half);
            feed(&machine, text + start + half, i + 1 - start - half);
            start = i + 1;
            take(&r, &machine, false);
            size_t least = complete(&r, start);
            CHECK(is_failed(&r) || r.given >= least, "late: %zu of %zu", r.given, least);
        }
    }
    if (!is_failed(&r)) {
        lines_finish(&machine);
        take(&r, &machine, true);
    }
    while (skips && r.given < r.count && expected[r.given].too_long) {
        r.given++;
    }
    CHECK(is_failed(&r) || r.given == lines_expected, "%zu of %zu", r.given, lines_expected);
    CHECK(is_failed(&r) || machine.line_count == lines_expected, "the count");
    lines_free(&machine);
}

static void
test_text(const how *h, const uint8_t *text, size_t count)
{
    line expected[MOST];
    size_t found = expect(h, text, count, expected);
    uint64_t cuts = count > 1 ? UINT64_C(1) << (count - 1) : 1;
    for (uint64_t i = 0; i < cuts; i++) {
        test_cut(h, kernels[0], text, count, expected, found, i, false);
        test_cut(h, kernels[0], text, count, expected, found, i, true);
    }
}

static void
test_all(const how *h, const char *alphabet, size_t letters, size_t longest)
{
    uint8_t text[LONGEST];
    for (size_t count = 0; count <= longest; count++) {
        size_t total = 1;
        for (size_t i = 0; i < count; i++) {
            total *= letters;
        }
        for (size_t number = 0; number < total; number++) {
            size_t rest = number;
            for (size_t i = 0; i < count; i++, rest /= letters) {
                text[i] = (uint8_t)alphabet[rest % letters];
            }
            test_text(h, text, count);
        }
    }
}

static void
test_short(void)
{
    static const size_t limits[] = {SIZE_MAX, 0, 1, 3};
    for (size_t i = 0; i < 4; i++) {
        for (int keeps = 0; keeps < 2; keeps++) {
            test_all(&(how){NULL, 0, keeps, limits[i], false}, "a\r\n", 3, 6);
            test_all(&(how){"\n", 1, keeps, limits[i], false}, "a\r\n", 3, 5);
            test_all(&(how){"\r\n", 2, keeps, limits[i], false}, "a\r\n", 3, 6);
            test_all(&(how){"\0", 1, keeps, limits[i], false}, "a\0\n", 3, 5);
            test_all(&(how){"aab", 3, keeps, limits[i], false}, "ab", 2, 7);
            test_all(&(how){"aa", 2, keeps, limits[i], false}, "ab", 2, 7);
        }
        test_all(&(how){NULL, 0, false, limits[i], true}, "a\n\xef\xbb\xbf", 5, 4);
        test_all(&(how){"\n", 1, true, limits[i], true}, "\n\xef\xbb\xbf", 4, 5);
    }
}

/* Longer texts, by every kernel, over the ends of groups and of what is searched at a time. */
static void
test_long(void)
{
    static uint8_t text[4096];
    static line expected[4096];
    static const how hows[] = {
        {NULL, 0, false, 200, false},        {NULL, 0, true, SIZE_MAX, false},
        {"\n", 1, false, SIZE_MAX, false},   {"\r\n", 2, true, 100, false},
        {"\n\n\n", 3, false, 50, false},     {"0123456789abcdef", 16, true, 900, false},
        {"\r\n\r\n", 4, false, 3000, false},
    };
    for (int round = 0; round < 3000; round++) {
        const how *h = &hows[random_below(7)];
        size_t count = random_below(sizeof text);
        uint32_t rarely = 2 + random_below(200);
        for (size_t i = 0; i < count; i++) {
            uint8_t letter = random_below(rarely * 10) > 0 ? 'x' : 0xE9;
            text[i] = random_below(rarely) > 0 ? letter : random_below(2) ? '\n' : '\r';
            if (h->newline_length == 16 && random_below(40) == 0 && i + 16 <= count) {
                memcpy(text + i, h->newline, 16);
                i += 15;
            }
        }
        size_t found = expect(h, text, count, expected);
        for (int k = 0; kernels[k] != NULL; k++) {
            run r = {h, text, expected, found, 0, random_below(2)};
            lines machine;
            lines_init(&machine, kernels[k], h->newline, h->newline_length, h->keeps_ends,
                       h->max_line);
            uint32_t most = 1 + random_below(2000);
            for (size_t at = 0; at < count && !is_failed(&r);) {
                size_t piece = random_below(most + 1);
                piece = piece < count - at ? piece : count - at;
                feed(&machine, text + at, piece);
                take(&r, &machine, false);
                at += piece;
            }
            if (!is_failed(&r)) {
                lines_finish(&machine);
                take(&r, &machine, true);
            }
            lines_free(&machine);
        }
    }
}

/* A machine goes on where another one stopped. */
static void
test_resume(void)
{
    static const uint8_t text[] = "ab\r\ncd\r\n\ref\n";
    static const how h = {NULL, 0, false, SIZE_MAX, false};
    line expected[MOST];
    size_t count = sizeof text - 1, found = expect(&h, text, count, expected);
    for (size_t fed = 0; fed <= count; fed++) {
        lines first, second;
        lines_init(&first, kernels[0], NULL, 0, false, SIZE_MAX);
        lines_init(&second, kernels[0], NULL, 0, false, SIZE_MAX);
        run r = {&h, text, expected, found, 0, false};
        feed(&first, text, fed);
        take(&r, &first, false);
        second.drops_mark = true;
        uint64_t byte = lines_byte(&first);
        lines_resume(&second, byte, first.after_carriage, first.line_count);
        CHECK(second.drops_mark == (byte == 0), "a mark at %zu", (size_t)byte);
        feed(&second, text + byte, count - (size_t)byte);
        lines_finish(&second);
        take(&r, &second, true);
        CHECK(r.given == found, "%zu of %zu", r.given, found);
        lines_free(&first);
        lines_free(&second);
    }
}

int
main(void)
{
    scan_kernels(kernels);
    test_short();
    test_long();
    test_resume();
    return 0;
}
