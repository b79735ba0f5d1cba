/* What csv_schema() found, as Python objects. */
#ifndef GENERATORS_CSV_SCHEMA_RESULT_H
#define GENERATORS_CSV_SCHEMA_RESULT_H

#include "csv/schema/survey.h"

/* A new dict, which _schema.py makes a CSVSchema of; or NULL. */
PyObject *csv_survey_result(const csv_survey *self);

#endif
