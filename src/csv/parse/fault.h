/* Faults of the data as CSVError, and the recovery from them. */
#ifndef GENERATORS_CSV_PARSE_FAULT_H
#define GENERATORS_CSV_PARSE_FAULT_H

#include "core/buffer.h"
#include "csv/parse/parser.h"

/* ---- raising ---- */

/* The message for a fault in the structure, in the words of the standard module: a new str. */
PyObject *csv_parser_fault(const csv_parser *self);

/* Raise the fault that csv_parser_failed() reports. */
void csv_parser_raise(csv_parser *self, generators_state *state);

/* Raise CSVError for the unit at `pos` of a record that was taken, or for the whole record.
   The exception that is set becomes its cause.  For `column`, `text` and
   `problems` see data_place.  A
   MemoryError is not replaced. */
void csv_parser_raise_at(csv_parser *self, generators_state *state,
                         const fields_record *record, uint32_t pos, PyObject *column,
                         PyObject *text, PyObject *problems);
void csv_parser_raise_record(csv_parser *self, generators_state *state,
                             const fields_record *record);

/* Raise CSVError for a record whose number of fields is not that of the names. */
void csv_parser_raise_ragged(const csv_parser *self, generators_state *state,
                             const fields_record *record, Py_ssize_t expected);

/* ---- recovery ---- */

/* The source text of a record that is skipped: whole, but for a record over max_record. */
typedef struct {
    buffer units;
    size_t limit;    /* how much of it is kept, in units */
    bool cut;        /* there was more */
    PyObject *bytes; /* owned: exact bytes, which came before the units; or NULL */
} csv_raw;

/* Begin a text, of which nothing is kept if it is not `wanted`. */
void csv_raw_begin(csv_raw *raw, const csv_parser *self, bool wanted);

/* Skip the record of the fault that was raised.  1 if records can be taken again, 0 if more
   must be fed first, or -1. */
int csv_parser_recover(csv_parser *self, generators_state *state, csv_raw *raw);

/* Get the text of a record that was taken.  1, or 0 if its last unit is a '\r' and the '\n'
   that may follow is not fed yet, or -1. */
int csv_raw_record(csv_raw *raw, const csv_parser *self, const fields_record *record);

/* More was fed: get that '\n'.  Returns as csv_raw_record() does. */
int csv_raw_newline(csv_raw *raw, const csv_parser *self);

/* The text as bytes if the source gives bytes, or else as str: a new reference, or NULL. */
PyObject *csv_raw_value(csv_raw *raw, const csv_parser *self);
void csv_raw_free(csv_raw *raw);

#endif
