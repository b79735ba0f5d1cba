/* What the first bytes of a source tell: see head.h.
 *
 * Only what no text begins with is told: a name in a header may be PAR1 or BZh.
 */
#include "source/head.h"

#include <string.h>

/* ---- compressed data ---- */

static const struct {
    packing kind;
    uint8_t length;
    const char *bytes;
} packed[] = {
    {PACKING_GZIP, 3, "\x1f\x8b\x08"},
    {PACKING_XZ, 6,
     "\xfd"
     "7zXZ\0"},
    {PACKING_ZSTD, 4, "\x28\xb5\x2f\xfd"},
    {PACKING_ZIP, 4, "PK\x03\x04"},
    {PACKING_ZIP, 4, "PK\x05\x06"}, /* one without members */
};

static const char *const packing_names[] = {
    [PACKING_UNKNOWN] = "infer", [PACKING_NONE] = "", [PACKING_GZIP] = "gzip",
    [PACKING_BZ2] = "bz2",       [PACKING_XZ] = "xz", [PACKING_ZSTD] = "zstd",
    [PACKING_ZIP] = "zip",
};

int
head_packing_by_name(PyObject *name)
{
    for (size_t i = 0; i < Py_ARRAY_LENGTH(packing_names); i++) {
        if (i != PACKING_NONE &&
            PyUnicode_CompareWithASCIIString(name, packing_names[i]) == 0) {
            return (int)i;
        }
    }
    return -1;
}

const char *
head_packing_name(packing kind)
{
    return packing_names[kind];
}

/* Whether the bytes are the first ones of `mark`, as far as both go. */
static bool
head_matches(const uint8_t *bytes, size_t count, const char *mark, size_t length)
{
    return memcmp(bytes, mark, count < length ? count : length) == 0;
}

/* "BZh", the size of blocks, and the mark of a block or of the end. */
static bool
head_is_bz2(const uint8_t *b, size_t count)
{
    return head_matches(b, count, "BZh", 3) && (count < 4 || (b[3] >= '1' && b[3] <= '9')) &&
           (count < 5 || head_matches(b + 4, count - 4, "1AY&SY", 6) ||
            head_matches(b + 4, count - 4, "\x17rE8P\x90", 6));
}

/* A frame of zstd that is to be skipped: tools that compress with threads begin with one. */
static bool
head_is_skipped_zstd(const uint8_t *b, size_t count)
{
    return (b[0] >> 4) == 5 && head_matches(b + 1, count - 1, "\x2a\x4d\x18", 3);
}

packing
head_packing(const uint8_t *bytes, size_t count, bool *is_open)
{
    *is_open = count == 0;
    if (count == 0) {
        return PACKING_NONE;
    }
    for (size_t i = 0; i < Py_ARRAY_LENGTH(packed); i++) {
        if (head_matches(bytes, count, packed[i].bytes, packed[i].length)) {
            if (count >= packed[i].length) {
                return packed[i].kind;
            }
            *is_open = true;
        }
    }
    if (head_is_bz2(bytes, count)) {
        if (count >= HEAD_PACKED) {
            return PACKING_BZ2;
        }
        *is_open = true;
    }
    if (head_is_skipped_zstd(bytes, count)) {
        if (count >= 4) {
            return PACKING_ZSTD;
        }
        *is_open = true;
    }
    return PACKING_NONE;
}

/* ---- files of other kinds ---- */

static const char *
head_packed_advice(const uint8_t *b, size_t count)
{
    static const char *const advice[] = {
        [PACKING_GZIP] =
            "gzip data: pass compression='infer', or decompress it first if it is "
            "compressed twice",
        [PACKING_BZ2] =
            "bzip2 data: pass compression='infer', or decompress it first if it is "
            "compressed twice",
        [PACKING_XZ] = "xz data: pass compression='infer', or decompress it first if it is "
                       "compressed twice",
        [PACKING_ZSTD] =
            "zstd data: pass compression='infer', or decompress it first if it is "
            "compressed twice",
        [PACKING_ZIP] = "a zip archive: pass compression='infer', or open the inner archive "
                        "with zipfile if it is in another one",
    };
    bool is_open;
    const packing kind = head_packing(b, count, &is_open);
    return kind == PACKING_NONE ? NULL : advice[kind];
}

