/* amerge: the items of several async iterables, as they come.
 *
 * Each source is pulled by a reader, which holds one item at most and pulls the next one when
 * that is taken.  Readers that have something to give, an item, the end or an error, stand in
 * a list in the order in which it came, each once: one that was told to stop, or was
 * cancelled, ends while it stands there with its item, and stands there again for its end
 * once that is taken.
 *
 * States: those of an async stream, which has no one source.  At the end the readers are told
 * to stop; they are waited for, and each closes its own source.
 *
 * Owned: the crew, and the readers, which have the sources.
 */
#include "tasks/amerge.h"

#include "stream/astream.h"
#include "aio/await.h"
#include "runtime/closing.h"
#include "tasks/crew.h"

typedef struct {
    astream stream;
    crew *crew;        /* owned */
    PyObject *readers; /* owned: a tuple */
    bool until_first;
    bool started;
} amerge;

/* ---- readers ---- */

static void
put_ready(reader *self)
{
    crew *of = self->crew;
    if (self->is_ready) {
        return;
    }
    self->is_ready = true;
    Py_INCREF(self);
    if (of->last_ready == NULL) {
        of->first_ready = self;
    }
    else {
        of->last_ready->next = self;
    }
    of->last_ready = self;
}

static reader *
take_ready(crew *of)
{
    reader *one = of->first_ready;
    if (one != NULL) {
        of->first_ready = one->next;
        one->next = NULL;
        one->is_ready = false;
        if (of->first_ready == NULL) {
            of->last_ready = NULL;
        }
    }
    return one;
}

static bool
reader_wants(reader *self)
{
    return self->item == NULL;
}

static int
reader_delivers(reader *self, PyObject *item)
{
    self->item = Py_NewRef(item);
    put_ready(self);
    crew_wake(self->crew);
    return 0;
}

static void
reader_ended(reader *self)
{
    put_ready(self);
}

static const reader_kind amerge_reader = {reader_wants, reader_delivers, reader_ended};

/* ---- the stream's own ---- */

static int
start_readers(amerge *self)
{
    self->started = true;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(self->readers); i++) {
        if (reader_start((reader *)PyTuple_GET_ITEM(self->readers, i)) < 0) {
            return -1;
        }
    }
    return 0;
}

static astream_outcome
step_lock_held(amerge *self, PyObject **value)
{
    generators_state *state = generators_state_of((PyObject *)self);
    if (crew_check(self->crew, state, "amerge()") < 0) {
        return ASTREAM_REFUSE;
    }
    if (crew_open(self->crew, state, "amerge()") < 0 ||
        (!self->started && start_readers(self) < 0)) {
        return ASTREAM_ERROR;
    }
    reader *one;
    while ((one = take_ready(self->crew)) != NULL) {
        PyObject *item = one->item, *error = one->error;
        if (item != NULL) {
            one->item = NULL;
            if (one->is_ended) {
                put_ready(one);
            }
            else {
                reader_poke(one);
            }
            Py_DECREF(one);
            *value = item;
            return ASTREAM_ITEM;
        }
        one->error = NULL;
        Py_DECREF(one);
        if (error != NULL) {
            PyErr_SetRaisedException(error);
            return ASTREAM_ERROR;
        }
        if (self->until_first) {
            return ASTREAM_END;
        }
    }
    return self->crew->readers == 0 ? ASTREAM_END : crew_wait(self->crew, value);
}

static int
stop_readers(amerge *self)
{
    int status = 0;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(self->readers) && status == 0; i++) {
        status = reader_stop((reader *)PyTuple_GET_ITEM(self->readers, i));
    }
    return status;
}

/* Sources that were never begun are closed by a reader that is told so at once; errors of
   closing are raised, the first of them. */
static astream_outcome
close_lock_held(amerge *self, PyObject **value)
{
    generators_state *state = generators_state_of((PyObject *)self);
    if (self->crew->readers > 0 && crew_check(self->crew, state, "amerge()") < 0) {
        return ASTREAM_REFUSE;
    }
    if (!self->crew->stopping) {
        self->crew->stopping = true;
        bool begun = self->started;
        if (begun ? stop_readers(self) < 0
                  : crew_open(self->crew, state, "amerge()") < 0 || start_readers(self) < 0) {
            return ASTREAM_ERROR;
        }
    }
    if (self->crew->readers > 0) {
        return crew_wait(self->crew, value);
    }
    reader *one;
    while ((one = take_ready(self->crew)) != NULL) {
        PyObject *error = one->error;
        one->error = NULL;
        Py_DECREF(one);
        if (error != NULL && PyObject_TypeCheck(error, (PyTypeObject *)PyExc_Exception)) {
            PyErr_SetRaisedException(error);
            return ASTREAM_ERROR;
        }
        Py_XDECREF(error);
    }
    return ASTREAM_END;
}

static int
release_lock_held(amerge *self)
{
    PyObject *raised = PyErr_GetRaisedException();
    int status = self->crew->readers > 0 ? stop_readers(self) : 0;
    reader *one;
    while ((one = take_ready(self->crew)) != NULL) {
        Py_DECREF(one);
    }
    if (raised != NULL) {
        if (status < 0) {
            raising_unraisable((PyObject *)self);
        }
        PyErr_SetRaisedException(raised);
        return 0;
    }
    return status;
}

static astream_outcome
amerge_step(astream *base, astream_answer Py_UNUSED(answer), PyObject **value)
{
    amerge *self = (amerge *)base;
    astream_outcome outcome;
    Py_BEGIN_CRITICAL_SECTION(self->crew);
    outcome = step_lock_held(self, value);
    Py_END_CRITICAL_SECTION();
    return outcome;
}

