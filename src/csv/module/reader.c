/* reader: csv.reader of the standard module, for generators.csv.
 *
 * It has the protocol of csv.reader, not that of a stream.  A call takes the lines of one
 * record from the source, and no line ahead.  It may be called again after an error and after
 * the end of the source.  It has no close() and never closes its source.
 *
 * States: between calls it holds no part of a record, except after a failed call; the next
 * call discards that part.  During a call it is either pulling (the code of the source runs,
 * and may ask this reader for a record) or parsing.
 *
 * It owns the source's iterator, for life.  A line is dropped before the call returns, as in
 * csv.reader.
 *
 * Threads: a call takes the object's critical section.  User code suspends it, and may read a
 * record itself: the code of the source during a pull, and the code of a line (of a subclass
 * of str) when it is dropped.  `delivered` shows that this happened.  The record in progress
 * is then gone, and the call fails, as csv's does from 3.15 on (gh-145105).  While the reader
 * is parsing, every other call is refused.
 */
#include "csv/module/reader.h"

#include "csv/parse/dialect.h"
#include "csv/parse/fault.h"
#include "csv/parse/feed.h"
#include "csv/parse/parser.h"
#include "csv/row/convert.h"
#include "runtime/attributes.h"
#include "runtime/raising.h"

#define LIMIT_LINES 32
#define LIMIT_SHORT 1024 /* characters */

typedef struct {
    PyObject_HEAD
    PyObject *source;  /* owned: an iterator */
    PyObject *dialect; /* owned: the standard module's object */
    csv_parser parser;
    uint64_t delivered;  /* rows */
    long field_limit;    /* csv.field_size_limit(), when it was last read */
    int lines_to_limit;  /* how many short lines are parsed before the limit is read again */
    bool checks_numbers; /* a field is converted as soon as it ends */
    bool parsing;        /* the parser must not be used */
} csv_reader;

/* ---- errors ---- */

static void
refuse_overlap(generators_state *state)
{
    PyErr_SetString(state->csv_base_error, "iterator has already advanced the reader");
}

static void
raise_fault(csv_reader *self, generators_state *state)
{
    if (self->parser.machine.error == FIELDS_FIELD_LIMIT) {
        PyErr_Format(state->csv_base_error, "field larger than field limit (%ld)",
                     self->field_limit);
        return;
    }
    PyObject *message = csv_parser_fault(&self->parser);
    if (message != NULL) {
        PyErr_SetObject(state->csv_base_error, message);
        Py_DECREF(message);
    }
}

/* ---- one line ---- */

/* Set the machine's limit to csv.field_size_limit().  0 or -1. */
static int
read_field_limit(csv_reader *self, generators_state *state)
{
    PyObject *value = PyObject_CallNoArgs(state->csv_field_size_limit);
    long limit = value == NULL ? -1 : PyLong_AsLong(value);
    Py_XDECREF(value);
    if (limit == -1 && PyErr_Occurred()) {
        return -1;
    }
    self->lines_to_limit = LIMIT_LINES;
    if (limit != self->field_limit) {
        int width;
        const void *units = csv_parser_units(&self->parser, &width);
        self->field_limit = limit;
        fields_set_max_field(&self->parser.machine, units, width,
                             limit < 0 ? 0 : (size_t)limit);
    }
    return 0;
}

/* Whether csv.field_size_limit() must be read for this line.  Reading it takes a tenth of the
   time of a short line, so for short lines that start a record it is read only now and then.
   A raised limit takes effect at once.  A limit that was lowered below the length of a short
   line takes effect within LIMIT_LINES lines. */
static bool
must_read_limit(csv_reader *self, PyObject *line)
{
    Py_ssize_t length = PyUnicode_GET_LENGTH(line);
    return --self->lines_to_limit <= 0 || length > LIMIT_SHORT || length > self->field_limit ||
           self->parser.machine.state != START_RECORD;
}

/* Get the next line of the source: 1, 0 at the end, or -1.  `delivered` is its value when the
   call began: code of the source, or of a line that was dropped, may have read a record. */
