/* The CSV machine against _csv.reader's, said once more in the plainest way.
 *
 * What comes out of either is written down as text ("reading"), and the two
 * texts must be the same: whatever the cuts, the kernel, the width of the
 * units, the dialect, and whether groups of 64 may be read from masks or all
 * goes through the exact machine.
 */
#include "core/fields.h"
#include "core/fields_feed.h"
#include "core/fields_span.h"

#include <stdarg.h>

#include "check.h"

/* ---- what is compared ---- */

#define LONGEST 3000 /* units in one text */
#define READING 60000

typedef struct {
    char text[READING];
    size_t length;
} reading;

static void
note(reading *r, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int written = vsnprintf(r->text + r->length, READING - r->length, format, arguments);
    va_end(arguments);
    CHECK(written >= 0 && (size_t)written < READING - r->length, "a reading too long");
    r->length += (size_t)written;
}

static void
note_unit(reading *r, uint32_t c)
{
    if (c > ' ' && c < 0x7F && c != '\\') {
        CHECK(r->length + 1 < READING, "a reading too long");
        r->text[r->length++] = (char)c;
        r->text[r->length] = '\0';
    }
    else {
        note(r, "\\%x;", (unsigned)c);
    }
}

static void
note_field(reading *r, const uint32_t *units, size_t count, bool unquoted)
{
    note(r, unquoted ? " <" : " \"<");
    for (size_t i = 0; i < count; i++) {
        note_unit(r, units[i]);
    }
    note(r, ">");
}

static const char *
error_name(fields_error error)
{
    switch (error) {
    case FIELDS_FINE:
        break;
    case FIELDS_BAD_QUOTE:
        return "bad quote";
    case FIELDS_UNEXPECTED_END:
        return "unexpected end";
    case FIELDS_STRAY_NEWLINE:
        return "stray newline";
    case FIELDS_OPEN_LINE:
        return "open line";
    case FIELDS_FIELD_LIMIT:
        return "field limit";
    case FIELDS_RECORD_LIMIT:
        return "record limit";
    case FIELDS_UNREADABLE:
        return "unreadable";
    }
    return "fine";
}

/* ---- _csv.reader of CPython 3.13, Modules/_csv.c ---- */

#define END_OF_LINE UINT32_MAX

typedef struct {
    const fields_dialect *dialect;
    reading *out;
    fields_state state;
    uint32_t field[LONGEST];
    size_t length;
    bool unquoted;
    reading row; /* the record under way */
    unsigned count;
    unsigned lines;
    fields_error error;
} reference;

static void
reference_add(reference *r, uint32_t c)
{
    if (r->length >= r->dialect->max_field) {
        r->error = FIELDS_FIELD_LIMIT;
        return;
    }
    CHECK(r->length < LONGEST, "a field too long");
    r->field[r->length++] = c;
}

static void
reference_save(reference *r)
{
    note_field(&r->row, r->field, r->length, r->unquoted);
    r->length = 0;
    r->unquoted = true;
    r->count++;
}

static bool
is_end(uint32_t c)
{
    return c == '\n' || c == '\r' || c == END_OF_LINE;
}

static void
reference_end(reference *r, uint32_t c)
{
    reference_save(r);
    r->state = c == END_OF_LINE ? START_RECORD : EAT_END;
}

static void
reference_unit(reference *r, uint32_t c)
{
    const fields_dialect *d = r->dialect;
    bool real = c != END_OF_LINE;
    bool quote = real && c == d->set.quote;
    bool escape = real && c == d->set.escape;
    bool delimiter = real && c == d->set.delimiter;
    switch (r->state) {
    case START_RECORD:
        if (!real) {
            return;
        }
        if (is_end(c)) {
            r->state = EAT_END;
            return;
        }
        /* fall through */
    case START_FIELD:
        r->state = START_FIELD;
        if (is_end(c)) {
            reference_end(r, c);
        }
        else if (quote) {
            r->unquoted = false;
            r->state = IN_QUOTED_FIELD;
        }
        else if (escape) {
            r->state = ESCAPED_CHAR;
        }
        else if (c == ' ' && d->skip_space) {
        }
        else if (delimiter) {
            reference_save(r);
        }
        else {
            reference_add(r, c);
            r->state = IN_FIELD;
        }
        return;
    case ESCAPED_CHAR:
        if (real && is_end(c)) {
            reference_add(r, c);
            r->state = AFTER_ESCAPED_END;
            return;
        }
        reference_add(r, real ? c : '\n');
        r->state = IN_FIELD;
        return;
    case AFTER_ESCAPED_END:
        if (!real) {
            return;
        }
        /* fall through */
    case IN_FIELD:
        if (is_end(c)) {
            reference_end(r, c);
        }
        else if (escape) {
            r->state = ESCAPED_CHAR;
        }
        else if (delimiter) {
            reference_save(r);
            r->state = START_FIELD;
        }
        else {
            reference_add(r, c); /* the state stays: so AFTER_ESCAPED_END may last */
        }
        return;
    case IN_QUOTED_FIELD:
        if (!real) {
        }
        else if (escape) {
            r->state = ESCAPE_IN_QUOTED_FIELD;
        }
        else if (quote) {
            r->state = d->doublequote ? QUOTE_IN_QUOTED_FIELD : IN_FIELD;
        }
        else {
            reference_add(r, c);
        }
        return;
    case ESCAPE_IN_QUOTED_FIELD:
        reference_add(r, real ? c : '\n');
        r->state = IN_QUOTED_FIELD;
        return;
    case QUOTE_IN_QUOTED_FIELD:
        if (quote) {
            reference_add(r, c);
            r->state = IN_QUOTED_FIELD;
        }
        else if (delimiter) {
            reference_save(r);
            r->state = START_FIELD;
        }
        else if (is_end(c)) {
            reference_end(r, c);
        }
        else if (!d->strict) {
            reference_add(r, c);
            r->state = IN_FIELD;
        }
        else {
            r->error = FIELDS_BAD_QUOTE;
        }
        return;
    case EAT_END:
        if (!real) {
            r->state = START_RECORD;
        }
        else if (!is_end(c)) {
            r->error = FIELDS_STRAY_NEWLINE;
        }
    }
}

