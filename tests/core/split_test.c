/* split.h: every short text at every cut, from every state; long texts through every kernel.
 *
 * What is expected comes from the exact machine of fields.h, one byte at a time, with the
 * recovery of a reader that skips bad records.
 */
#include "core/split.h"

#include "check.h"
#include "core/fields.h"
#include "core/fields_feed.h"
#include "core/split_feed.h"

#define LONGEST 2400

/* ---- what is expected ---- */

typedef struct {
    bool possible;
    split_state state[LONGEST + 1]; /* before each byte */
    bool starts[LONGEST + 1];       /* a record starts with this byte */
    bool line[LONGEST + 1];         /* this byte ends a line */
    bool record[LONGEST + 1];       /* it ends a record */
} reading;

static const fields_state names[] = {
    START_RECORD, START_FIELD,           IN_FIELD, IN_QUOTED_FIELD, QUOTE_IN_QUOTED_FIELD,
    ESCAPED_CHAR, ESCAPE_IN_QUOTED_FIELD};

static split_state
name_of(fields_state state)
{
    for (int i = 0; i < 7; i++) {
        if (names[i] == state) {
            return (split_state)i;
        }
    }
    CHECK(state == AFTER_ESCAPED_END, "state %d", state);
    return SPLIT_TEXT;
}

static void
expect(reading *r, const fields_dialect *d, const uint8_t *text, size_t count,
       split_state from, bool carriage)
{
    fields machine;
    fields_init(&machine, d, scan_choose("scalar"), FIELDS_STREAM);
    machine.exact_only = true;
    CHECK(fields_reserve(&machine, 2), "no memory");
    bool skipping = from == SPLIT_SKIPPED;
    if (!skipping) {
        machine.state = names[from];
    }
    for (size_t i = 0; i < count; i++) {
        const uint8_t c = text[i];
        const bool end = c == '\n' || c == '\r';
        r->state[i] = skipping ? SPLIT_SKIPPED : name_of(machine.state);
        r->starts[i] = r->state[i] == SPLIT_RECORD && !(carriage && c == '\n');
        r->line[i] = end && !(c == '\n' && carriage);
        r->record[i] = skipping && end;
        if (!skipping) {
            const fields_state state = machine.state;
            fields_restart(&machine);
            machine.state = state;
            machine.after_carriage = carriage;
            CHECK(fields_feed(&machine, &c, 1, 1), "no memory");
            r->record[i] = machine.records_length > 0;
            skipping = machine.error != FIELDS_FINE;
        }
        else if (end) {
            fields_restart(&machine);
            skipping = false;
        }
        carriage = c == '\r';
    }
    r->state[count] = skipping ? SPLIT_SKIPPED : name_of(machine.state);
    fields_free(&machine);
}

/* What a range of it gives. */
static split_span
expect_span(const reading *r, size_t start, size_t stop)
{
    split_span span = {.start = start,
                       .stop = stop,
                       .first = SPLIT_NOWHERE,
                       .last = SPLIT_NOWHERE,
                       .end = r->state[stop]};
    for (size_t i = start; i < stop; i++) {
        if (r->starts[i]) {
            if (span.first == SPLIT_NOWHERE) {
                span.first = i;
                span.first_lines = span.lines;
            }
            else if (i - span.last > span.longest_record) {
                span.longest_record = i - span.last;
            }
            span.last = i;
            span.last_lines = span.lines;
        }
        span.lines += r->line[i];
        span.records += r->record[i];
    }
    return span;
}

static void
check_span(const split_span *got, const split_span *expected, const uint8_t *text,
           const char *what)
{
    CHECK(
        got->start == expected->start && got->stop == expected->stop &&
            got->end == expected->end && got->lines == expected->lines &&
            got->records == expected->records && got->first == expected->first &&
            got->first_lines == expected->first_lines && got->last == expected->last &&
            got->last_lines == expected->last_lines,
        "%s of %.80s, %d to %d: state %d for %d, lines %d for %d, records %d for %d, first %d "
        "(%d) for %d (%d), last %d (%d) for %d (%d)",
        what, (const char *)text, (int)got->start, (int)got->stop, got->end, expected->end,
        (int)got->lines, (int)expected->lines, (int)got->records, (int)expected->records,
        (int)got->first, (int)got->first_lines, (int)expected->first,
        (int)expected->first_lines, (int)got->last, (int)got->last_lines, (int)expected->last,
        (int)expected->last_lines);
    CHECK(got->longest_record <= expected->longest_record ||
              got->longest_record <= SPLIT_FIELD_FLOOR,
          "%s of %.80s: longest record %d for %d", what, (const char *)text,
          (int)got->longest_record, (int)expected->longest_record);
    CHECK(expected->longest_record <= SPLIT_FIELD_FLOOR ||
              got->longest_record >= expected->longest_record,
          "%s of %.80s: longest record %d for %d", what, (const char *)text,
          (int)got->longest_record, (int)expected->longest_record);
}

