/* amerge: the items of several async iterables, as they come.
 *
 * Each source is iterated by a reader, a task of its own, which holds one item at most and
 * takes the next one when that is given.  Readers that hold an item stand in a list, in the
 * order in which the items came.
 *
 * States: those of an async stream, which has no one source.  A source that fails ends the
 * stream, and with until='first' so does one that ends.  At that moment all readers are
 * stopped: no further item is asked for, what is waited for is cancelled, and each reader
 * closes its own source.  The items that they hold are given, also one that comes in spite of
 * the cancellation.  When all readers have ended, so does the stream, with the first error; a
 * later one, of closing say, is raised instead, with the earlier one as its context.
 *
 * Owned: the group, and the readers, which have the sources.
 */
#include "tasks/amerge.h"

#include "aio/await.h"
#include "runtime/closing.h"
#include "runtime/raising.h"
#include "stream/astream.h"
#include "tasks/reader.h"
#include "tasks/task_group.h"

typedef struct {
    astream stream;
    task_group *group; /* owned */
    PyObject *readers; /* owned: a tuple */
    bool until_first;
    bool started;
    bool closing;
} amerge;

/* ---- readers ---- */

static void
amerge_put_ready(reader *self)
{
    task_group *group = self->group;
    if (self->is_ready || group->is_detached) {
        return;
    }
    self->is_ready = true;
    if (group->last_ready == NULL) {
        group->first_ready = self;
    }
    else {
        group->last_ready->next_ready = self;
    }
    group->last_ready = self;
}

/* The first that is ready, borrowed from the tuple; or NULL. */
static reader *
amerge_pop_ready(task_group *group)
{
    reader *one = group->first_ready;
    if (one != NULL) {
        group->first_ready = one->next_ready;
        one->next_ready = NULL;
        one->is_ready = false;
        if (group->first_ready == NULL) {
            group->last_ready = NULL;
        }
    }
    return one;
}

static bool
amerge_reader_wants(reader *self)
{
    return self->item == NULL;
}

static bool
amerge_reader_may_close(reader *Py_UNUSED(self))
{
    return true;
}

static int
amerge_reader_deliver(reader *self, PyObject *item)
{
    PyObject *earlier = self->item; /* NULL: another item is asked for when it was given */
    self->item = Py_NewRef(item);
    Py_XDECREF(earlier);
    amerge_put_ready(self);
    task_group_wake(self->group);
    return 0;
}

static const reader_kind amerge_reader = {
    .wants = amerge_reader_wants,
    .may_close = amerge_reader_may_close,
    .deliver = amerge_reader_deliver,
};

static const reader_kind amerge_first_reader = {
    .wants = amerge_reader_wants,
    .may_close = amerge_reader_may_close,
    .deliver = amerge_reader_deliver,
    .ends_stream = true,
};

/* ---- the stream's own ---- */

/* Start the readers that do not run yet.  One that starts when the stream ends already only
   closes its source. */
static int
amerge_start_readers(amerge *self)
{
    self->started = true;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(self->readers); i++) {
        reader *one = (reader *)PyTuple_GET_ITEM(self->readers, i);
        if (!reader_was_started(one) && reader_start(one) < 0) {
            return -1;
        }
    }
    return 0;
}

static astream_outcome
amerge_step_lock_held(amerge *self, PyObject **value)
{
    task_group *group = self->group;
    if (task_group_check(group, "amerge()") < 0) {
        return ASTREAM_REFUSE;
    }
    if (task_group_open(group, "amerge()") < 0 ||
        (!self->started && amerge_start_readers(self) < 0)) {
        return ASTREAM_ERROR;
    }
    reader *one = amerge_pop_ready(group);
    if (one != NULL) {
        *value = one->item;
        one->item = NULL;
        reader_poke(one);
        return ASTREAM_ITEM;
    }
    if (group->first_reader != NULL) {
        if (group->stopping && reader_stop_all(group) < 0) {
            return ASTREAM_ERROR;
        }
        return task_group_wait(group, value);
    }
    return task_group_raise(group) < 0 ? ASTREAM_ERROR : ASTREAM_END;
}

