#include "csv/schema/result.h"

/* A text of the machine; None if there is none. */
static PyObject *
make_text(const uint8_t *bytes, size_t length)
{
    if (bytes == NULL) {
        Py_RETURN_NONE;
    }
    return PyUnicode_DecodeUTF8((const char *)bytes, (Py_ssize_t)length, "replace");
}

static PyObject *
make_range(bool alive, const schema_range *range)
{
    if (!alive || !range->any) {
        Py_RETURN_NONE;
    }
    return Py_BuildValue("(LL)", (long long)range->least, (long long)range->greatest);
}

/* A tuple of the first value that is not of each type, or None. */
static PyObject *
make_samples(const schema_column *column)
{
    PyObject *samples = PyTuple_New(SCHEMA_TYPES);
    for (int type = 0; samples != NULL && type < SCHEMA_TYPES; type++) {
        const schema_sample *sample = &column->against[type];
        PyObject *item;
        if (column->alive & SCHEMA_BIT(type)) {
            item = Py_NewRef(Py_None);
        }
        else {
            item = Py_BuildValue("(KN)", (unsigned long long)sample->record,
                                 make_text(sample->text, sample->length));
        }
        if (item == NULL) {
            Py_CLEAR(samples);
            break;
        }
        PyTuple_SET_ITEM(samples, type, item);
    }
    return samples;
}

/* A list of the values and how often each is; None if there are too many. */
static PyObject *
make_distinct(const schema_distinct *distinct)
{
    if (distinct->over) {
        Py_RETURN_NONE;
    }
    const schema_entry *entries = (const schema_entry *)distinct->entries.data;
    PyObject *list = PyList_New(distinct->count);
    for (uint32_t i = 0; list != NULL && i < distinct->count; i++) {
        PyObject *item = Py_BuildValue(
            "(NK)", make_text(distinct->bytes.data + entries[i].start, entries[i].length),
            (unsigned long long)entries[i].count);
        if (item == NULL) {
            Py_CLEAR(list);
            break;
        }
        PyList_SET_ITEM(list, i, item);
    }
    return list;
}

static PyObject *
make_numbers(const schema_column *column)
{
    const schema_number *n = &column->number;
    if (!(column->alive & SCHEMA_NUMBERS)) {
        Py_RETURN_NONE;
    }
    return Py_BuildValue("{s:N,s:N,s:I,s:I,s:K,s:K,s:K}", "least",
                         make_text(n->least.bytes, n->least.length), "greatest",
                         make_text(n->greatest.bytes, n->greatest.length), "whole",
                         (unsigned)n->most_whole, "scale", (unsigned)n->most_scale, "asked",
                         (unsigned long long)n->marked[SCHEMA_ASKED], "not_finite",
                         (unsigned long long)n->marked[SCHEMA_NOT_FINITE], "leading_zero",
                         (unsigned long long)n->marked[SCHEMA_LEADING_ZERO]);
}

static PyObject *
make_column(const schema_column *c)
{
    const bool any = c->shortest <= c->longest;
    return Py_BuildValue(
        "{s:I,s:I,s:K,s:K,s:K,s:K,s:n,s:n,s:n,s:N,s:N,s:N,s:N,s:N,s:N,s:O,s:N,s:N}", "alive",
        (unsigned)c->alive, "truths", (unsigned)c->truths, "values",
        (unsigned long long)c->values, "empty", (unsigned long long)c->empty, "spelled",
        (unsigned long long)c->spelled, "missing", (unsigned long long)c->missing, "shortest",
        any ? (Py_ssize_t)c->shortest : 0, "longest", any ? (Py_ssize_t)c->longest : 0,
        "most_bytes", (Py_ssize_t)c->most_bytes, "least",
        make_text(c->least.bytes, c->least.length), "greatest",
        make_text(c->greatest.bytes, c->greatest.length), "numbers", make_numbers(c), "dates",
        make_range(c->alive & SCHEMA_BIT(SCHEMA_DATE), &c->dates), "times",
        make_range(c->alive & SCHEMA_BIT(SCHEMA_TIME), &c->times), "moments",
        make_range(c->alive & SCHEMA_BIT(SCHEMA_DATETIME), &c->moments), "zoned",
        c->zoned ? Py_True : Py_False, "distinct", make_distinct(&c->distinct), "against",
        make_samples(c));
}

PyObject *
csv_survey_result(const csv_survey *self)
{
    const schema *machine = &self->machine;
    const csv_records *records = &self->reading.records;
    PyObject *list = PyList_New(self->layout.count);
    for (uint32_t j = 0; list != NULL && j < self->layout.count; j++) {
        PyObject *column = make_column(&machine->columns[j]);
        if (column == NULL) {
            Py_CLEAR(list);
            break;
        }
        PyList_SET_ITEM(list, j, column);
    }
    if (list == NULL) {
        return NULL;
    }
    return Py_BuildValue("{s:N,s:O,s:K,s:K,s:K,s:K,s:K,s:K,s:K}", "columns", list, "header",
                         records->header != NULL ? records->header : Py_None, "rows",
                         (unsigned long long)machine->records, "blank",
                         (unsigned long long)machine->blank, "short",
                         (unsigned long long)machine->too_short, "long",
                         (unsigned long long)machine->too_long, "first_short",
                         (unsigned long long)machine->first_short, "first_long",
                         (unsigned long long)machine->first_long, "errors",
                         (unsigned long long)records->error_count);
}
