/* Costs, shapes, candidates and what is found out of short texts. */
#include "core/sniff.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "core/sniff_bits.h"
#include "core/sniff_shape.h"

#define EXPECT(condition) CHECK(condition, "of %zu candidates", found.count)

static sniff found;
static const scan_kernel *kernel;

/* ---- logarithms ---- */

static void
check_logarithms(void)
{
    EXPECT(sniff_log(0) == 0);
    EXPECT(sniff_log(1) == 0);
    for (int power = 0; power < 64; power++) {
        EXPECT(sniff_log(UINT64_C(1) << power) == (uint32_t)power * SNIFF_BIT);
    }
    for (uint64_t n = 1; n < 5000; n++) {
        EXPECT(sniff_log(n + 1) >= sniff_log(n));
    }
    EXPECT(sniff_surprise(99, 100, 2) < sniff_surprise(1, 100, 2));
}

/* ---- shapes ---- */

static void
check_shapes(void)
{
    static const struct {
        const char *text;
        sniff_type type;
    } shapes[] = {
        {"1", SNIFF_INTEGER},
        {"-12", SNIFF_INTEGER},
        {"+7", SNIFF_INTEGER},
        {"1.5", SNIFF_NUMBER},
        {"1,5", SNIFF_NUMBER},
        {".5", SNIFF_NUMBER},
        {"1,234,567", SNIFF_NUMBER},
        {"1.234.567,89", SNIFF_NUMBER},
        {"1 234", SNIFF_NUMBER},
        {"1'234", SNIFF_NUMBER},
        {"$5", SNIFF_NUMBER},
        {"5 \x80", SNIFF_NUMBER},
        {"12%", SNIFF_NUMBER},
        {"1e5", SNIFF_NUMBER},
        {"1.5E-07", SNIFF_NUMBER},
        {"(5.00)", SNIFF_NUMBER},
        {"-$5", SNIFF_NUMBER},
        {"$-5", SNIFF_NUMBER},
        {"2024-01-31", SNIFF_DATE},
        {"31.1.2024", SNIFF_DATE},
        {"1/31/24", SNIFF_DATE},
        {"12:30", SNIFF_TIME},
        {"12:30:15", SNIFF_TIME},
        {"1:30 PM", SNIFF_TIME},
        {"12:30:15.25", SNIFF_TIME},
        {"2024-01-31T12:30:15Z", SNIFF_DATETIME},
        {"2024-01-31 12:30", SNIFF_DATETIME},
        {"2024-01-31 12:30:15 +01:00", SNIFF_DATETIME},
        {"12:30 UTC", SNIFF_TIME},
        {"12:30+0100", SNIFF_TIME},
        {"1;5", SNIFF_TEXT},
        {"1.", SNIFF_NUMBER},
        {"1,2,3", SNIFF_TEXT},
        {"12:3", SNIFF_TEXT},
        {"2024-01", SNIFF_TEXT},
        {"2024-01-31x", SNIFF_TEXT},
        {"2024-01-31 x", SNIFF_TEXT},
        {"123-1-1", SNIFF_TEXT},
        {"1e", SNIFF_TEXT},
        {"1e5000", SNIFF_TEXT},
        {"(5", SNIFF_TEXT},
        {"12:30:1", SNIFF_TEXT},
        {"12:30 +1", SNIFF_TEXT},
        {"1-2-345", SNIFF_TEXT},
        {"1/2-24", SNIFF_TEXT},
        {"12:30 x", SNIFF_TEXT},
    };
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        uint32_t cost = 0;
        const char *text = shapes[i].text;
        const sniff_type type = sniff_shape((const uint8_t *)text, strlen(text), &cost);
        if (type != shapes[i].type) {
            printf("%s is %d\n", text, (int)type);
        }
        EXPECT(type == shapes[i].type);
        EXPECT(type == SNIFF_TEXT || cost > 0);
    }
}

/* ---- texts ---- */

static const sniff_candidate *
look(const char *text)
{
    EXPECT(sniff_text(&found, kernel, text, 1, strlen(text), true));
    return &found.all[0];
}

/* Of every width, the same. */
static void
check_widths(const char *text)
{
    const size_t length = strlen(text);
    const sniff_candidate first = *look(text);
    const sniff_table table = found.table;
    for (int width = 2; width <= 4; width *= 2) {
        uint8_t *wide = malloc(length * (size_t)width + 1);
        EXPECT(wide != NULL);
        for (size_t i = 0; i < length; i++) {
            if (width == 2) {
                ((uint16_t *)(void *)wide)[i] = (uint8_t)text[i];
            }
            else {
                ((uint32_t *)(void *)wide)[i] = (uint8_t)text[i];
            }
        }
        EXPECT(sniff_text(&found, kernel, wide, width, length, true));
        EXPECT(found.all[0].total == first.total);
        EXPECT(found.all[0].dialect.set.delimiter == first.dialect.set.delimiter);
        EXPECT(found.all[0].dialect.set.quote == first.dialect.set.quote);
        EXPECT(found.table.skip == table.skip && found.table.header == table.header);
        free(wide);
    }
}

