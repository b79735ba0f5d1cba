/* Faults of the data, as CSVError, and recovery from them. */
#ifndef GENERATORS_CSV_PARSE_FAULT_H
#define GENERATORS_CSV_PARSE_FAULT_H

#include "core/buffer.h"
#include "csv/parse/parser.h"

/* What the fault in the structure is, in the words of the standard module. */
PyObject *csv_parser_fault(const csv_parser *self);

#define CSV_RAW_LIMIT 65536 /* of a record's raw text, in bytes or characters */

/* The source text of a record that is given up. */
typedef struct {
    buffer units;
    PyObject *bytes; /* owned: what came before the units, where it is no text, or NULL */
} csv_raw;

/* Get over the fault that was raised: 1 when records can be read again, 0 when more must be
   fed first, or -1. */
int csv_parser_recover(csv_parser *self, generators_state *state, csv_raw *raw);

/* The text of a record taken: 1, 0 when its last unit, a '\r', may have a '\n' that is
   not fed yet, or -1. */
int csv_raw_record(csv_raw *raw, const csv_parser *self, const fields_record *record);

/* More was fed: take that '\n'.  1, 0 or -1 again. */
int csv_raw_newline(csv_raw *raw, const csv_parser *self);

/* As bytes for a source of bytes, else str: a new reference or NULL. */
PyObject *csv_raw_value(csv_raw *raw, const csv_parser *self);
void csv_raw_free(csv_raw *raw);

/* Raise the fault that csv_parser_failed() tells of. */
void csv_parser_raise(csv_parser *self, generators_state *state);

/* Raise CSVError for field `index` of a record taken, by its name if it has one, or for
   the record as a whole, with the exception being raised as its cause. */
void csv_parser_raise_field(csv_parser *self, generators_state *state,
                            const fields_record *record, Py_ssize_t index, PyObject *name);
void csv_parser_raise_record(csv_parser *self, generators_state *state,
                             const fields_record *record);

/* Raise CSVError for a record that has not as many fields as there are names. */
void csv_parser_raise_ragged(const csv_parser *self, generators_state *state,
                             const fields_record *record, Py_ssize_t expected);

#endif