/* Sources that were never begun are closed by their readers, too. */
static astream_outcome
amerge_close_lock_held(amerge *self, PyObject **value)
{
    task_group *group = self->group;
    if (group->first_reader != NULL && task_group_check(group, "amerge()") < 0) {
        return ASTREAM_REFUSE;
    }
    if (reader_stop_all(group) < 0) {
        return ASTREAM_ERROR;
    }
    if (!self->closing) {
        self->closing = true;
        if (task_group_open(group, "amerge()") < 0 || amerge_start_readers(self) < 0) {
            return ASTREAM_ERROR;
        }
    }
    if (group->first_reader != NULL) {
        return task_group_wait_to_finish(group, value);
    }
    return task_group_raise(group) < 0 ? ASTREAM_ERROR : ASTREAM_END;
}

/* No reader is ready for the stream any more. */
static void
amerge_detach(task_group *group)
{
    Py_BEGIN_CRITICAL_SECTION(group);
    group->is_detached = true;
    while (amerge_pop_ready(group) != NULL) {
    }
    Py_END_CRITICAL_SECTION();
}

static astream_outcome
amerge_step(astream *base, astream_answer Py_UNUSED(answer), PyObject **value)
{
    amerge *self = (amerge *)base;
    astream_outcome outcome;
    Py_BEGIN_CRITICAL_SECTION(self->group);
    outcome = amerge_step_lock_held(self, value);
    Py_END_CRITICAL_SECTION();
    return outcome;
}

static astream_outcome
amerge_close(astream *base, astream_answer Py_UNUSED(answer), PyObject **value)
{
    amerge *self = (amerge *)base;
    astream_outcome outcome;
    Py_BEGIN_CRITICAL_SECTION(self->group);
    outcome = amerge_close_lock_held(self, value);
    Py_END_CRITICAL_SECTION();
    return outcome;
}

static int
amerge_release(astream *base)
{
    task_group *group = ((amerge *)base)->group;
    if (group != NULL) {
        amerge_detach(group);
        Py_BEGIN_CRITICAL_SECTION(group);
        if (group->first_reader != NULL) {
            reader_try_to_stop_all(group);
        }
        Py_END_CRITICAL_SECTION();
    }
    return 0;
}

static const astream_kind amerge_kind = {amerge_step, amerge_close, amerge_release};

static int
amerge_traverse(PyObject *op, visitproc visit, void *arg)
{
    Py_VISIT(((amerge *)op)->group);
    Py_VISIT(((amerge *)op)->readers);
    return astream_traverse(op, visit, arg);
}

static int
amerge_clear(PyObject *op)
{
    amerge *self = (amerge *)op;
    if (self->group != NULL) {
        amerge_detach(self->group); /* before the readers go: its list borrows them */
    }
    Py_CLEAR(self->readers);
    Py_CLEAR(self->group);
    return astream_clear(op);
}

/* ---- making one ---- */

static reader *
amerge_open_source(amerge *self, generators_state *state, PyObject *source, Py_ssize_t number)
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
    const reader_kind *kind = self->until_first ? &amerge_first_reader : &amerge_reader;
    reader *one = closes < 0 ? NULL : reader_new(self->group, kind, iterator, closes > 0);
    Py_DECREF(iterator);
    return one;
}

/* 0, or -1 with ValueError for what is neither 'all' nor 'first'. */
static int
amerge_read_until(amerge *self, PyObject *until)
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
        amerge_read_until(self, until) < 0) {
        return -1;
    }
    Py_ssize_t count = PyTuple_GET_SIZE(sources);
    self->group = task_group_new(state);
    self->readers = self->group == NULL ? NULL : PyTuple_New(count);
    if (self->readers == NULL) {
        return -1;
    }
    for (Py_ssize_t i = 0; i < count; i++) {
        reader *one = amerge_open_source(self, state, PyTuple_GET_ITEM(sources, i), i);
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
    "Each source is iterated by a task of its own, which holds one item at most and\n"
    "also closes the source if it is a generator.  The stream ends when all sources\n"
    "have ended or, with until='first', when one of them has.\n\n"
    "An error of a source ends the stream.  When a source ends the stream the others\n"
    "are cancelled and closed at once.  The items that they had given already, or give\n"
    "in spite of the cancellation, come first, and then the end or the error.  What a\n"
    "source raises while it is closed is raised, with the first error as its context.\n"
    "A cancellation that arrives while aclose() waits is raised when all sources are\n"
    "closed.  A step that is cancelled loses nothing: the next one gets the item.\n\n"
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
    .name = "native_generators.amerge",
    .basicsize = sizeof(amerge),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = amerge_slots,
};