static void
check_texts(void)
{
    static const char *const texts[] = {
        "",
        "\n\n",
        "a",
        "id;name\n1;a\n2;b\n",
        "a\tb\r\n1\t2\r\n",
        "x|y\r1|\"2|3\"\r",
        "'a','b;c'\n'd','e\\'f'\n",
        "sep=;\na;b\n1;2\n",
        "SEP=|\r\na|b\r\n",
        "# one\n# two\nid,name\n1,a\n2,b\n3,c\n",
        "Title of it\n\nid,name,v\n1,a,2\n2,b,3\n",
        "// one\na  b  c\n1  2  3\n1  2  3\n",
        "a,\"never closed\nb,c\nd,e\n",
        "a\\,b,c\nd\\,e,f\\",
        "q, \"w, e\"\nr, \"t, y\"\n",
        "#id,name\n1,a\n2,b\n3,c\n",
        "a!b\nc!d\ne!f\n",
        "\"a\" ,b\n\"c\" , d\n\"e\",NA\n",
        "Title\n\n\na,b,c\n\n1,2,3\n4,5,6\n",
        "a, b\nc, d\ne,f\ng, h\n",
        ("code,name\nABCDE,x y\nFGHIJ,z\nKLMNO,w\nPQRST,v\n"
         "UVWXY,u\nZABCD,t\nEFGHI,s\nKLMNO,r\nPQRST,q\n"),
        "Title\na,b,c\nagain\n1,2,3\n",
        "se",
        "sep=;",
        "sep=;x\n",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        check_widths(texts[i]);
    }
    EXPECT(look(texts[3])->dialect.set.delimiter == ';');
    EXPECT(found.table.header > 0);
    EXPECT(look(texts[4])->dialect.set.delimiter == '\t');
    EXPECT(look(texts[6])->dialect.set.quote == '\'');
    EXPECT(found.all[0].dialect.set.escape == '\\');
    EXPECT(look(texts[7])->dialect.set.delimiter == ';' && found.declared);
    EXPECT(found.table.skip == 1);
    look(texts[9]);
    EXPECT(found.comment.length == 1 && found.table.skip == 0 && found.table.comments == 2);
    look(texts[10]);
    EXPECT(found.table.skip == 2 && found.table.titles == 1 && found.table.header > 0);
    EXPECT(look(texts[14])->dialect.skip_space);
}

/* The sums are the same whatever is cut off, or more. */
static void
check_cuts(void)
{
    static const char text[] = "# x\nid,\"na\"\"me\"\n1,'a'\n2,\"b\nc\"\n3,\\\"d;e\n";
    for (size_t length = 0; length < sizeof text; length++) {
        EXPECT(sniff_text(&found, kernel, text, 1, length, length % 2 == 0));
        EXPECT(found.count > 0 && found.compared > 0);
    }
}

/* Long texts: the best few are parsed whole. */
static void
check_long(void)
{
    const size_t length = 300000;
    char *text = malloc(length);
    EXPECT(text != NULL);
    for (size_t i = 0; i < length; i++) {
        text[i] = "12;7,5;abc\n"[i % 11];
    }
    EXPECT(sniff_text(&found, kernel, text, 1, length, false));
    EXPECT(found.all[0].dialect.set.delimiter == ';');
    EXPECT(found.all[0].score.records == length / 11);
    EXPECT(found.compared <= SNIFF_BEST);
    text[3] = '"'; /* and all that follows is in quotes */
    EXPECT(sniff_text(&found, kernel, text, 1, length, false));
    EXPECT(found.all[0].dialect.set.delimiter == ';');
    EXPECT(found.all[0].dialect.set.quote == SCAN_ABSENT);
    free(text);
}

/* Where the best ones differ in quotes and escapes only, one of another delimiter stays. */
static void
check_another(void)
{
    static const char line[] = "12, 34, \"x\\\"y\", 56, 'abc', 78\n";
    const size_t length = 3000 * (sizeof line - 1);
    char *text = malloc(length);
    EXPECT(text != NULL);
    for (size_t i = 0; i < length; i++) {
        text[i] = line[i % (sizeof line - 1)];
    }
    EXPECT(sniff_text(&found, kernel, text, 1, length, true));
    EXPECT(found.compared == SNIFF_BEST && found.count > SNIFF_BEST);
    size_t others = 0;
    for (size_t i = 0; i < found.compared; i++) {
        others += found.all[i].dialect.set.delimiter != ',';
    }
    EXPECT(others == 1);
    free(text);
}

int
main(void)
{
    kernel = scan_choose("scalar");
    check_logarithms();
    check_shapes();
    check_texts();
    check_cuts();
    check_long();
    check_another();
    puts("sniff");
    return 0;
}
