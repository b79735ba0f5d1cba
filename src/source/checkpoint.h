/* What the checkpoints of all readers share: reading the dict, and the file that it is of. */
#ifndef GENERATORS_SOURCE_CHECKPOINT_H
#define GENERATORS_SOURCE_CHECKPOINT_H

#include "source/file.h"

/* Read a number of the mapping `start`, or one that must not be negative.  0, or -1 with an
   exception set, for checkpoint_malformed(). */
int checkpoint_number(PyObject *start, const char *key, int64_t *number);
int checkpoint_counter(PyObject *start, const char *key, int64_t *number);

/* Raise ValueError in place of a LookupError, TypeError or OverflowError, or if no exception
   is set; any other exception stays.  -1. */
int checkpoint_malformed(void);

/* Compare `key` with what this reader would write, which is stolen and may be NULL with an
   exception set.  0, or -1 with ValueError: "the checkpoint is of another `what`". */
int checkpoint_compare(PyObject *start, const char *key, PyObject *mine, const char *what);

/* Check that the file is the one of the checkpoint, and has not changed.  0 or -1. */
int checkpoint_check_file(PyObject *start, const file_origin *origin);

/* Raise io.UnsupportedOperation with a message that says what a checkpoint needs. */
void checkpoint_refuse(generators_state *state, const char *message);

#endif
