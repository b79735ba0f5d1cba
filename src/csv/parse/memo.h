/* Texts that were made recently, to be used again.
 *
 * The columns of real files repeat texts: a code, a date, a small number.  Finding such a text
 * costs a quarter of making and freeing another, and the shared object keeps its hash.  Texts
 * are immutable, so only `is` can tell the difference.
 *
 * One table serves all columns.  It is indexed by the first and last bytes of a text.  A new
 * text replaces the one in its slot.  A column that rarely finds a text stops looking for a
 * while.
 *
 * The memo owns its texts.  It belongs to one parser, whose front end locks. block.c says when
 * rows use it.
 */
#ifndef GENERATORS_CSV_PARSE_MEMO_H
#define GENERATORS_CSV_PARSE_MEMO_H

#include <string.h>

#include "core/units.h"
#include "state.h"

#define MEMO_BITS 11
#define MEMO_SLOTS (1 << MEMO_BITS)
#define MEMO_COLUMNS 256 /* further columns share their scores */
#define MEMO_LONGEST 32
#define MEMO_PAUSE 2000 /* fields of a column for which the memo is then not used */

typedef struct {
    uint64_t head, tail; /* of the text's bytes: see memo_key */
    PyObject *text;      /* owned: ASCII, or NULL */
} memo_slot;

typedef struct {
    memo_slot slots[MEMO_SLOTS];
    int16_t scores[MEMO_COLUMNS]; /* below 0: how many fields are not looked up */
} csv_memo;

static inline void
csv_memo_free(csv_memo *memo)
{
    if (memo != NULL) {
        for (int i = 0; i < MEMO_SLOTS; i++) {
            Py_XDECREF(memo->slots[i].text);
        }
        PyMem_Free(memo);
    }
}

/* Two words that contain every byte of a text of up to 16 bytes.  Nothing outside of the text
   is read. */
INLINE void
memo_key(const uint8_t *bytes, size_t count, uint64_t *head, uint64_t *tail)
{
    *head = *tail = 0;
    if (count >= 8) {
        memcpy(head, bytes, 8);
        memcpy(tail, bytes + count - 8, 8);
    }
    else if (count >= 4) {
        memcpy(head, bytes, 4);
        memcpy(tail, bytes + count - 4, 4);
    }
    else {
        memcpy(head, bytes, 2);
        *tail = bytes[count - 1];
    }
}

INLINE memo_slot *
memo_find_slot(csv_memo *memo, uint64_t head, uint64_t tail, size_t count)
{
    uint64_t hash = (head ^ (tail << 1 | tail >> 63) ^ count) * UINT64_C(0x9E3779B97F4A7C15);
    return &memo->slots[hash >> (64 - MEMO_BITS)];
}

INLINE bool
memo_holds(const memo_slot *slot, uint64_t head, uint64_t tail, const uint8_t *bytes,
           size_t count)
{
    return slot->head == head && slot->tail == tail && slot->text != NULL &&
           (size_t)PyUnicode_GET_LENGTH(slot->text) == count &&
           (count <= 16 || memcmp(PyUnicode_1BYTE_DATA(slot->text), bytes, count) == 0);
}

/* Get an ASCII text of 2 bytes or more from the memo.  If it is not there, call `make`, which
   gets `model`. */
INLINE PyObject *
csv_memo_text(csv_memo *memo, PyObject *model, uint32_t column, const uint8_t *bytes,
              size_t count,
              PyObject *(*make)(PyObject *model, const uint8_t *bytes, size_t count))
{
    if (memo == NULL) {
        return make(model, bytes, count);
    }
    int16_t *score = &memo->scores[column % MEMO_COLUMNS];
    if (*score < 0 || count > MEMO_LONGEST) {
        *score += *score < 0;
        return make(model, bytes, count);
    }
    uint64_t head, tail;
    memo_key(bytes, count, &head, &tail);
    memo_slot *slot = memo_find_slot(memo, head, tail, count);
    if (memo_holds(slot, head, tail, bytes, count)) {
        *score += *score < 256;
        return Py_NewRef(slot->text);
    }
    PyObject *text = make(model, bytes, count);
    if (text != NULL) {
        slot->head = head;
        slot->tail = tail;
        Py_XSETREF(slot->text, Py_NewRef(text));
        *score = *score == 0 ? -MEMO_PAUSE : *score - 1;
    }
    return text;
}

#endif