static void
reference_row(reference *r)
{
    note(r->out, "%u in %u lines:%s\n", r->count, r->lines, r->row.text);
    r->row.length = 0;
    r->row.text[0] = '\0';
    r->count = r->lines = 0;
}

/* One line, with its end if it has one. */
static void
reference_line(reference *r, const uint32_t *units, size_t count)
{
    r->lines++;
    for (size_t i = 0; i < count && r->error == FIELDS_FINE; i++) {
        reference_unit(r, units[i]);
    }
    if (r->error == FIELDS_FINE) {
        reference_unit(r, END_OF_LINE);
    }
    if (r->error == FIELDS_FINE && r->state == START_RECORD) {
        reference_row(r);
    }
}

static void
reference_start(reference *r, const fields_dialect *dialect, reading *out)
{
    r->dialect = dialect;
    r->out = out;
    r->state = START_RECORD;
    r->length = r->row.length = 0;
    r->row.text[0] = '\0';
    r->unquoted = true;
    r->count = r->lines = 0;
    r->error = FIELDS_FINE;
    out->length = 0;
    out->text[0] = '\0';
}

static void
reference_finish(reference *r)
{
    if (r->error == FIELDS_FINE && (r->length > 0 || r->state == IN_QUOTED_FIELD)) {
        if (r->dialect->strict) {
            r->error = FIELDS_UNEXPECTED_END;
        }
        else {
            reference_save(r);
            reference_row(r);
        }
    }
    note(r->out, "%s", error_name(r->error));
}

/* Where the line that starts at `from` ends, its line end included. */
static size_t
line_after(const uint32_t *units, size_t from, size_t count)
{
    for (size_t i = from; i < count; i++) {
        if (units[i] == '\n' ||
            (units[i] == '\r' && (i + 1 == count || units[i + 1] != '\n'))) {
            return i + 1;
        }
    }
    return count;
}

static void
read_plainly(const fields_dialect *dialect, const uint32_t *units, size_t count, reading *out)
{
    static reference r;
    reference_start(&r, dialect, out);
    for (size_t at = 0; at < count && r.error == FIELDS_FINE;) {
        size_t end = line_after(units, at, count);
        reference_line(&r, units + at, end - at);
        at = end;
    }
    reference_finish(&r);
}

/* ---- the machine under test, and an owner for it ---- */

typedef struct {
    fields machine;
    uint8_t *block; /* of exactly the units held */
    int width;
    size_t length;
    size_t dropped;
} owner;

static void
owner_start(owner *o, const fields_dialect *dialect, const scan_kernel *kernel,
            fields_mode mode, int width, bool exact)
{
    fields_init(&o->machine, dialect, kernel, mode);
    o->machine.exact_only |= exact;
    o->block = allocate(0);
    o->width = width;
    o->length = o->dropped = 0;
}

static void
owner_append(owner *o, const uint32_t *units, size_t count)
{
    size_t size = o->length * (size_t)o->width;
    uint8_t *block = allocate(size + count * (size_t)o->width);
    memcpy(block, o->block, size);
    for (size_t i = 0; i < count; i++) {
        put_unit(block, o->length + i, o->width, units[i]);
    }
    free(o->block);
    o->block = block;
    o->length += count;
}

