/* The first bytes of a source tell what is no text of the encoding: see head.h. */
#include "source/head.h"

#include <string.h>

static const char *
head_archive_advice(const uint8_t *b, size_t count)
{
    if (count >= 3 && memcmp(b, "\x1f\x8b\x08", 3) == 0) {
        return "gzip data: pass gzip.open(path)";
    }
    if (count >= 4 && memcmp(b, "\x28\xb5\x2f\xfd", 4) == 0) {
        return "zstd data: pass a file object that decompresses it";
    }
    if (count >= 4 && memcmp(b, "PK\x03\x04", 4) == 0) {
        return "a zip archive: pass zipfile.ZipFile(path).open(name)";
    }
    return NULL;
}

static const char *
head_wide_advice(const uint8_t *b, size_t count)
{
    if (count >= 4 &&
        (memcmp(b, "\xff\xfe\0\0", 4) == 0 || memcmp(b, "\0\0\xfe\xff", 4) == 0)) {
        return "UTF-32 text: pass encoding='utf-32'";
    }
    if (count >= 2 && (memcmp(b, "\xff\xfe", 2) == 0 || memcmp(b, "\xfe\xff", 2) == 0)) {
        return "UTF-16 text: pass encoding='utf-16'";
    }
    return NULL;
}

static bool
head_names_wide(PyObject *encoding)
{
    Py_ssize_t end = PyUnicode_GET_LENGTH(encoding);
    for (Py_ssize_t i = 0; i + 1 < end; i++) {
        Py_UCS4 c = PyUnicode_READ_CHAR(encoding, i), d = PyUnicode_READ_CHAR(encoding, i + 1);
        if ((c == '1' && d == '6') || (c == '3' && d == '2')) {
            return true;
        }
    }
    return false;
}

const char *
head_advice(const uint8_t *bytes, size_t count, PyObject *encoding)
{
    const char *advice = head_archive_advice(bytes, count);
    return advice != NULL || head_names_wide(encoding) ? advice
                                                       : head_wide_advice(bytes, count);
}

bool
head_is_open(const uint8_t *bytes, size_t count)
{
    static const char *const marks[] = {"\x1f\x8b\x08", "\x28\xb5\x2f\xfd", "PK\x03\x04",
                                        "\xff\xfe\0\0", "\0\0\xfe\xff",     "\xfe\xff"};
    static const size_t lengths[] = {3, 4, 4, 4, 4, 2};
    for (size_t i = 0; i < Py_ARRAY_LENGTH(marks); i++) {
        if (count < lengths[i] && memcmp(bytes, marks[i], count) == 0) {
            return true;
        }
    }
    return false;
}
