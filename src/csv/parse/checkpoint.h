/* Checkpoints: the position of a reader, and resuming from it. */
#ifndef GENERATORS_CSV_PARSE_CHECKPOINT_H
#define GENERATORS_CSV_PARSE_CHECKPOINT_H

#include "csv/parse/parser.h"
#include "source/checkpoint.h"
#include "source/data_source.h"

/* A position before a record. */
typedef struct {
    uint64_t byte; /* from the `base` of file_origin */
    uint64_t record_count;
    uint64_t line_count;
    uint64_t row_count;
    uint64_t error_count;
    bool carriage; /* a '\n' here would belong to the line before */
    bool torn;     /* the file ended here, within the record before */
} csv_mark;

/* Set the mark before the next record, or before a record that was taken.  `line_count` is the
   count after that record.  The caller sets the counts of rows and errors. */
void csv_mark_next(csv_mark *self, const csv_parser *parser);
/* The same before the record of the parser's fault, behind the records that are listed. */
void csv_mark_fault(csv_mark *self, const csv_parser *parser);
void csv_mark_record(csv_mark *self, const csv_parser *parser, const fields_record *record,
                     uint64_t line_count);

/* Make a dict, or return NULL with io.UnsupportedOperation if there can be no checkpoint. */
PyObject *csv_checkpoint_new(generators_state *state, const file_origin *origin,
                             const csv_parser *parser, const csv_mark *mark, PyObject *header,
                             uint32_t width);

/* Let a source that was just opened, and its parser, continue at the checkpoint `start`.
 * *header must be NULL; the caller owns what is set there, even on failure.  0 or -1.
 */
int csv_checkpoint_resume(PyObject *start, checkpoint_changed changed, generators_state *state,
                          data_source *source, csv_parser *parser, file_origin *origin,
                          csv_mark *mark, PyObject **header, uint32_t *width);

/* The checksum of a part, which it must have under "check": a new int.  NULL with KeyError if
   the part lacks something. */
PyObject *csv_part_check(PyObject *part);

#endif
