/* The CSV machine from every state at once, over a range of bytes that may start anywhere.
 *
 * A worker that is given bytes from the middle of a file does not know whether they begin
 * inside a quoted field.  This machine follows every state that a reader could be in there.
 * For each of them it tells the state at the end of the range, where the first record starts
 * in it, and how many lines and records were passed.  Two states that become the same are
 * followed as one from there on, which happens within a few fields, so that a range costs
 * little more than one scan.
 *
 * A range that was read is a table from the state before it to a split_span.  Spans of
 * consecutive ranges are put together with split_join().
 *
 * The rules are those of fields.h, FIELDS_STREAM: the steps of the exact machine are read off
 * that machine itself when a split is initialized, and groups of 64 bytes are proved regular
 * from the same masks.  There is one more state: after a fault, a reader that skips bad
 * records goes on at the next physical line.  Strict errors are followed so.  Limits and bytes
 * that are not text of the encoding are not: `unreadable`, and the bounds of a span, tell
 * where they are possible.  Whoever plans then has that range read exactly.
 *
 * A record starts where its first byte is: a range that ends behind the last byte of a record
 * does not hold the start of the next one.  The '\n' of "\r\n" belongs to the line before.
 *
 * It does no I/O and allocates only in split_init().  The range is fed from the front, in
 * pieces of any size, of which no pointer is kept: see split_feed.h.  Positions are those in
 * the whole file.
 */
#ifndef GENERATORS_CORE_SPLIT_H
#define GENERATORS_CORE_SPLIT_H

#include "core/split_types.h"

/* Limits of `dialect` do not count.  False if there is no memory. */
bool split_init(split *self, const fields_dialect *dialect, const scan_kernel *kernel,
                split_encoding encoding, const bool *bad_bytes);

/* Begin a range at `start`, before which the `count` bytes `before` stand: 3 of them, or as
   many as there are.  With none, the only state is SPLIT_RECORD.  `only`: follow that state
   alone; SPLIT_STATES to follow all that are possible. */
void split_begin(split *self, uint64_t start, const uint8_t *before, size_t count,
                 split_state only);

/* Let lanes that are in the same state go on as one. */
void split_merge(split *self);

/* Get what a reader passed that was in that state at the start.  False if it could not be. */
bool split_result(const split *self, split_state state, split_span *span);

/* Put two consecutive spans together: `b` begins in the state in which `a` ends. */
split_span split_join(const split_span *a, const split_span *b);

#endif