static void
note_record(owner *o, const fields_record *record, reading *out)
{
    uint32_t count = fields_count(&o->machine, record);
    bool quoted = false;
    note(out, "%u in %u lines:", (unsigned)count, (unsigned)record->lines);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t start = fields_start(&o->machine, record, i);
        uint32_t end = fields_end(&o->machine, record, i);
        CHECK(start <= end && end <= o->length, "field %u from %u to %u of %zu", (unsigned)i,
              (unsigned)start, (unsigned)end, o->length);
        size_t room = end - start;
        uint8_t *content = allocate(room * (size_t)o->width);
        uint32_t *wide = allocate(room * sizeof *wide);
        bool unquoted, again;
        size_t length = fields_content(&o->machine.dialect, o->block, o->width, start, end,
                                       content, &unquoted);
        CHECK(length <= room, "%zu units out of %zu", length, room);
        CHECK(length == fields_content(&o->machine.dialect, o->block, o->width, start, end,
                                       NULL, &again) &&
                  unquoted == again,
              "counted otherwise than written");
        bool high = false, special = false;
        for (size_t k = 0; k < length; k++) {
            wide[k] = get_unit(content, k, o->width);
        }
        for (uint32_t k = start; k < end; k++) {
            uint32_t c = get_unit(o->block, k, o->width);
            high |= c >= 0x80;
            special |= c == o->machine.dialect.set.quote || c == o->machine.dialect.set.escape;
        }
        /* What a flag not set promises. */
        CHECK(!high || record->flags & FIELDS_HIGH, "high units and no such flag");
        CHECK(!special || record->flags & (FIELDS_QUOTED | FIELDS_IRREGULAR),
              "a quote or an escape and no flag");
        if (special && !(record->flags & FIELDS_IRREGULAR)) {
            CHECK(!unquoted &&
                      get_unit(o->block, end - 1, o->width) == o->machine.dialect.set.quote,
                  "quotes that do not enclose the field, and no flag");
            CHECK(length + 2 == room || record->flags & FIELDS_DOUBLED,
                  "doubled quotes and no flag");
        }
        quoted |= !unquoted;
        note_field(out, wide, length, unquoted);
        free(content);
        free(wide);
    }
    CHECK(!quoted || record->flags & (FIELDS_QUOTED | FIELDS_IRREGULAR), "quoted and no flag");
    note(out, "\n");
}

static void
owner_take(owner *o, reading *out)
{
    const fields_record *record;
    while ((record = fields_take(&o->machine)) != NULL) {
        note_record(o, record, out);
    }
}

static void
owner_rewind(owner *o)
{
    size_t drop = fields_rewind(&o->machine);
    CHECK(drop <= o->length, "%zu dropped of %zu", drop, o->length);
    size_t left = o->length - drop;
    uint8_t *block = allocate(left * (size_t)o->width);
    memcpy(block, o->block + drop * (size_t)o->width, left * (size_t)o->width);
    free(o->block);
    o->block = block;
    o->length = left;
    o->dropped += drop;
}

static void
owner_newline(owner *o)
{
    static const uint32_t newline = '\n';
    if (fields_wants_newline(&o->machine)) {
        owner_append(o, &newline, 1);
    }
}

/* Returns the place of the fault, counted from the start of the data. */
static size_t
owner_finish(owner *o, reading *out)
{
    owner_newline(o);
    CHECK(fields_finish(&o->machine, o->block, o->width), "no memory");
    owner_take(o, out);
    note(out, "%s", error_name(o->machine.error));
    size_t place = o->machine.error == FIELDS_FINE ? 0 : o->dropped + o->machine.error_pos;
    fields_free(&o->machine);
    free(o->block);
    return place;
}

/* How the data is brought to the machine. */
typedef struct {
    const fields_dialect *dialect;
    const scan_kernel *kernel;
    int width;
    bool exact;
    uint64_t cuts; /* bit i: a cut before unit `from` + i */
    size_t from;
    uint64_t rewinds; /* the same for dropping what was read, at a cut */
} way;

static size_t
read_stream(const way *w, const uint32_t *units, size_t count, reading *out)
{
    owner o;
    size_t fed = 0;
    owner_start(&o, w->dialect, w->kernel, FIELDS_STREAM, w->width, w->exact);
    out->length = 0;
    out->text[0] = '\0';
    for (size_t at = 0; at <= count; at++) {
        size_t i = at - w->from;
        bool cut = at >= w->from && i < 64 && w->cuts >> i & 1;
        if (cut || at == count) {
            owner_append(&o, units + fed, at - fed);
            fed = at;
            CHECK(fields_feed(&o.machine, o.block, w->width, o.length), "no memory");
            owner_take(&o, out);
            if (cut && w->rewinds >> i & 1) {
                owner_rewind(&o);
            }
        }
    }
    return owner_finish(&o, out);
}

static void
print_units(const char *title, const uint32_t *units, size_t count)
{
    static reading r;
    r.length = 0;
    for (size_t i = 0; i < count; i++) {
        note_unit(&r, units[i]);
    }
    fprintf(stderr, "%s: %s\n", title, r.text);
}

