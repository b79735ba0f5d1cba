/* Faults of the data, as CSVError, and the recovery from them. */
#ifndef GENERATORS_CSV_PARSE_FAULT_H
#define GENERATORS_CSV_PARSE_FAULT_H

#include "core/buffer.h"
#include "csv/parse/parser.h"

/* ---- raising ---- */

/* What the fault in the structure is, in the words of the standard module: a new str. */
PyObject *csv_parser_fault(const csv_parser *self);

/* Raise the fault that csv_parser_failed() tells of. */
void csv_parser_raise(csv_parser *self, generators_state *state);

/* Raise CSVError for the unit at `pos` of a record that was taken, or for all of the record,
   with the exception that is set as its cause.  `column` and `text`: see csv_place.  A
   MemoryError stays as it is. */
void csv_parser_raise_at(csv_parser *self, generators_state *state,
                         const fields_record *record, uint32_t pos, PyObject *column,
                         PyObject *text);
void csv_parser_raise_record(csv_parser *self, generators_state *state,
                             const fields_record *record);

/* Raise CSVError for a record that has not as many fields as there are names. */
void csv_parser_raise_ragged(const csv_parser *self, generators_state *state,
                             const fields_record *record, Py_ssize_t expected);

/* ---- recovery ---- */

#define CSV_RAW_LIMIT 65536 /* of a record's source text, in bytes or characters */

/* The source text of a record that is skipped. */
typedef struct {
    buffer units;
    PyObject *bytes; /* owned: exact bytes, which came before the units; or NULL */
} csv_raw;

/* Skip the record of the fault that was raised: 1 when records can be taken again, 0 when more
   must be fed first, or -1. */
int csv_parser_recover(csv_parser *self, generators_state *state, csv_raw *raw);

/* Get the text of a record that was taken: 1; 0 if its last unit is a '\r' that may be
   followed by a '\n', which is not fed yet; or -1. */
int csv_raw_record(csv_raw *raw, const csv_parser *self, const fields_record *record);

/* More was fed: get that '\n'.  1, 0 or -1 again. */
int csv_raw_newline(csv_raw *raw, const csv_parser *self);

/* As bytes if the source is of bytes, else as str: a new reference, or NULL. */
PyObject *csv_raw_value(csv_raw *raw, const csv_parser *self);
void csv_raw_free(csv_raw *raw);

#endif