static astream_outcome
amerge_close(astream *base, astream_answer Py_UNUSED(answer), PyObject **value)
{
    amerge *self = (amerge *)base;
    astream_outcome outcome;
    Py_BEGIN_CRITICAL_SECTION(self->crew);
    outcome = close_lock_held(self, value);
    Py_END_CRITICAL_SECTION();
    return outcome;
}

static int
amerge_release(astream *base)
{
    amerge *self = (amerge *)base;
    if (self->crew == NULL || self->readers == NULL) {
        return 0;
    }
    int status;
    Py_BEGIN_CRITICAL_SECTION(self->crew);
    status = release_lock_held(self);
    Py_END_CRITICAL_SECTION();
    return status;
}

static const astream_kind amerge_kind = {amerge_step, amerge_close, amerge_release};

static int
amerge_traverse(PyObject *op, visitproc visit, void *arg)
{
    Py_VISIT(((amerge *)op)->crew);
    Py_VISIT(((amerge *)op)->readers);
    return astream_traverse(op, visit, arg);
}

static int
amerge_clear(PyObject *op)
{
    Py_CLEAR(((amerge *)op)->crew);
    Py_CLEAR(((amerge *)op)->readers);
    return astream_clear(op);
}

/* ---- making one ---- */

static reader *
open_source(amerge *self, generators_state *state, PyObject *source, Py_ssize_t number)
{
    PyAsyncMethods *methods = Py_TYPE(source)->tp_as_async;
    if (methods == NULL || methods->am_aiter == NULL) {
        PyErr_Format(PyExc_TypeError, "source %zd must be an async iterable, not '%.200s'",
                     number, Py_TYPE(source)->tp_name);
        return NULL;
    }
    PyObject *iterator = await_aiter(source);
    if (iterator == NULL) {
        return NULL;
    }
    int closes = closing_is_due(iterator, state->async_generator_abc);
    reader *one = closes < 0 ? NULL : reader_new(state, self->crew, &amerge_reader, iterator);
    Py_DECREF(iterator);
    if (one != NULL) {
        one->closes = closes;
        one->number = number;
    }
    return one;
}

/* 0, or -1 with ValueError for what is neither 'all' nor 'first'. */
static int
read_until(amerge *self, PyObject *until)
{
    if (until == NULL || PyUnicode_CompareWithASCIIString(until, "all") == 0) {
        return 0;
    }
    self->until_first = true;
    if (PyUnicode_CompareWithASCIIString(until, "first") == 0) {
        return 0;
    }
    PyErr_Format(PyExc_ValueError, "until must be 'all' or 'first', not %R", until);
    return -1;
}

static int
amerge_init(amerge *self, generators_state *state, PyObject *sources, PyObject *kwargs)
{
    static char *keywords[] = {"until", "close_with_task", NULL};
    PyObject *until = NULL, *none = state->empty_tuple;
    if (!PyArg_ParseTupleAndKeywords(none, kwargs, "|$Up:amerge", keywords, &until,
                                     &self->stream.close_with_task) ||
        read_until(self, until) < 0) {
        return -1;
    }
    Py_ssize_t count = PyTuple_GET_SIZE(sources);
    self->crew = crew_new(state);
    self->readers = self->crew == NULL ? NULL : PyTuple_New(count);
    if (self->readers == NULL) {
        return -1;
    }
    for (Py_ssize_t i = 0; i < count; i++) {
        reader *one = open_source(self, state, PyTuple_GET_ITEM(sources, i), i);
        if (one == NULL) {
            Py_CLEAR(self->readers);
            return -1;
        }
        PyTuple_SET_ITEM(self->readers, i, (PyObject *)one);
    }
    return 0;
}

static PyObject *
amerge_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    amerge *self = (amerge *)type->tp_alloc(type, 0);
    if (self == NULL) {
        return NULL;
    }
    if (amerge_init(self, generators_state_of((PyObject *)self), args, kwargs) < 0) {
        Py_DECREF(self);
        return NULL;
    }
    self->stream.kind = &amerge_kind;
    return (PyObject *)self;
}

PyDoc_STRVAR(
    amerge_doc,
    "amerge(*sources, until='all', close_with_task=False)\n"
    "--\n\n"
    "The items of several async iterables, as they come.\n\n"
    "Each source is read by a task of its own, which holds one item at most.  The\n"
    "stream ends when all sources have ended or, with until='first', when one of them\n"
    "has; those that are async generators are closed then.  An error of a source ends\n"
    "the stream, after the items that came before it.  Cancelling a step loses\n"
    "nothing: the next one goes on.\n\n"
    ">>> import asyncio\n"
    ">>> async def letters(text):\n"
    "...     for letter in text:\n"
    "...         await asyncio.sleep(0.01)\n"
    "...         yield letter\n"
    ">>> async def main():\n"
    "...     return sorted([x async for x in amerge(letters('ab'), letters('cd'))])\n"
    ">>> asyncio.run(main())\n"
    "['a', 'b', 'c', 'd']");

static PyType_Slot amerge_slots[] = {
    {Py_tp_doc, (char *)amerge_doc},
    {Py_tp_new, amerge_new},
    {Py_tp_traverse, amerge_traverse},
    {Py_tp_clear, amerge_clear},
    {0, NULL},
};

PyType_Spec amerge_spec = {
    .name = "generators.amerge",
    .basicsize = sizeof(amerge),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = amerge_slots,
};