/* ---- reading a range ---- */

static void
read_range(split *s, const uint8_t *text, size_t count, size_t start, size_t stop,
           size_t piece)
{
    const size_t before = start < 3 ? start : 3;
    split_begin(s, start, text + start - before, before, SPLIT_STATES);
    for (size_t at = start; at < stop;) {
        const size_t length = stop - at < piece ? stop - at : piece;
        uint8_t *copy = allocate(length); /* nothing beyond it may be read */
        memcpy(copy, text + at, length);
        split_feed(s, copy, length);
        free(copy);
        at += length;
    }
    split_end(s, text + stop, count - stop < 3 ? count - stop : 3);
}

static const fields_dialect dialects[] = {
    {.set = {',', '"', SCAN_ABSENT}, .doublequote = true},
    {.set = {',', '"', SCAN_ABSENT}, .doublequote = true, .strict = true},
    {.set = {',', '"', SCAN_ABSENT}, .doublequote = true, .skip_space = true},
    {.set = {',', '"', '\\'}, .doublequote = false},
    {.set = {',', '"', '\\'}, .doublequote = false, .strict = true, .skip_space = true},
    {.set = {',', '"', '\\'}, .doublequote = true, .strict = true},
    {.set = {',', SCAN_ABSENT, '\\'}, .doublequote = true},
    {.set = {',', SCAN_ABSENT, SCAN_ABSENT}, .doublequote = true, .skip_space = true},
    {.set = {' ', '"', SCAN_ABSENT}, .doublequote = true, .skip_space = true},
    {.set = {' ', '"', '\\'}, .doublequote = true, .strict = true, .skip_space = true},
    {.set = {',', '"', SCAN_ABSENT}, .doublequote = false},
    {.set = {'a', '"', SCAN_ABSENT}, .doublequote = true},
};
enum { DIALECTS = sizeof dialects / sizeof *dialects };

static fields_dialect
unlimited(int index)
{
    fields_dialect d = dialects[index];
    d.max_field = d.max_record = SIZE_MAX;
    return d;
}

static reading from_state[SPLIT_STATES];

/* Every state at the start of the range gives what the exact machine gives from there. */
static void
check_range(const split *s, const fields_dialect *d, const uint8_t *text, size_t start,
            size_t stop, const char *what)
{
    static reading r;
    const bool carriage = start > 0 && text[start - 1] == '\r';
    for (int state = 0; state < SPLIT_STATES; state++) {
        split_span got;
        if (split_result(s, (split_state)state, &got)) {
            expect(&r, d, text + start, stop - start, (split_state)state, carriage);
            split_span expected = expect_span(&r, 0, stop - start);
            expected.start += start;
            expected.stop += start;
            expected.first += expected.first == SPLIT_NOWHERE ? 0 : start;
            expected.last += expected.last == SPLIT_NOWHERE ? 0 : start;
            check_span(&got, &expected, text, what);
        }
    }
}

/* ---- every short text ---- */

static void
check_cuts(split *s, const uint8_t *text, size_t count)
{
    static reading *whole = &from_state[0];
    for (size_t cut = 0; cut <= count; cut++) {
        split_span a, b;
        read_range(s, text, count, 0, cut, 64);
        CHECK(split_result(s, SPLIT_RECORD, &a), "the start is no state");
        split_span expected = expect_span(whole, 0, cut);
        check_span(&a, &expected, text, "the first range");
        read_range(s, text, count, cut, count, 64);
        CHECK(split_result(s, a.end, &b), "%.80s at %d: the state %d is not possible",
              (const char *)text, (int)cut, a.end);
        expected = expect_span(whole, cut, count);
        check_span(&b, &expected, text, "the second range");
        const split_span joined = split_join(&a, &b);
        expected = expect_span(whole, 0, count);
        check_span(&joined, &expected, text, "both ranges");
    }
}