static void
print_way(const way *w)
{
    const fields_dialect *d = w->dialect;
    fprintf(stderr,
            "%s%s, units of %d bytes, cuts %llx and rewinds %llx from %zu on; "
            "delimiter %x quote %x escape %x doublequote %d skip_space %d strict %d max_field "
            "%zx\n",
            w->kernel->name, w->exact ? ", exact" : "", w->width, (unsigned long long)w->cuts,
            (unsigned long long)w->rewinds, w->from, (unsigned)d->set.delimiter,
            (unsigned)d->set.quote, (unsigned)d->set.escape, d->doublequote, d->skip_space,
            d->strict, d->max_field);
}

static void
same(const reading *found, const reading *expected, const way *w, const uint32_t *units,
     size_t count)
{
    if (found->length != expected->length ||
        memcmp(found->text, expected->text, found->length)) {
        print_units("data", units, count);
        print_way(w);
        CHECK(false, "found\n%s\nexpected\n%s", found->text, expected->text);
    }
}

/* ---- the data ---- */

static const scan_kernel *kernels[SCAN_KERNELS];
static int kernel_count;

static const int widths[] = {1, 2, 4};

#define NO_LIMIT SIZE_MAX
#define DIALECT(DELIMITER, QUOTE, ESCAPE, DOUBLE, SKIP, STRICT)                       \
    {                                                                                 \
        .set = {DELIMITER, QUOTE, ESCAPE}, .doublequote = DOUBLE, .skip_space = SKIP, \
        .strict = STRICT, .max_field = NO_LIMIT, .max_record = NO_LIMIT               \
    }

static const fields_dialect dialects[] = {
    DIALECT(',', '"', SCAN_ABSENT, true, false, false),
    DIALECT(',', '"', SCAN_ABSENT, true, false, true),
    DIALECT(',', '"', SCAN_ABSENT, true, true, false),
    DIALECT(',', '"', SCAN_ABSENT, false, false, false),
    DIALECT(',', '"', '\\', true, false, false),
    DIALECT(',', '"', '\\', false, true, true),
    DIALECT(',', SCAN_ABSENT, '\\', true, false, false),
    DIALECT(',', SCAN_ABSENT, SCAN_ABSENT, true, true, false),
    DIALECT(' ', '"', SCAN_ABSENT, true, true, false),
    DIALECT(',', '"', '"', true, false, false),
    DIALECT(',', ' ', SCAN_ABSENT, true, true, false),
};
#define DIALECTS (sizeof dialects / sizeof dialects[0])

static const uint32_t letters[] = {'a', ',', '"', '\n', '\r', '\\', ' '};
#define LETTERS 7

/* String number `index` of those of `count` letters. */
static void
spell(uint32_t *units, size_t count, unsigned long index)
{
    for (size_t i = 0; i < count; i++) {
        units[i] = letters[index % LETTERS];
        index /= LETTERS;
    }
}

static unsigned long
power(unsigned long base, size_t exponent)
{
    unsigned long n = 1;
    while (exponent-- > 0) {
        n *= base;
    }
    return n;
}

static reading expected, found;

/* Every string up to that length, in all its cuts, and dropping all that can
   be dropped at every cut or at none. */
static void
test_short_in_all_cuts(size_t longest, size_t max_field)
{
    for (size_t k = 0; k < DIALECTS; k++) {
        fields_dialect d = dialects[k];
        d.max_field = max_field;
        for (size_t count = 0; count <= longest; count++) {
            for (unsigned long n = 0; n < power(LETTERS, count); n++) {
                uint32_t units[8];
                spell(units, count, n);
                read_plainly(&d, units, count, &expected);
                for (uint64_t cuts = 0; cuts < UINT64_C(1) << count; cuts += 2) {
                    way w = {.dialect = &d,
                             .kernel = kernels[(n + cuts) % (unsigned)kernel_count],
                             .width = widths[n % 3],
                             .cuts = cuts,
                             .rewinds = cuts & 2 ? cuts : 0};
                    size_t place = read_stream(&w, units, count, &found);
                    same(&found, &expected, &w, units, count);
                    w.exact = true;
                    size_t exact_place = read_stream(&w, units, count, &found);
                    same(&found, &expected, &w, units, count);
                    CHECK(place == exact_place, "a fault at %zu, exactly at %zu", place,
                          exact_place);
                }
            }
        }
    }
}

/* Every string of that length where one group of 64 meets the next, behind
   beginnings that bring the machine into one state or another. */