static int
pull_line(csv_reader *self, generators_state *state, uint64_t delivered, PyObject **line)
{
    PyObject *source = Py_NewRef(self->source);
    *line = Py_TYPE(source)->tp_iternext(source);
    Py_DECREF(source);
    if (*line == NULL && PyErr_Occurred() && raising_forgive(PyExc_StopIteration) < 0) {
        return -1;
    }
    if (self->delivered != delivered || self->parsing) {
        Py_CLEAR(*line);
        refuse_overlap(state);
        return -1;
    }
    if (*line != NULL && !PyUnicode_Check(*line)) {
        PyErr_Format(state->csv_base_error,
                     "iterator should return strings, not %.200s "
                     "(the file should be opened in text mode)",
                     Py_TYPE(*line)->tp_name);
        Py_CLEAR(*line);
        return -1;
    }
    return *line != NULL;
}

/* Where a row goes: into `values`, or into a new list if that is NULL. */
typedef struct {
    csv_values *values;
    PyObject *list;
} destination;

static int
make_row(csv_reader *self, generators_state *state, const fields_record *record,
         destination *to)
{
    Py_ssize_t bad;
    if (to->values != NULL) {
        return csv_record_values(&self->parser, state, record, to->values, &bad);
    }
    to->list = csv_record_list(&self->parser, state, record, &bad);
    return to->list == NULL ? -1 : 0;
}

/* Parse a line, or the end of the data if it is NULL: 1 if the record is complete, 0 if it
   continues, or -1. */
static int
parse_line(csv_reader *self, generators_state *state, PyObject *line, uint32_t *checked,
           destination *to)
{
    csv_parser *parser = &self->parser;
    if (line == NULL) {
        if (csv_parser_finish(parser, state) < 0) {
            return -1;
        }
    }
    else if (PyUnicode_READY(line) < 0 ||
             (must_read_limit(self, line) && read_field_limit(self, state) < 0) ||
             csv_parser_feed_line(parser, state, line) < 0) {
        return -1;
    }
    const fields_record *record = csv_parser_next(parser);
    if (record != NULL) {
        return make_row(self, state, record, to) < 0 ? -1 : 1;
    }
    if (self->checks_numbers && csv_check_open_fields(parser, state, checked) < 0) {
        return -1;
    }
    if (csv_parser_failed(parser)) {
        raise_fault(self, state);
        return -1;
    }
    return 0;
}

/* ---- one record ---- */

/* 1 with a row, 0 at the end, or -1. */
static int
next_lock_held(csv_reader *self, generators_state *state, destination *to)
{
    const uint64_t delivered = self->delivered;
    uint32_t checked = 0;
    if (self->parsing) {
        refuse_overlap(state);
        return -1;
    }
    if (self->source == NULL) {
        return 0; /* cleared by the garbage collector */
    }
    if (csv_parser_is_open(&self->parser)) {
        csv_parser_restart(&self->parser);
    }
    for (;;) {
        PyObject *line;
        int pulled = pull_line(self, state, delivered, &line);
        if (pulled < 0) {
            return -1;
        }
        self->parsing = true;
        int done = parse_line(self, state, line, &checked, to);
        if (done < 0) {
            csv_parser_restart(&self->parser);
        }
        else {
            csv_parser_drop_line(&self->parser);
        }
        self->delivered += done > 0;
        self->parsing = false;
        Py_XDECREF(line);
        if (done != 0 || !pulled) {
            return done;
        }
    }
}

PyObject *
csv_reader_next(PyObject *op, generators_state *state)
{
    destination to = {NULL, NULL};
    Py_BEGIN_CRITICAL_SECTION(op);
    next_lock_held((csv_reader *)op, state, &to);
    Py_END_CRITICAL_SECTION();
    return to.list;
}

int
csv_reader_next_values(PyObject *op, generators_state *state, csv_values *values)
{
    destination to = {values, NULL};
    int status;
    Py_BEGIN_CRITICAL_SECTION(op);
    status = next_lock_held((csv_reader *)op, state, &to);
    Py_END_CRITICAL_SECTION();
    return status;
}

uint64_t
csv_reader_line_num(PyObject *op)
{
    uint64_t count;
    Py_BEGIN_CRITICAL_SECTION(op);
    count = ((csv_reader *)op)->parser.lines_fed;
    Py_END_CRITICAL_SECTION();
    return count;
}