static const struct {
    uint8_t length;
    const char *bytes;
    const char *advice;
} others[] = {
    {16, "SQLite format 3", "a SQLite database, not text: read it with sqlite3"},
    {8, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
     "an Excel workbook (xls), not text: save it as CSV, or read it with pandas.read_excel()"},
    {8, "ARROW1\0\0", "an Arrow file, not text: read it with pyarrow.feather or polars"},
    {7, "%PDF-1.", "a PDF document, not text"},
    {7, "%PDF-2.", "a PDF document, not text"},
};

static uint8_t
head_lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c;
}

/* Whether the bytes begin as `mark`, in any case, as far as both go. */
static bool
head_matches_word(const uint8_t *bytes, size_t count, const char *mark)
{
    for (size_t i = 0; i < count && mark[i] != 0; i++) {
        if (head_lower(bytes[i]) != (uint8_t)mark[i]) {
            return false;
        }
    }
    return true;
}

static const char *const pages[] = {"<!doctype html", "<html>", "<html "};

static const char *
head_other_advice(const uint8_t *b, size_t count)
{
    for (size_t i = 0; i < Py_ARRAY_LENGTH(others); i++) {
        if (count >= others[i].length && memcmp(b, others[i].bytes, others[i].length) == 0) {
            return others[i].advice;
        }
    }
    if (count >= 5 && memcmp(b, "PAR1", 4) == 0 && b[4] < 0x20 && b[4] != '\r' &&
        b[4] != '\n' && b[4] != '\t') {
        return "a Parquet file, not text: read it with pyarrow.parquet or polars";
    }
    for (size_t i = 0; i < Py_ARRAY_LENGTH(pages); i++) {
        if (count >= strlen(pages[i]) && head_matches_word(b, count, pages[i])) {
            return "an HTML page, not a table: look at it, it may ask for a login or tell of "
                   "an "
                   "error";
        }
    }
    return NULL;
}

/* ---- wide text ---- */

#define WIDE_SEEN 8 /* bytes of wide text without a mark that are looked at */

static bool
head_is_plain(uint8_t c)
{
    return (c >= 0x20 && c < 0x7F) || c == '\t' || c == '\r' || c == '\n';
}

/* Whether the bytes are ASCII in units of `width` bytes, of which the one at `at` is not zero.
   The first one is no line end: a blank line does not wait for the next byte. */
static bool
head_is_wide(const uint8_t *b, size_t count, size_t width, size_t at)
{
    for (size_t i = 0; i < count && i < WIDE_SEEN; i++) {
        if (i % width == at ? !head_is_plain(b[i]) : b[i] != 0) {
            return false;
        }
        if (i == at && (b[i] == '\n' || b[i] == '\r')) {
            return false;
        }
    }
    return true;
}

static const struct {
    uint8_t width, at;
    const char *advice;
} wide[] = {
    {2, 0, "UTF-16 text without a byte order mark: pass encoding='utf-16-le'"},
    {2, 1, "UTF-16 text without a byte order mark: pass encoding='utf-16-be'"},
    {4, 0, "UTF-32 text without a byte order mark: pass encoding='utf-32-le'"},
    {4, 3, "UTF-32 text without a byte order mark: pass encoding='utf-32-be'"},
};

/* What an encoding is, from its name. */
typedef struct {
    bool is_utf8, is_wide, is_little, is_big;
} head_encoding;

static head_encoding
head_read_encoding(PyObject *encoding)
{
    char name[24];
    size_t length = 0;
    for (Py_ssize_t i = 0; i < PyUnicode_GET_LENGTH(encoding) && length < 23; i++) {
        const Py_UCS4 c = PyUnicode_READ_CHAR(encoding, i);
        if (c < 0x80 && c != '-' && c != '_' && c != ' ') {
            name[length++] = (char)head_lower((uint8_t)c);
        }
    }
    name[length] = 0;
    return (head_encoding){
        .is_utf8 = strstr(name, "utf8") != NULL || strcmp(name, "u8") == 0 ||
                   strcmp(name, "cp65001") == 0,
        .is_wide = strstr(name, "16") != NULL || strstr(name, "32") != NULL,
        .is_little = length > 2 && strcmp(name + length - 2, "le") == 0,
        .is_big = length > 2 && strcmp(name + length - 2, "be") == 0,
    };
}