static void
test_short_texts(int dialect, size_t longest)
{
    static const char letters[] = {',', '"', '\\', '\r', '\n', ' ', 'a'};
    const fields_dialect d = unlimited(dialect);
    split s;
    CHECK(split_init(&s, &d, scan_choose(NULL), SPLIT_ANY_BYTE, NULL), "no memory");
    for (size_t count = 0; count <= longest; count++) {
        uint8_t text[16] = {0};
        int digits[16] = {0};
        for (;;) {
            for (size_t i = 0; i < count; i++) {
                text[i] = (uint8_t)letters[digits[i]];
            }
            expect(&from_state[0], &d, text, count, SPLIT_RECORD, false);
            check_cuts(&s, text, count);
            if (count <= 4) {
                for (size_t start = 0; start < count; start++) {
                    read_range(&s, text, count, start, count, 1);
                    check_range(&s, &d, text, start, count, "every state");
                }
            }
            size_t i = 0;
            while (i < count && ++digits[i] == 7) {
                digits[i++] = 0;
            }
            if (i == count) {
                break;
            }
        }
    }
}

/* ---- long texts ---- */

static size_t
random_text(uint8_t *text, const fields_dialect *d)
{
    /* Few quotes in some texts, many in others; some without line ends for long. */
    const size_t count = random_below(LONGEST + 1);
    const uint32_t plain = random_below(4) == 0 ? 2000 : 2 + random_below(60);
    const uint32_t kinds = 1 + random_below(6);
    for (size_t i = 0; i < count; i++) {
        const char special[] = {'\n', d->set.delimiter == ' ' ? ' ' : ',', '"', '\r', ' ',
                                '\\'};
        text[i] = random_below(plain) == 0 ? (uint8_t)special[random_below(kinds)] : 'x';
        if (text[i] == '\r' && random_below(2) && i + 1 < count) {
            text[++i] = '\n';
        }
    }
    /* Quoted fields as they are written. */
    for (size_t at = 0; random_below(8) != 0 && at + 40 < count;) {
        const size_t length = random_below(30);
        text[at] = ',';
        text[at + 1] = '"';
        text[at + 2 + length] = '"';
        text[at + 3 + length] = ',';
        at += 4 + length + random_below(300);
    }
    return count;
}

static void
test_long_texts(const scan_kernel *kernel, int times)
{
    static uint8_t text[LONGEST + 4];
    for (int i = 0; i < times; i++) {
        const fields_dialect d = unlimited((int)random_below(DIALECTS));
        split s;
        CHECK(split_init(&s, &d, kernel, SPLIT_ANY_BYTE, NULL), "no memory");
        const size_t count = random_text(text, &d);
        text[count] = 0;
        const size_t start = count == 0 ? 0 : random_below((uint32_t)count);
        const size_t piece = random_below(2) ? LONGEST : 1 + random_below(200);
        read_range(&s, text, count, start, count, piece);
        check_range(&s, &d, text, start, count, kernel->name);

        /* ranges joined are the whole */
        split_span joined, part, whole;
        read_range(&s, text, count, 0, count, LONGEST);
        CHECK(split_result(&s, SPLIT_RECORD, &whole), "no start");
        check_range(&s, &d, text, 0, count, kernel->name);
        read_range(&s, text, count, 0, start, piece);
        check_range(&s, &d, text, 0, start, kernel->name);
        CHECK(split_result(&s, SPLIT_RECORD, &joined), "no start");
        for (size_t at = start; at < count;) {
            const size_t stop = at + 1 + random_below((uint32_t)(count - at));
            read_range(&s, text, count, at, stop, piece);
            CHECK(split_result(&s, joined.end, &part), "%s: state %d at %d", text, joined.end,
                  (int)at);
            joined = split_join(&joined, &part);
            at = stop;
        }
        check_span(&joined, &whole, text, "joined");
    }
}

/* Groups of blanks, where the state before them tells what a quote behind them does. */
static void
test_blanks_at_the_start(void)
{
    for (int dialect = 0; dialect < DIALECTS; dialect++) {
        const fields_dialect d = unlimited(dialect);
        split s;
        CHECK(split_init(&s, &d, scan_choose(NULL), SPLIT_ANY_BYTE, NULL), "no memory");
        for (size_t before = 0; before < 8; before++) {
            for (size_t blanks = 62; blanks < 67; blanks++) {
                uint8_t text[200];
                memset(text, 'x', sizeof text);
                memcpy(text, ",\n, \"\\\r", before);
                memset(text + before, ' ', blanks);
                memcpy(text + before + blanks, "\"a\nb\"", 6);
                read_range(&s, text, sizeof text, before, sizeof text, sizeof text);
                check_range(&s, &d, text, before, sizeof text, "blanks at the start");
            }
        }
    }
}