static void
test_short_between_groups(size_t count)
{
    static const char *beginnings[] = {"", "\"", "a,", "a", "\"a\"", "x\n\"y\",\"", "\r\n"};
    uint32_t units[160];
    for (size_t d = 0; d < DIALECTS; d++) {
        for (unsigned long n = 0; n < power(LETTERS, count); n++) {
            const char *beginning = beginnings[random_below(7)];
            size_t length = 0;
            for (; *beginning != '\0'; beginning++) {
                units[length++] = (uint8_t)*beginning;
            }
            size_t groups = 1 + random_below(2);
            while (length < groups * SCAN_GROUP - 1 - random_below((uint32_t)count)) {
                units[length++] = random_below(9) == 0 ? ',' : 'b';
            }
            spell(units + length, count, n);
            length += count;
            uint32_t tail = random_below(20);
            for (uint32_t i = 0; i < tail; i++) {
                units[length++] = letters[random_below(LETTERS)];
            }
            read_plainly(&dialects[d], units, length, &expected);
            way w = {.dialect = &dialects[d],
                     .kernel = kernels[n % (unsigned)kernel_count],
                     .width = widths[random_below(3)]};
            read_stream(&w, units, length, &found);
            same(&found, &expected, &w, units, length);
            w.from = groups * SCAN_GROUP - 8;
            w.cuts = random_bits() & random_bits() & 0xFFFFFF;
            w.rewinds = w.cuts & random_bits();
            read_stream(&w, units, length, &found);
            same(&found, &expected, &w, units, length);
        }
    }
}

/* Long text that is regular for a while and then is not. */
static size_t
random_text(const fields_dialect *d, int width, uint32_t *units, size_t room)
{
    size_t length = 0;
    while (length + 80 < room) {
        bool wild = random_below(6) == 0;
        bool quoted = !wild && d->set.quote != SCAN_ABSENT && random_below(3) == 0;
        uint32_t size = random_below(random_below(8) == 0 ? 70 : 9);
        if (quoted) {
            units[length++] = d->set.quote;
        }
        for (uint32_t i = 0; i < size; i++) {
            uint32_t c = 'a' + random_below(26);
            if (wild) {
                c = letters[random_below(LETTERS)];
            }
            else if (quoted && random_below(12) == 0) {
                c = letters[random_below(LETTERS)];
                if (c == d->set.quote && d->doublequote) {
                    units[length++] = c;
                }
            }
            else if (random_below(40) == 0) {
                c = width == 1 ? 0xE9 : width == 2 ? 0x222C : 0x1002C;
            }
            units[length++] = c;
        }
        if (quoted) {
            units[length++] = d->set.quote;
        }
        switch (random_below(12)) {
        case 0:
        case 1:
            units[length++] = '\n';
            break;
        case 2:
            units[length++] = '\r';
            units[length++] = '\n';
            break;
        case 3:
            units[length++] = random_below(9) == 0 ? '\r' : '\n';
            break;
        default:
            units[length++] = d->set.delimiter;
        }
    }
    return length;
}

static void
test_long(int rounds)
{
    static uint32_t units[LONGEST];
    for (int round = 0; round < rounds; round++) {
        fields_dialect d = dialects[random_below(DIALECTS)];
        int width = widths[random_below(3)];
        if (random_below(4) == 0) {
            d.max_field = 1 + random_below(150);
        }
        if (random_below(8) == 0) {
            d.set.delimiter = width == 1 ? 0xA7 : width == 2 ? 0x222C : 0x1F600;
        }
        size_t room = random_below(10) == 0 ? LONGEST : 100 + random_below(400);
        size_t count = random_text(&d, width, units, room);
        read_plainly(&d, units, count, &expected);
        for (int k = 0; k < kernel_count; k++) {
            way w = {.dialect = &d, .kernel = kernels[k], .width = width};
            size_t place = read_stream(&w, units, count, &found);
            same(&found, &expected, &w, units, count);
            w.exact = true;
            size_t exact_place = read_stream(&w, units, count, &found);
            same(&found, &expected, &w, units, count);
            CHECK(place == exact_place, "a fault at %zu, exactly at %zu", place, exact_place);
            w.exact = false;
            w.from = random_below((uint32_t)count + 1);
            w.cuts = random_bits() & random_bits();
            w.rewinds = w.cuts & random_bits();
            read_stream(&w, units, count, &found);
            same(&found, &expected, &w, units, count);
        }
    }
}

/* ---- lines ---- */

/* The strings between one cut and the next are the lines. */
static void
read_lines_plainly(const way *w, const uint32_t *units, size_t count, reading *out)
{
    static reference r;
    reference_start(&r, w->dialect, out);
    for (size_t at = 0, start = 0; at <= count && r.error == FIELDS_FINE; at++) {
        if (at == count || (w->cuts >> at & 1)) {
            reference_line(&r, units + start, at - start);
            start = at;
        }
    }
    reference_finish(&r);
}

/* Read one line; in one go if the block, which held nothing, allows it. */
static void
owner_line(owner *o, const uint32_t *units, size_t count)
{
    bool alone = o->length == 0 && o->machine.state == START_RECORD, read = false;
    owner_append(o, units, count);
    if (alone) {
        CHECK(fields_line(&o->machine, o->block, o->width, o->length, &read), "no memory");
    }
    if (read) {
        return;
    }
    CHECK(fields_feed(&o->machine, o->block, o->width, o->length), "no memory");
    if (o->machine.error == FIELDS_FINE) {
        owner_newline(o);
        CHECK(fields_line_end(&o->machine, o->block, o->width), "no memory");
    }
}

