/* Where a reader stands, and resuming from there. */
#ifndef GENERATORS_CSV_PARSE_CHECKPOINT_H
#define GENERATORS_CSV_PARSE_CHECKPOINT_H

#include "csv/parse/parser.h"
#include "source/source.h"

/* What tells that a file is still the same; -1 for what is not known. */
typedef struct {
    int64_t base; /* where reading began; -1 where the file can't be sought */
    int64_t size;
    int64_t mtime; /* in nanoseconds */
} csv_origin;

/* Where a reader stands: before a record. */
typedef struct {
    uint64_t byte; /* from base on */
    uint64_t record_count;
    uint64_t line_count;
    uint64_t row_count;
    uint64_t error_count;
    bool carriage; /* a '\n' would belong to the line before */
} csv_mark;

/* 0, or -1 with an exception that is none of the file. */
int csv_origin_read(csv_origin *self, generators_state *state, const csv_source *source);

/* Before the next record, or before one that was taken (`line_count`: after it).  The
   counts of rows and errors are for the face to set. */
void csv_mark_next(csv_mark *self, const csv_parser *parser);
void csv_mark_record(csv_mark *self, const csv_parser *parser, const fields_record *record,
                     uint64_t line_count);

/* A new dict; io.UnsupportedOperation where there can be none. */
PyObject *csv_checkpoint_new(generators_state *state, const csv_origin *origin,
                             const csv_parser *parser, const csv_mark *mark, PyObject *header,
                             uint32_t width);

/* Bring a source just opened, and its parser, to the place of `start`.  *header is owned
   by the caller, whatever comes.  0 or -1. */
int csv_checkpoint_go_on(PyObject *start, generators_state *state, csv_source *source,
                         csv_parser *parser, csv_origin *origin, csv_mark *mark,
                         PyObject **header, uint32_t *width);

#endif
