/* What a file object tells about its file. */
#ifndef GENERATORS_SOURCE_FILE_H
#define GENERATORS_SOURCE_FILE_H

#include "state.h"

#define FILE_SIZE_UNKNOWN UINT64_MAX

/* Set *method to a method of a file object of the standard library.  If `into`, the method
   reads from a descriptor into the caller's memory and is implemented in C throughout, so that
   nothing keeps a reference to that memory.  Otherwise the method reads as much and returns
   bytes.  1; 0 with *method NULL if it is another kind of object; or -1. */
int file_plain_reader(PyObject *file, generators_state *state, bool into, PyObject **method);

/* Get how many bytes of a regular file are left to read.  FILE_SIZE_UNKNOWN for pipes and
   other files without a size.  0 or -1. */
int file_size_left(PyObject *file, uint64_t *left);

/* What identifies a file; -1 for what is unknown. */
typedef struct {
    int64_t base; /* the position where reading began; -1 if the file is not seekable */
    int64_t size;
    int64_t mtime; /* in nanoseconds */
    int64_t end;   /* of a part, from `base`: reading ends there; -1 for a whole file */
} file_origin;

/* `file` may be NULL. 0, or -1 with an exception set; it is no error if a file does not
   answer. */
int file_origin_read(file_origin *self, generators_state *state, PyObject *file);

/* Find the size by seeking, if it is not known yet.  The position is then the end.  0 or -1.
 */
int file_origin_measure(file_origin *self, PyObject *file);

#endif
