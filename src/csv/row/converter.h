/* The converters of native_generators.convert. */
#ifndef GENERATORS_CSV_ROW_CONVERTER_H
#define GENERATORS_CSV_ROW_CONVERTER_H

#include "core/convert.h"
#include "state.h"

bool csv_converter_check(generators_state *state, PyObject *object);

/* What a converter does; it lives as long as the converter. */
const convert_rule *csv_converter_rule(PyObject *converter);

/* Import what its values are made with, before any is made.  0 or -1. */
int csv_converter_prepare(generators_state *state, PyObject *converter);

/* The value of a text in UTF-8.  NULL if it is not one that is read here, with an exception
   set only if memory ran out.  Not of CONVERT_STRIP. */
PyObject *csv_converter_quick(generators_state *state, PyObject *converter,
                              const uint8_t *text, size_t count);

/* The value of a str: a new reference, or NULL with ValueError. */
PyObject *csv_converter_value(generators_state *state, PyObject *converter, PyObject *text);

/* Whether a str is empty or whitespace alone. */
bool csv_text_is_blank(PyObject *text);

extern PyType_Spec csv_converter_spec;

#endif