static void
read_lines(const way *w, const uint32_t *units, size_t count, reading *out)
{
    owner o;
    owner_start(&o, w->dialect, w->kernel, FIELDS_LINES, w->width, w->exact);
    out->length = 0;
    out->text[0] = '\0';
    for (size_t at = 0, start = 0; at <= count && o.machine.error == FIELDS_FINE; at++) {
        if (at == count || (w->cuts >> at & 1)) {
            owner_line(&o, units + start, at - start);
            start = at;
            owner_take(&o, out);
            if (w->rewinds >> at & 1) {
                owner_rewind(&o);
            }
        }
    }
    owner_finish(&o, out);
}

static void
test_lines(size_t longest)
{
    for (size_t d = 0; d < DIALECTS; d++) {
        for (size_t count = 0; count <= longest; count++) {
            for (unsigned long n = 0; n < power(LETTERS, count); n++) {
                uint32_t units[8];
                spell(units, count, n);
                for (uint64_t cuts = 0; cuts < UINT64_C(1) << count; cuts += 2) {
                    way w = {.dialect = &dialects[d],
                             .kernel = kernels[n % (unsigned)kernel_count],
                             .width = widths[cuts / 2 % 3],
                             .exact = n & 1,
                             .cuts = cuts,
                             .rewinds = n & 2 ? cuts : 0};
                    read_lines_plainly(&w, units, count, &expected);
                    read_lines(&w, units, count, &found);
                    same(&found, &expected, &w, units, count);
                }
            }
        }
    }
}

static void
test_long_lines(int rounds)
{
    static uint32_t units[600];
    for (int round = 0; round < rounds; round++) {
        const fields_dialect *d = &dialects[random_below(DIALECTS)];
        way w = {.dialect = d, .width = widths[random_below(3)]};
        size_t count = random_text(d, w.width, units, 100 + random_below(400));
        static reference r;
        reference_start(&r, d, &expected);
        for (size_t at = 0; at < count && r.error == FIELDS_FINE;) {
            size_t end = line_after(units, at, count);
            reference_line(&r, units + at, end - at);
            at = end;
        }
        reference_finish(&r);
        for (int k = 0; k < kernel_count; k++) {
            owner o;
            owner_start(&o, d, kernels[k], FIELDS_LINES, w.width, false);
            found.length = 0;
            w.kernel = kernels[k];
            for (size_t at = 0; at < count && o.machine.error == FIELDS_FINE;) {
                size_t end = line_after(units, at, count);
                owner_line(&o, units + at, end - at);
                at = end;
                owner_take(&o, &found);
                if (random_below(2) == 0) {
                    owner_rewind(&o);
                }
            }
            owner_finish(&o, &found);
            same(&found, &expected, &w, units, count);
        }
    }
}

/* ---- limits ---- */

/* One field of `letters` characters of `bytes` bytes each, quoted or not, with
   `doubled` pairs of quotes in it; the limit counts characters. */
static void
test_field_limit(void)
{
    static const char *points[] = {"a", "\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x98\x80"};
    uint32_t units[4000];
    for (size_t size = 60; size <= 200; size += 7) {
        for (int p = 0; p < 4; p++) {
            for (int shape = 0; shape < 3; shape++) {
                size_t count = 0, over_at = 0;
                units[count++] = 'b';
                units[count++] = ',';
                if (shape > 0) {
                    units[count++] = '"';
                }
                for (size_t i = 0; i < size; i++) {
                    if (i + 1 == size) {
                        over_at = count + (shape == 2 && i % 5 == 0);
                    }
                    if (shape == 2 && i % 5 == 0) {
                        units[count++] = '"';
                        units[count++] = '"';
                        continue;
                    }
                    for (const char *c = points[p]; *c != '\0'; c++) {
                        units[count++] = (uint8_t)*c;
                    }
                }
                if (shape > 0) {
                    units[count++] = '"';
                }
                units[count++] = '\n';
                for (int k = 0; k < kernel_count; k++) {
                    for (size_t less = 0; less < 2; less++) {
                        fields_dialect d = dialects[0];
                        d.utf8 = true;
                        d.max_field = size - less;
                        way w = {.dialect = &d, .kernel = kernels[k], .width = 1};
                        w.from = random_below((uint32_t)count);
                        w.cuts = random_bits() & random_bits();
                        w.exact = random_below(4) == 0;
                        size_t place = read_stream(&w, units, count, &found);
                        bool over = strstr(found.text, "field limit") != NULL;
                        if (over != (less == 1) || (over && place != over_at)) {
                            print_units("data", units, count);
                            print_way(&w);
                            CHECK(false,
                                  "%zu characters at a limit of %zu: %s, at %zu, not %zu",
                                  size, d.max_field, found.text, place, over_at);
                        }
                    }
                }
            }
        }
    }
}