/* A mark that says another thing than the encoding. */
static const char *
head_mark_advice(const uint8_t *b, size_t count, head_encoding encoding)
{
    if (count >= 3 && memcmp(b, "\xef\xbb\xbf", 3) == 0) {
        return encoding.is_utf8 ? NULL : "UTF-8 text: pass encoding='utf-8'";
    }
    const bool is_big = encoding.is_wide && encoding.is_big;
    const bool is_little = encoding.is_wide && encoding.is_little;
    const bool big32 = count >= 4 && memcmp(b, "\0\0\xfe\xff", 4) == 0;
    const bool little32 = count >= 4 && memcmp(b, "\xff\xfe\0\0", 4) == 0;
    const bool little = count >= 2 && memcmp(b, "\xff\xfe", 2) == 0;
    const bool big = count >= 2 && memcmp(b, "\xfe\xff", 2) == 0;
    if ((big32 && is_little) || (little32 && is_big) ||
        (!encoding.is_wide && (big32 || little32))) {
        return "UTF-32 text: pass encoding='utf-32'";
    }
    if ((big && is_little) || (little && is_big) || (!encoding.is_wide && (big || little))) {
        return "UTF-16 text: pass encoding='utf-16'";
    }
    return NULL;
}

static const char *
head_wide_advice(const uint8_t *b, size_t count, head_encoding encoding)
{
    for (size_t i = 0; i < Py_ARRAY_LENGTH(wide); i++) {
        /* 'utf-16' needs a mark. */
        const bool fits = encoding.is_wide && (encoding.is_little || encoding.is_big);
        if (!fits && count >= WIDE_SEEN && head_is_wide(b, count, wide[i].width, wide[i].at)) {
            return wide[i].advice;
        }
    }
    return NULL;
}

/* ---- both ---- */

/* Whether there is neither a mark nor wide text, whatever the encoding is. */
static bool
head_is_ascii(const uint8_t *bytes, size_t count)
{
    for (size_t i = 0; i < count && i < WIDE_SEEN; i++) {
        if (!head_is_plain(bytes[i])) {
            return false;
        }
    }
    return true;
}

const char *
head_advice(const uint8_t *bytes, size_t count, PyObject *encoding, bool is_table)
{
    const char *advice = head_packed_advice(bytes, count);
    if (head_is_ascii(bytes, count)) {
        return advice == NULL && is_table ? head_other_advice(bytes, count) : advice;
    }
    const head_encoding named = head_read_encoding(encoding);
    if (advice == NULL) {
        advice = head_mark_advice(bytes, count, named);
    }
    if (advice == NULL && is_table) {
        advice = head_other_advice(bytes, count);
    }
    return advice == NULL && is_table ? head_wide_advice(bytes, count, named) : advice;
}

bool
head_is_open(const uint8_t *bytes, size_t count, bool is_table)
{
    static const char *const marks[] = {"\xff\xfe\0\0", "\0\0\xfe\xff", "\xfe\xff",
                                        "\xef\xbb\xbf"};
    static const uint8_t lengths[] = {4, 4, 2, 3};
    bool is_open;
    if (count == 0 || head_packing(bytes, count, &is_open) != PACKING_NONE) {
        return count == 0;
    }
    for (size_t i = 0; i < Py_ARRAY_LENGTH(marks); i++) {
        is_open |= count < lengths[i] && memcmp(bytes, marks[i], count) == 0;
    }
    if (!is_table) {
        return is_open;
    }
    for (size_t i = 0; i < Py_ARRAY_LENGTH(others); i++) {
        is_open |= count < others[i].length && memcmp(bytes, others[i].bytes, count) == 0;
    }
    for (size_t i = 0; i < Py_ARRAY_LENGTH(pages); i++) {
        is_open |= count < strlen(pages[i]) && head_matches_word(bytes, count, pages[i]);
    }
    for (size_t i = 0; i < Py_ARRAY_LENGTH(wide); i++) {
        is_open |= count < WIDE_SEEN && head_is_wide(bytes, count, wide[i].width, wide[i].at);
    }
    return is_open || (count < 5 && head_matches(bytes, count, "PAR1", 4));
}
