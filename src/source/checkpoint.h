/* What the checkpoints of all readers share: reading the dict, and the file that it is of. */
#ifndef GENERATORS_SOURCE_CHECKPOINT_H
#define GENERATORS_SOURCE_CHECKPOINT_H

#include "source/data_source.h"

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

/* How a file may differ from the one of the checkpoint. */
typedef enum {
    CHECKPOINT_REFUSE, /* not at all */
    CHECKPOINT_APPEND, /* it may have grown */
} checkpoint_changed;

/* Read `changed`, which may be NULL.  0 or -1. */
int checkpoint_read_changed(PyObject *value, checkpoint_changed *changed);

/* Check that the file is the one of the checkpoint, and has changed no more than it may.  1 if
   it has changed, 0 if not, or -1. */
int checkpoint_check_file(PyObject *start, const file_origin *origin,
                          checkpoint_changed changed);

/* Check that one of the bytes `ends` stands before `offset`, from `base` on, in a file that
   has grown.  Otherwise what stood there at its end has grown too, or the file is another one.
   The position of the file changes.  0 or -1. */
int checkpoint_check_end(PyObject *file, int64_t base, int64_t offset, const void *ends,
                         size_t count);

/* Raise io.UnsupportedOperation for a compressed source.  0 for another one, or -1. */
int checkpoint_check_source(generators_state *state, const data_source *source);

/* Raise io.UnsupportedOperation with a message that says what a checkpoint needs. */
void checkpoint_refuse(generators_state *state, const char *message);

#endif