/* A record of exactly the limit is fine, of one unit more is not, whatever
   it is made of; and an endless one is stopped though it never ends. */
static void
test_record_limit(void)
{
    uint32_t units[600];
    for (size_t size = 60; size <= 300; size += 11) {
        for (int shape = 0; shape < 3; shape++) {
            for (size_t i = 0; i < size; i++) {
                units[i] = shape == 0 ? ',' : shape == 1 && i % 20 == 19 ? ',' : 'a';
            }
            if (shape == 2) {
                units[0] = '"';
            }
            for (int ended = 0; ended < 2; ended++) {
                units[size] = '\n';
                if (shape == 2 && ended) {
                    units[size - 1] = '"';
                }
                for (int k = 0; k < kernel_count; k++) {
                    for (size_t less = 0; less < 2; less++) {
                        fields_dialect d = dialects[0];
                        d.max_record = size - less;
                        way w = {
                            .dialect = &d, .kernel = kernels[k], .width = widths[size % 3]};
                        w.cuts = random_bits() & random_bits();
                        w.from = random_below((uint32_t)size);
                        size_t count = size + (size_t)ended;
                        size_t place = read_stream(&w, units, count, &found);
                        bool over = strstr(found.text, "record limit") != NULL;
                        if (over != (less == 1) || (over && place != d.max_record)) {
                            print_units("data", units, count);
                            print_way(&w);
                            CHECK(false, "%zu units at a limit of %zu: %s, at %zu", size,
                                  d.max_record, found.text, place);
                        }
                    }
                }
            }
        }
    }
}

/* ---- after a fault ---- */

/* Get over every fault that can be got over with what is there. */
static void
owner_resume(owner *o, bool final, reading *out)
{
    uint32_t from, through;
    while (o->machine.error != FIELDS_FINE) {
        bool over =
            fields_resume(&o->machine, o->block, o->width, o->length, final, &from, &through);
        CHECK(from <= through && through <= o->length, "%u to %u of %zu", (unsigned)from,
              (unsigned)through, o->length);
        for (uint32_t i = from; i < through; i++) {
            note_unit(out, get_unit(o->block, i, o->width));
        }
        if (!over) {
            return;
        }
        note(out, "|\n");
        CHECK(fields_feed(&o->machine, o->block, o->width, o->length), "no memory");
        if (final) {
            CHECK(fields_finish(&o->machine, o->block, o->width), "no memory");
        }
        owner_take(o, out);
    }
}

static void
read_resuming(const way *w, const uint32_t *units, size_t count, reading *out)
{
    owner o;
    size_t fed = 0;
    owner_start(&o, w->dialect, w->kernel, FIELDS_STREAM, w->width, w->exact);
    out->length = 0;
    out->text[0] = '\0';
    for (size_t at = 0; at <= count; at++) {
        size_t i = at - w->from;
        bool cut = at >= w->from && i < 64 && w->cuts >> i & 1;
        if (!cut && at < count) {
            continue;
        }
        owner_rewind(&o);
        owner_append(&o, units + fed, at - fed);
        fed = at;
        CHECK(fields_feed(&o.machine, o.block, w->width, o.length), "no memory");
        owner_take(&o, out);
        owner_resume(&o, false, out);
    }
    CHECK(fields_finish(&o.machine, o.block, o.width), "no memory");
    owner_take(&o, out);
    owner_resume(&o, true, out);
    fields_free(&o.machine);
    free(o.block);
}

/* The same by a new machine for each stretch between two faults. */
static void
read_afresh(const fields_dialect *d, const uint32_t *units, size_t count, reading *out)
{
    size_t start = 0;
    out->length = 0;
    out->text[0] = '\0';
    while (start < count) {
        owner o;
        owner_start(&o, d, kernels[0], FIELDS_STREAM, 4, true);
        owner_append(&o, units + start, count - start);
        CHECK(fields_feed(&o.machine, o.block, o.width, o.length), "no memory");
        CHECK(fields_finish(&o.machine, o.block, o.width), "no memory");
        owner_take(&o, out);
        size_t bad = start + o.machine.record_start, next = count;
        if (o.machine.error != FIELDS_FINE) {
            next = line_after(units, start + o.machine.error_pos, count);
            for (size_t i = bad; i < next; i++) {
                note_unit(out, units[i]);
            }
            note(out, "|\n");
        }
        fields_free(&o.machine);
        free(o.block);
        start = next;
    }
}

