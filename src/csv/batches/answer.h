/* Values that only Python can decide: see answer.c. */
#ifndef GENERATORS_CSV_BATCHES_ANSWER_H
#define GENERATORS_CSV_BATCHES_ANSWER_H

#include "core/columns_answer.h"
#include "csv/batches/plan.h"

/* Answer a question about a value of a record.  0; or -1 with an exception set, which is a
   fault of the data if it is a ValueError. */
int csv_batch_answer(const csv_batch_plan *plan, columns *builder,
                     const columns_question *question, const csv_parser *parser,
                     generators_state *state, const fields_record *record);

#endif