static PyObject *
reader_next(PyObject *op)
{
    return csv_reader_next(op, generators_state_of(op));
}

/* ---- making one ---- */

static int
reader_init(csv_reader *self, generators_state *state, PyObject *args, PyObject *kwargs)
{
    PyObject *source, *given = NULL;
    csv_dialect dialect = {.fields = {.max_field = 0, .max_record = SIZE_MAX}};
    if (!PyArg_UnpackTuple(args, "reader", 1, 2, &source, &given)) {
        return -1;
    }
    self->source = PyObject_GetIter(source);
    if (self->source == NULL) {
        return -1;
    }
    self->dialect = csv_dialect_from_call(&dialect, state, given, kwargs);
    if (self->dialect == NULL) {
        return -1;
    }
    self->checks_numbers =
        dialect.quoting == CSV_QUOTE_NONNUMERIC || dialect.quoting == CSV_QUOTE_STRINGS;
    csv_parser_init_lines(&self->parser, state, &dialect);
    return 0;
}

static PyObject *
reader_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    csv_reader *self = (csv_reader *)type->tp_alloc(type, 0);
    if (self == NULL) {
        return NULL;
    }
    if (reader_init(self, generators_state_of((PyObject *)self), args, kwargs) < 0) {
        Py_DECREF(self);
        return NULL;
    }
    return (PyObject *)self;
}

static int
reader_traverse(PyObject *op, visitproc visit, void *arg)
{
    csv_reader *self = (csv_reader *)op;
    Py_VISIT(Py_TYPE(op));
    Py_VISIT(self->source);
    Py_VISIT(self->dialect);
    return csv_parser_traverse(&self->parser, visit, arg);
}

static int
reader_clear(PyObject *op)
{
    csv_reader *self = (csv_reader *)op;
    Py_CLEAR(self->source);
    Py_CLEAR(self->dialect);
    csv_parser_free(&self->parser);
    return 0;
}

static void
reader_dealloc(PyObject *op)
{
    PyTypeObject *type = Py_TYPE(op);
    PyObject_GC_UnTrack(op);
    reader_clear(op);
    type->tp_free(op);
    Py_DECREF(type);
}

static PyMemberDef reader_members[] = {
    {"dialect", Py_T_OBJECT_EX, offsetof(csv_reader, dialect), Py_READONLY,
     "The formatting parameters in use, as a Dialect object of the standard module."},
    {NULL},
};

static PyGetSetDef reader_attributes[] = {
    {"line_num", attributes_get_count, NULL,
     "The number of lines read from the source.  A row may span several lines.",
     (void *)offsetof(csv_reader, parser.lines_fed)},
    {NULL},
};

PyDoc_STRVAR(reader_doc,
             "reader(iterable, /, dialect='excel', **fmtparams)\n"
             "--\n\n"
             "An iterator over the rows of an iterable of lines, as lists of str: a native\n"
             "implementation of csv.reader.\n"
             "\n"
             "    with open('cities.csv', newline='') as f:\n"
             "        for row in reader(f):\n"
             "            print(row)\n"
             "\n"
             "Each step reads the lines of one row and no more, so that the rest of the\n"
             "file can be read in another way.\n"
             "\n"
             "csv.Error is raised for a line that is not a str, for a field larger than\n"
             "csv.field_size_limit() and, if `strict` is true, for an error in the quotes.\n"
             "ValueError is raised for an unquoted field under QUOTE_NONNUMERIC that is not\n"
             "a number.  After an error, the next row begins at the next line.");

static PyType_Slot reader_slots[] = {
    {Py_tp_doc, (char *)reader_doc},   {Py_tp_new, reader_new},
    {Py_tp_traverse, reader_traverse}, {Py_tp_clear, reader_clear},
    {Py_tp_dealloc, reader_dealloc},   {Py_tp_iter, PyObject_SelfIter},
    {Py_tp_iternext, reader_next},     {Py_tp_members, reader_members},
    {Py_tp_getset, reader_attributes}, {0, NULL},
};

PyType_Spec csv_reader_spec = {
    .name = "native_generators.csv.reader",
    .basicsize = sizeof(csv_reader),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = reader_slots,
};