/* Behind a fault it goes on at the next line, wherever the data is cut. */
static void
test_resume(int rounds)
{
    static const uint32_t often[] = {'a', 'a', 'b', ',', '"', '"', '\n', '\r', ' '};
    uint32_t units[400];
    for (int round = 0; round < rounds; round++) {
        size_t count = random_below(round % 2 ? 20 : 400);
        for (size_t i = 0; i < count; i++) {
            units[i] = often[random_below(sizeof often / sizeof *often)];
        }
        fields_dialect d = dialects[0];
        d.strict = true;
        d.max_field = round % 3 == 0 ? random_below(6) : NO_LIMIT;
        if (round % 7 == 0) {
            /* Which of two faults is met first is for the cuts to say. */
            d.strict = false;
            d.max_field = NO_LIMIT;
            d.max_record = 5 + random_below(90);
        }
        way w = {.dialect = &d, .kernel = kernels[round % kernel_count]};
        w.width = widths[round % 3];
        w.from = count == 0 ? 0 : random_below((uint32_t)count);
        w.cuts = random_bits() & random_bits();
        w.exact = random_below(4) == 0;
        read_afresh(&d, units, count, &expected);
        read_resuming(&w, units, count, &found);
        same(&found, &expected, &w, units, count);
    }
}

/* The owner's own fault, and lines, of which the rest is given up. */
static void
test_resume_elsewhere(void)
{
    static const uint32_t units[] = {'a', ',', 'b', '\r', '\n', 'c', '\n'};
    uint32_t from, through;
    owner o;
    owner_start(&o, &dialects[0], kernels[0], FIELDS_STREAM, 1, false);
    owner_append(&o, units, 7);
    CHECK(fields_feed(&o.machine, o.block, 1, 2), "no memory");
    fields_fail(&o.machine, 2);
    CHECK(!fields_resume(&o.machine, o.block, 1, 4, false, &from, &through),
          "the end is seen");
    CHECK(from == 0 && through == 3, "%u to %u", (unsigned)from, (unsigned)through);
    CHECK(fields_resume(&o.machine, o.block, 1, 7, false, &from, &through), "no end is seen");
    CHECK(from == 3 && through == 5, "%u to %u", (unsigned)from, (unsigned)through);
    CHECK(fields_feed(&o.machine, o.block, 1, 7), "no memory");
    found.length = 0;
    owner_take(&o, &found);
    CHECK(strstr(found.text, "<c>") != NULL && strstr(found.text, "b") == NULL, "%s",
          found.text);
    fields_free(&o.machine);
    free(o.block);

    owner_start(&o, &dialects[0], kernels[0], FIELDS_LINES, 1, false);
    owner_append(&o, units, 7);
    CHECK(fields_feed(&o.machine, o.block, 1, 7), "no memory");
    CHECK(o.machine.error == FIELDS_STRAY_NEWLINE, "%s", error_name(o.machine.error));
    CHECK(fields_resume(&o.machine, o.block, 1, 7, false, &from, &through), "no end is seen");
    CHECK(from == 0 && through == 7 && o.machine.state == START_RECORD, "%u to %u",
          (unsigned)from, (unsigned)through);
    CHECK(fields_rewind(&o.machine) == 7, "not all is dropped");
    fields_free(&o.machine);
    free(o.block);
}

static void
test_count_lines(void)
{
    for (size_t count = 0; count <= 5; count++) {
        for (unsigned long n = 0; n < power(LETTERS, count); n++) {
            uint32_t units[8];
            spell(units, count, n);
            for (int w = 0; w < 3; w++) {
                owner o;
                owner_start(&o, &dialects[0], kernels[0], FIELDS_STREAM, widths[w], false);
                owner_append(&o, units, count);
                size_t lines = 0;
                for (size_t i = 0; i < count; i++) {
                    bool second = i > 0 && units[i] == '\n' && units[i - 1] == '\r';
                    lines += is_end(units[i]) && !second;
                }
                size_t counted = fields_count_lines(o.block, widths[w], 0, (uint32_t)count);
                CHECK(counted == lines, "%zu lines, not %zu", counted, lines);
                fields_free(&o.machine);
                free(o.block);
            }
        }
    }
}

/* With an argument, as many times as long; 0 is short. */
int
main(int argc, char **argv)
{
    int times = argc > 1 ? atoi(argv[1]) : 1;
    int rounds = times > 0 ? 3000 * times : 300;
    size_t longest = times == 0 ? 3 : times == 1 ? 4 : 5;
    scan_kernels(kernels);
    while (kernels[kernel_count] != NULL) {
        kernel_count++;
    }
    test_short_in_all_cuts(longest, NO_LIMIT);
    test_short_in_all_cuts(longest, 1);
    test_short_in_all_cuts(longest, 2);
    test_short_between_groups(longest + 1);
    test_lines(longest);
    test_long(rounds);
    test_long_lines(rounds);
    test_field_limit();
    test_record_limit();
    test_resume(6000 * times);
    test_resume_elsewhere();
    test_count_lines();
    for (int i = 0; i < kernel_count; i++) {
        printf("%s%s", i > 0 ? " " : "", kernels[i]->name);
    }
    puts("");
    return 0;
}
