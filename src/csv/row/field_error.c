/* CSVError for fields that can't be converted.
 *
 * User code runs in __str__() of the exceptions that converters raise.
 */
#include "csv/row/field_error.h"

#include "csv/parse/fault.h"
#include "csv/row/convert.h"
#include "runtime/raising.h"

/* What is wrong with a field: column, text and message. */
typedef struct {
    PyObject *column; /* owned */
    PyObject *text;   /* owned */
    PyObject *tuple;  /* owned: of the two and the message */
} field_problem;

static void
problem_free(field_problem *self)
{
    Py_XDECREF(self->column);
    Py_XDECREF(self->text);
    Py_XDECREF(self->tuple);
}

/* 0 or -1; the problem must be freed in either case. */
static int
problem_make(field_problem *self, PyObject *cause, const csv_parser *parser,
             generators_state *state, const fields_record *record, Py_ssize_t index,
             PyObject *name)
{
    *self = (field_problem){NULL};
    self->column = name != NULL ? Py_NewRef(name) : PyLong_FromSsize_t(index);
    if (self->column != NULL) {
        self->text = csv_field_text(parser, state, record, (uint32_t)index);
    }
    PyObject *message = self->text == NULL ? NULL : PyObject_Str(cause);
    if (message != NULL) {
        self->tuple = PyTuple_Pack(3, self->column, self->text, message);
        Py_DECREF(message);
    }
    return self->tuple == NULL ? -1 : 0;
}

void
csv_raise_field(csv_parser *parser, generators_state *state, const fields_record *record,
                Py_ssize_t index, PyObject *name)
{
    PyObject *cause = PyErr_GetRaisedException();
    field_problem problem;
    int status = problem_make(&problem, cause, parser, state, record, index, name);
    PyObject *problems = status < 0 ? NULL : PyTuple_Pack(1, problem.tuple);
    if (problems == NULL) {
        raising_chain(cause); /* the context of what was raised instead */
    }
    else {
        PyErr_SetRaisedException(cause);
        csv_parser_raise_at(parser, state, record,
                            fields_start(&parser->machine, record, (uint32_t)index),
                            problem.column, problem.text, problems);
        Py_DECREF(problems);
    }
    problem_free(&problem);
}

int
csv_add_problem(PyObject *error, const csv_parser *parser, generators_state *state,
                const fields_record *record, Py_ssize_t index, PyObject *name)
{
    PyObject *cause = PyErr_GetRaisedException();
    field_problem problem;
    int status = problem_make(&problem, cause, parser, state, record, index, name);
    PyObject *before = status < 0 ? NULL : PyObject_GetAttrString(error, "problems");
    PyObject *one = before == NULL ? NULL : PyTuple_Pack(1, problem.tuple);
    PyObject *problems = one == NULL ? NULL : PySequence_Concat(before, one);
    status = problems == NULL ? -1 : PyObject_SetAttrString(error, "problems", problems);
    Py_XDECREF(before);
    Py_XDECREF(one);
    Py_XDECREF(problems);
    problem_free(&problem);
    if (status < 0) {
        raising_chain(cause);
        return -1;
    }
    Py_DECREF(cause);
    return 0;
}
