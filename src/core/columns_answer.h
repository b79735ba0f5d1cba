/* Questions of the column machine, and their answers: see columns.h. */
#ifndef GENERATORS_CORE_COLUMNS_ANSWER_H
#define GENERATORS_CORE_COLUMNS_ANSWER_H

#include "core/columns_types.h"
#include "core/wide.h"

/* The next question, or NULL.  Questions of records that were dropped meanwhile are left out.
   Valid until the builder is used otherwise than to answer. */
const columns_question *columns_next_question(columns *self);

/* The question that comes `ahead` places after the one that was returned last, or NULL. */
const columns_question *columns_peek_question(const columns *self, size_t ahead);

/* Answer a question of a value.  `value` must fit the kind of the column. */
void columns_answer_null(columns *self, const columns_question *question);
/* Signed integers, date32, time64, timestamp, and bool, which is 0 or 1. */
void columns_answer_int(columns *self, const columns_question *question, int64_t value);
void columns_answer_uint(columns *self, const columns_question *question, uint64_t value);
/* float64, and float32, for which it is a value that float has. */
void columns_answer_double(columns *self, const columns_question *question, double value);
/* decimal128: the value times 10^scale, in two's complement. */
void columns_answer_decimal(columns *self, const columns_question *question, wide value);
/* Texts, as UTF-8, and binary; in the order of questions.  False if there is no memory. */
bool columns_answer_bytes(columns *self, const columns_question *question,
                          const uint8_t *bytes, size_t length);

/* The record of the question gives no row. */
void columns_drop(columns *self, const columns_question *question);

/* Whether a value fits the column: integers, date32, time64, timestamp. */
bool columns_fits_int(const columns_spec *spec, int64_t value);
bool columns_fits_uint(const columns_spec *spec, uint64_t value);

/* The questions are answered: take out the dropped rows and put the texts of answers in.  A
   question that was not answered has its placeholder: 0, or an empty text.
   COLUMNS_FINE; COLUMNS_NO_MEMORY; or COLUMNS_FULL: the texts of answers made a column longer
   than max_bytes.  From the last two there is no way on but columns_free(). */
columns_status columns_settle(columns *self);

/* Take out the record of the question and all after it, and the rows that were dropped before
   it.  The questions before it must be answered.  Returns as columns_settle() does. */
columns_status columns_cut(columns *self, const columns_question *question);

#endif
