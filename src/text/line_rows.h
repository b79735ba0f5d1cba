/* Lines in, items out: the machine of `lines` and `jsonl_rows`, and of their async faces.
 *
 * It never asks for data.  When it needs more, line_rows_next() returns LINE_ROWS_MORE.  The
 * front end then feeds the reader, waiting as it likes, and calls again.
 */
#ifndef GENERATORS_TEXT_LINE_ROWS_H
#define GENERATORS_TEXT_LINE_ROWS_H

#include "text/line_reader.h"

typedef enum {
    LINE_ROWS_ITEM,  /* the item is there */
    LINE_ROWS_MORE,  /* the reader must be fed, or finished, first */
    LINE_ROWS_OVER,  /* there are no more */
    LINE_ROWS_ERROR, /* an exception is set */
} line_rows_step;

/* A position before a line. */
typedef struct {
    uint64_t byte; /* from the `base` of file_origin */
    uint64_t line_count;
    uint64_t row_count;
    uint64_t error_count;
    bool after_carriage; /* a LF here belongs to the line before */
} line_mark;

typedef struct {
    line_reader reader;
    generators_state *state; /* borrowed from the module of the front end */
    PyObject *loads;         /* owned: called with each line; NULL: lines are the items */
    PyObject *on_error;      /* owned: a callable; None to skip; NULL to raise */
    bool is_json;            /* there is `loads`, or was: it stays when `loads` is released */
    bool refuses_blank;      /* blank lines are errors */
    bool marked;             /* `mark` is set; otherwise the mark is the machine's position */
    line_mark mark;          /* where another reader resumes */
    line_mark first;         /* where another reader resumes before the first item */
    uint64_t row_count;
    uint64_t error_count;
} line_rows;

/* Make the next item. */
line_rows_step line_rows_next(line_rows *self, PyObject **item);

/* Where another reader resumes.  `primed`: the first item was made but not delivered yet. */
line_mark line_rows_mark(const line_rows *self, bool primed);

/* Continue at a position, before anything is fed. */
void line_rows_resume(line_rows *self, const line_mark *mark);

/* Release all but the counters, the mark and what identifies the format; and release all. */
void line_rows_release(line_rows *self);
void line_rows_clear(line_rows *self);
int line_rows_traverse(line_rows *self, visitproc visit, void *arg);

#endif
