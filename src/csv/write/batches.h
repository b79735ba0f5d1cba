/* Arrow batches in, chunks of CSV text out: see batches.c. */
#ifndef GENERATORS_CSV_WRITE_BATCHES_H
#define GENERATORS_CSV_WRITE_BATCHES_H

#include "csv/write/line_feed.h"

/* Take the batches that an object offers, as the only source.  csv_batches_feed() feeds them.
   0 or -1. */
int csv_batches_open(csv_lines *self, PyObject *source);

/* The batches could not be opened: the source has rows instead. */
void csv_batches_forget(csv_lines *self);

/* Take the batches of an item of the source: 1 if it offers some, 0 if it is a row, or -1. */
int csv_batches_take(csv_lines *self, PyObject *item);

/* Feed more of the batches in hand, while no chunk is ready: 1, 0 if there is no more, or -1.
 */
int csv_batches_feed(csv_lines *self);

#endif
