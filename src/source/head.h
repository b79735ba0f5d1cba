/* What the first bytes of a source tell: that it is compressed, or no text of the encoding. */
#ifndef GENERATORS_SOURCE_HEAD_H
#define GENERATORS_SOURCE_HEAD_H

#include "state.h"

/* ---- compressed data ---- */

typedef enum {
    PACKING_UNKNOWN, /* told by the first bytes */
    PACKING_NONE,
    PACKING_GZIP,
    PACKING_BZ2,
    PACKING_XZ,
    PACKING_ZSTD,
    PACKING_ZIP,
} packing;

#define HEAD_PACKED 10 /* bytes that tell it */

/* The kind of that name, a str, which is not 'none'; PACKING_UNKNOWN for 'infer'; or -1. */
int head_packing_by_name(PyObject *name);
const char *head_packing_name(packing kind);

/* What data begins so.  PACKING_NONE for no compressed data; *is_open is set if more bytes are
   needed to tell. */
packing head_packing(const uint8_t *bytes, size_t count, bool *is_open);

/* ---- what is no text ---- */

#define HEAD_LENGTH 16 /* bytes that tell what kind of file it is */

/* What to do about a source that begins with these bytes, in words; NULL if there is nothing
   wrong.  `encoding` is the name that the user gave.  `is_table`: it should be a table, which
   does not begin as a document does. */
const char *head_advice(const uint8_t *bytes, size_t count, PyObject *encoding, bool is_table);

/* Whether more bytes are needed to tell. */
bool head_is_open(const uint8_t *bytes, size_t count, bool is_table);

#endif