/* ---- bounds ---- */

/* The longest field of a text without quotes, exactly. */
static void
test_bounds(void)
{
    const fields_dialect d = unlimited(0);
    static uint8_t text[LONGEST];
    for (int i = 0; i < 3000; i++) {
        const size_t count = 1 + random_below(LONGEST - 1);
        size_t longest = 0, length = 0;
        for (size_t j = 0; j < count; j++) {
            text[j] = random_below(300) == 0 ? (random_below(2) ? ',' : '\n') : 'x';
            length = text[j] == 'x' ? length + 1 : 0;
            longest = length > longest ? length : longest;
        }
        split s;
        CHECK(split_init(&s, &d, scan_choose(NULL), SPLIT_ANY_BYTE, NULL), "no memory");
        const size_t cut = random_below((uint32_t)count);
        split_span a, b;
        read_range(&s, text, count, 0, cut, LONGEST);
        CHECK(split_result(&s, SPLIT_RECORD, &a), "no start");
        read_range(&s, text, count, cut, count, 1 + random_below(300));
        CHECK(split_result(&s, a.end, &b), "no state");
        const split_span joined = split_join(&a, &b);
        uint64_t bound = joined.head_field > joined.longest_field ? joined.head_field
                                                                  : joined.longest_field;
        bound = joined.tail_field > bound ? joined.tail_field : bound;
        CHECK(bound >= longest || longest < SPLIT_FIELD_FLOOR, "bound %d for %d", (int)bound,
              (int)longest);
        CHECK(bound <= longest + SPLIT_FIELD_FLOOR, "bound %d for %d", (int)bound,
              (int)longest);
    }
}

/* ---- encodings ---- */

static bool
is_readable(const char *text, size_t count, size_t start, size_t stop, size_t piece,
            split_encoding encoding)
{
    const fields_dialect d = unlimited(0);
    split s;
    CHECK(split_init(&s, &d, scan_choose(NULL), encoding, NULL), "no memory");
    read_range(&s, (const uint8_t *)text, count, start, stop, piece);
    return !s.unreadable;
}

static void
test_encodings(void)
{
    static const char *const good[] = {"a\xc3\xa9,b\n", "\xe2\x82\xac", "x\xf0\x9f\x98\x80y",
                                       "\357\273\277a"};
    static const char *const bad[] = {
        "a\377b",       "\xc3",         "\xe2\x82",     "a\x80",        "\303A\n",
        "\xe2\x82\xff", "\xed\xa0\x80", "\xc3\xa9\xa9", "\xf0\x9f\x98", "\342a\n\n\n\n"};
    for (size_t piece = 1; piece < 9; piece++) {
        for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
            const size_t count = strlen(good[i]);
            for (size_t cut = 0; cut <= count; cut++) {
                CHECK(is_readable(good[i], count, 0, cut, piece, SPLIT_UTF8), "%s", good[i]);
                CHECK(is_readable(good[i], count, cut, count, piece, SPLIT_UTF8), "%s at %d",
                      good[i], (int)cut);
            }
        }
        for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
            const size_t count = strlen(bad[i]);
            for (size_t cut = 0; cut <= count; cut++) {
                /* one of the two ranges tells */
                CHECK(!is_readable(bad[i], count, 0, cut, piece, SPLIT_UTF8) ||
                          !is_readable(bad[i], count, cut, count, piece, SPLIT_UTF8),
                      "%s at %d", bad[i], (int)cut);
            }
        }
    }
    CHECK(is_readable("abc\n", 4, 0, 4, 2, SPLIT_ASCII), "ASCII");
    CHECK(!is_readable("ab\x80\n", 4, 0, 4, 2, SPLIT_ASCII), "no ASCII");
    CHECK(is_readable("ab\x80\n", 4, 0, 4, 2, SPLIT_ANY_BYTE), "any byte");
}

int
main(int argc, char **argv)
{
    const int times = argc > 1 ? atoi(argv[1]) : 1;
    const scan_kernel *kernels[SCAN_KERNELS];
    scan_kernels(kernels);
    for (int dialect = 0; dialect < DIALECTS; dialect++) {
        test_short_texts(dialect, times == 0 ? 3 : times == 1 ? 5 : 6);
    }
    for (int i = 0; kernels[i] != NULL; i++) {
        test_long_texts(kernels[i], times == 0 ? 300 : 3000 * times);
        printf("%s ", kernels[i]->name);
    }
    test_blanks_at_the_start();
    test_bounds();
    test_encodings();
    return 0;
}
