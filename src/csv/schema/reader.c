/* _CSVSchemaReader: reads a whole source for csv_schema().
 *
 * The front end of csv_survey: a stream of one item, the dict of result.h.  It takes the
 * arguments of csv_batches(), and three of its own.
 *
 * States: those of a stream.  It owns the source (and closes it if it opened it), the parser's
 * memory and the machine until the end.
 *
 * User code runs when the source is pulled, and in csv_survey.  Meanwhile `running` is set,
 * and every other call is refused.  Threads: see stream.c.
 */
#include "csv/schema/reader.h"

#include <string.h>

#include "core/schema_piece.h"
#include "csv/batches/ahead.h"
#include "csv/batches/options.h"
#include "csv/row/convert.h"
#include "csv/schema/result.h"
#include "csv/schema/survey.h"
#include "runtime/raising.h"
#include "stream/stream.h"

typedef struct {
    stream stream;
    data_source source;
    csv_survey survey;
    csv_ahead ahead;
    file_origin origin; /* of the source, for the position of errors */
    bool done;          /* the item was given */
} csv_schema_reader;

/* ---- the stream's own ---- */

/* Feed the parser.  0 or -1. */
static int
reader_pull(csv_schema_reader *self, generators_state *state)
{
    csv_survey *survey = &self->survey;
    const csv_ahead_reader reader = {
        .records = &survey->reading.records,
        .work = &schema_piece_work,
        .context = &survey->machine,
        .ready = survey->opened && survey->machine.records > 0,
        .urgent = false,
    };
    if (PyErr_CheckSignals() < 0) {
        return -1;
    }
    int status = csv_ahead_pull(&self->ahead, &reader, &self->source, &self->stream, state);
    survey->piece = self->ahead.piece;
    return status;
}

static PyObject *
reader_next(stream *base)
{
    csv_schema_reader *self = (csv_schema_reader *)base;
    generators_state *state = generators_state_of((PyObject *)self);
    if (self->done || csv_ahead_check(&self->ahead, "csv_schema") < 0) {
        return NULL;
    }
    for (;;) {
        csv_step step = csv_survey_next(&self->survey, state);
        if (step == CSV_OVER) {
            self->done = true;
            return csv_survey_result(&self->survey);
        }
        if (step != CSV_MORE || reader_pull(self, state) < 0) {
            return NULL;
        }
    }
}

static int
reader_release(stream *base)
{
    csv_schema_reader *self = (csv_schema_reader *)base;
    csv_ahead_release(&self->ahead);
    csv_survey_release(&self->survey);
    return data_source_close(&self->source);
}

static const stream_kind reader_kind = {.next = reader_next, .release = reader_release};

static int
reader_traverse(PyObject *op, visitproc visit, void *arg)
{
    csv_schema_reader *self = (csv_schema_reader *)op;
    int status = csv_survey_traverse(&self->survey, visit, arg);
    if (status == 0) {
        status = csv_ahead_traverse(&self->ahead, visit, arg);
    }
    if (status == 0) {
        status = data_source_traverse(&self->source, visit, arg);
    }
    return status != 0 ? status : stream_traverse(op, visit, arg);
}

static int
reader_clear(PyObject *op)
{
    csv_schema_reader *self = (csv_schema_reader *)op;
    csv_ahead_release(&self->ahead);
    csv_survey_clear(&self->survey);
    if (data_source_close(&self->source) < 0) {
        raising_unraisable(op);
    }
    return stream_clear(op);
}

/* ---- making one ---- */

/* Read the arguments that csv_batches() does not have.  0 or -1. */
static int
reader_read_own(csv_survey *survey, PyObject *own)
{
    PyObject *ask;
    unsigned distinct;
    const char *ragged;
    if (!PyTuple_Check(own) || !PyArg_ParseTuple(own, "OIs", &ask, &distinct, &ragged)) {
        if (!PyErr_Occurred()) {
            PyErr_SetString(PyExc_TypeError, "a tuple is needed");
        }
        return -1;
    }
    survey->layout.most_distinct = distinct;
    survey->refuses_short = strcmp(ragged, "error") == 0;
    survey->refuses_long = strcmp(ragged, "allow") != 0;
    survey->asker.ask = Py_NewRef(ask);
    return 0;
}

static int
reader_open(csv_schema_reader *self, generators_state *state, PyObject *args, PyObject *kwargs)
{
    csv_options options = {.is_async = false};
    csv_batcher *reading = &self->survey.reading;
    csv_records *records = &reading->records;
    if (csv_batch_options_read(&options, state, args, kwargs,
                               CSV_BATCH_OPTIONS ":_CSVSchemaReader", reading) < 0) {
        return -1;
    }
    records->plain_maker = csv_record_list; /* no plan: the columns are those of the source */
    if (data_source_open(&self->source, state, &self->stream, options.source, options.items,
                         csv_parser_reads_natively(&records->parser),
                         &records->parser.path) < 0 ||
        csv_options_find_origin(records, state, &self->source, &self->origin) < 0) {
        return -1;
    }
    csv_ahead_init(&self->ahead, reading->threads, &self->source);
    return 0;
}

/* The first argument is a tuple of the function that is asked, `distinct` and `ragged`. */
static PyObject *
reader_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    if (PyTuple_GET_SIZE(args) < 1) {
        PyErr_SetString(PyExc_TypeError, "_CSVSchemaReader() is called by csv_schema()");
        return NULL;
    }
    PyObject *rest = PyTuple_GetSlice(args, 1, PyTuple_GET_SIZE(args));
    csv_schema_reader *self =
        rest == NULL ? NULL : (csv_schema_reader *)type->tp_alloc(type, 0);
    if (self != NULL) {
        self->stream.kind = &reader_kind;
        if (reader_read_own(&self->survey, PyTuple_GET_ITEM(args, 0)) < 0 ||
            reader_open(self, generators_state_of((PyObject *)self), rest, kwargs) < 0) {
            Py_CLEAR(self);
        }
    }
    Py_XDECREF(rest);
    return (PyObject *)self;
}

PyDoc_STRVAR(reader_doc, "_CSVSchemaReader(own, source, /, **reading)\n--\n\n"
                         "The native half of csv_schema(): an iterator that reads the whole\n"
                         "source and gives one dict.");

static PyType_Slot reader_slots[] = {
    {Py_tp_doc, (char *)reader_doc},
    {Py_tp_new, reader_new},
    {Py_tp_traverse, reader_traverse},
    {Py_tp_clear, reader_clear},
    {0, NULL},
};

PyType_Spec csv_schema_reader_spec = {
    .name = "native_generators._native._CSVSchemaReader",
    .basicsize = sizeof(csv_schema_reader),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = reader_slots,
};
