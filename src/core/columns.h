/* The column machine: records' spans (core/fields.h) -> Arrow buffers.
 *
 * It lays out the records of one block after the other, column by column, into the buffers of
 * one batch.  It makes no object and touches no interpreter.  It keeps no pointer to a block
 * between calls, except that the questions below name records by their index.
 *
 * A text is exactly what fields_content() writes, in UTF-8.  A value is what core/number.h
 * says.  Where that is not sure, or a value does not fit, the machine lays out a placeholder
 * and asks a question.  The owner answers on a thread of the interpreter, in the order of
 * records and, within a record, of columns:
 *
 *     switch (columns_append(&self, &records, &at, rows)) {
 *     case COLUMNS_ASKS:
 *         while ((question = columns_next_question(&self)) != NULL) {
 *             ... columns_answer_*(&self, question, value)
 *             ... or columns_drop(&self, question): the record gives no row
 *             ... or columns_cut(&self, question): the records before it make the batch
 *         }
 *         columns_settle(&self);     not after columns_cut()
 *         ...
 *     case COLUMNS_FINE:  `at` records are laid out.  If self.rows == rows or the source is
 *                         over, columns_finish() gives the batch; else go on, or feed more
 *     case COLUMNS_FULL:  the same, but the batch ends here: columns_finish(), then go on
 *     }
 *
 * A record with a fault in the number of its fields is left out at once, and is a question
 * only so that the owner can report it, in order.  Rows that the owner drops are taken out of
 * all columns together in columns_settle(), in linear time.  The rows of a batch, and where it
 * ends, do not depend on how the records are cut into blocks.
 *
 * A builder belongs to one thread at a time.  Several builders may share a layout.
 *
 * States: building; asking, from COLUMNS_ASKS to columns_settle() or columns_cut(), in which
 * only columns_next_question(), the answers, these two and columns_free() may be called.
 *
 * The functions are in four headers: this one; columns_answer.h (answers, dropping, settling);
 * columns_batch.h (finished batches); columns_join.h (builders of blocks made by threads, put
 * together).
 */
#ifndef GENERATORS_CORE_COLUMNS_H
#define GENERATORS_CORE_COLUMNS_H

#include "core/columns_answer.h"
#include "core/columns_batch.h"
#include "core/columns_types.h"

/* False if there is no memory; the builder may be freed then too, like one that is all
   zero. */
bool columns_init(columns *self, const columns_layout *layout, columns_allocator allocate);
void columns_free(columns *self);

/* Forget all rows, and keep the memory. */
void columns_clear(columns *self);

/* Lay out records from *at on, until all are, or the batch has `rows` rows, which must be more
   than it has now.  *at becomes the index of the first record that is not laid out.  If
   neither end was reached with COLUMNS_FINE, call again. COLUMNS_FULL: the batch has at least
   one row, and record *at does not fit. */
columns_status columns_append(columns *self, const columns_records *records, size_t *at,
                              int64_t rows);

/* Move the rows laid out so far into a batch, and begin another.  False if there is no memory;
   nothing is lost then. */
bool columns_finish(columns *self, columns_batch *batch);

#endif
