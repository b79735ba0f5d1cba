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
 * add() takes part in that at any time before the end.  A reader that has ended, and has given
 * what it held, leaves the list of readers when another is added.
 *
 * Owned: the group, and the readers, which have the sources.
 */
#include "tasks/amerge.h"

#include "aio/await.h"
#include "runtime/closing.h"
#include "runtime/raising.h"
#include "stream/astream.h"
#include "stream/refusal.h"
#include "tasks/reader.h"
#include "tasks/task_group.h"

typedef struct {
    astream stream;
    task_group *group; /* owned */
    PyObject *readers; /* owned: a list */
    bool until_first;
    bool is_named; /* each source has a name, which is given with its items */
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

/* The first that is ready, borrowed from the list; or NULL. */
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
    if (self->group->is_detached) {
        return 0; /* nobody takes it */
    }
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
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(self->readers); i++) {
        reader *one = (reader *)Py_NewRef(PyList_GET_ITEM(self->readers, i));
        int status = reader_was_started(one) ? 0 : reader_start(one);
        PyObject *raised = status < 0 ? PyErr_GetRaisedException() : NULL;
        Py_DECREF(one);
        if (raised != NULL) {
            PyErr_SetRaisedException(raised);
            return -1;
        }
    }
    return 0;
}

/* The item (stolen) with the name of its source. */
static PyObject *
amerge_name_item(const reader *one, PyObject *item)
{
    PyObject *named = PyTuple_Pack(2, one->name, item);
    Py_DECREF(item);
    return named;
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
        if (one->name != NULL && (*value = amerge_name_item(one, *value)) == NULL) {
            return ASTREAM_ERROR;
        }
        reader_poke(one);
        return ASTREAM_ITEM;
    }
    if (group->first_reader != NULL) {
        if (group->stopping && reader_stop_all(group) < 0) {
            return ASTREAM_ERROR;
        }
        return task_group_wait(group, value);
    }
    self->stream.was_cut |= group->was_cut;
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

/* No reader is ready for the stream any more.  What they hold is dropped outside the section,
   one after another, for that may run user code. */
static void
amerge_detach(task_group *group)
{
    reader *one;
    do {
        PyObject *item = NULL;
        Py_BEGIN_CRITICAL_SECTION(group);
        group->is_detached = true;
        one = amerge_pop_ready(group);
        if (one != NULL) {
            item = one->item;
            one->item = NULL;
        }
        Py_END_CRITICAL_SECTION();
        Py_XDECREF(item);
    } while (one != NULL);
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
amerge_stop(astream *base)
{
    amerge *self = (amerge *)base;
    int status = 0;
    Py_BEGIN_CRITICAL_SECTION(self->group);
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(self->readers) && status == 0; i++) {
        status = reader_drain((reader *)PyList_GET_ITEM(self->readers, i));
    }
    Py_END_CRITICAL_SECTION();
    return status;
}

static void
amerge_measure(astream *base, measures *into)
{
    amerge *self = (amerge *)base;
    into->sources = self->readers == NULL ? 0 : PyList_GET_SIZE(self->readers);
    const reader *one = self->group == NULL ? NULL : self->group->first_ready;
    for (; one != NULL; one = one->next_ready) {
        into->held++;
    }
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

static const astream_kind amerge_kind = {.step = amerge_step,
                                         .close = amerge_close,
                                         .release = amerge_release,
                                         .stop = amerge_stop,
                                         .measure = amerge_measure};

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
    task_group *group = self->group;
    self->group = NULL;
    if (group != NULL) {
        amerge_detach(group); /* before the readers go: its list borrows them */
    }
    Py_CLEAR(self->readers);
    Py_XDECREF(group);
    return astream_clear(op);
}

/* ---- its sources ---- */

/* What an async iterable was meant to be given as. */
static void
amerge_refuse_source(PyObject *source, const char *where)
{
    PyTypeObject *type = Py_TYPE(source);
    if (PyList_Check(source) || PyTuple_Check(source)) {
        PyErr_Format(PyExc_TypeError,
                     "%s must be an async iterable, not '%.200s': pass sources one by one, "
                     "as in amerge(*sources)",
                     where, type->tp_name);
        return;
    }
    PyErr_Format(PyExc_TypeError, "%s must be an async iterable, not '%.200s'", where,
                 type->tp_name);
    refusal_add_hint("amerge", source, true);
}

static reader *
amerge_open_source(amerge *self, generators_state *state, PyObject *source, const char *where)
{
    PyAsyncMethods *methods = Py_TYPE(source)->tp_as_async;
    if (methods == NULL || methods->am_aiter == NULL) {
        amerge_refuse_source(source, where);
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

/* A list of new readers of the sources, or NULL.  `named` may be NULL. */
static PyObject *
amerge_open_sources(amerge *self, generators_state *state, PyObject *sources, PyObject *named)
{
    PyObject *made = PyList_New(0), *name, *source;
    char where[64];
    for (Py_ssize_t i = 0; made != NULL && i < PyTuple_GET_SIZE(sources); i++) {
        PyOS_snprintf(where, sizeof(where), "source %zd", i);
        reader *one = amerge_open_source(self, state, PyTuple_GET_ITEM(sources, i), where);
        if (one == NULL || PyList_Append(made, (PyObject *)one) < 0) {
            Py_CLEAR(made);
        }
        Py_XDECREF((PyObject *)one);
    }
    Py_ssize_t at = 0;
    while (made != NULL && named != NULL && PyDict_Next(named, &at, &name, &source)) {
        PyObject *exact = PyUnicode_FromObject(name);
        const char *text = exact == NULL ? NULL : PyUnicode_AsUTF8(exact);
        PyOS_snprintf(where, sizeof(where), "source %.40s", text == NULL ? "" : text);
        reader *one = text == NULL ? NULL : amerge_open_source(self, state, source, where);
        if (one != NULL) {
            one->name = Py_NewRef(exact);
        }
        if (one == NULL || PyList_Append(made, (PyObject *)one) < 0) {
            Py_CLEAR(made);
        }
        Py_XDECREF((PyObject *)one);
        Py_XDECREF(exact);
    }
    return made;
}

/* Either all sources have names, or none has: 0, or -1 with TypeError. */
static int
amerge_check_names(amerge *self, PyObject *sources, PyObject *named)
{
    bool has_named = named != NULL && PyDict_GET_SIZE(named) > 0;
    bool has_plain = PyTuple_GET_SIZE(sources) > 0;
    bool is_first = PyList_GET_SIZE(self->readers) == 0;
    if ((has_named && has_plain) || (!is_first && (self->is_named ? has_plain : has_named))) {
        PyErr_SetString(PyExc_TypeError,
                        "either all sources of amerge() have names, or none has: its items "
                        "are (name, item), or the sources' own");
        return -1;
    }
    self->is_named = is_first ? has_named : self->is_named;
    return 0;
}

/* 0, or -1 with ValueError for what is neither 'all' nor 'first'. */
static int
amerge_read_until(amerge *self, PyObject *until)
{
    PyAsyncMethods *methods = Py_TYPE(until)->tp_as_async;
    if (methods != NULL && methods->am_aiter != NULL) {
        PyErr_SetString(PyExc_TypeError,
                        "until must be 'all' or 'first': no source can have that name");
        return -1;
    }
    self->until_first =
        PyUnicode_Check(until) && PyUnicode_CompareWithASCIIString(until, "first") == 0;
    if (self->until_first ||
        (PyUnicode_Check(until) && PyUnicode_CompareWithASCIIString(until, "all") == 0)) {
        return 0;
    }
    PyErr_Format(PyUnicode_Check(until) ? PyExc_ValueError : PyExc_TypeError,
                 "until must be 'all' or 'first', not %R", until);
    return -1;
}

static int
amerge_read_close_with_task(amerge *self, PyObject *given)
{
    PyAsyncMethods *methods = Py_TYPE(given)->tp_as_async;
    if (methods != NULL && methods->am_aiter != NULL) {
        PyErr_SetString(PyExc_TypeError,
                        "close_with_task must be true or false: no source can have that name");
        return -1;
    }
    self->stream.close_with_task = PyObject_IsTrue(given);
    return self->stream.close_with_task < 0 ? -1 : 0;
}

/* Take the options out of the keyword arguments: what is left, a new dict of sources, or
   NULL with an exception set. */
static PyObject *
amerge_read_options(amerge *self, PyObject *kwargs)
{
    PyObject *named = kwargs == NULL ? PyDict_New() : PyDict_Copy(kwargs);
    static const char *const names[] = {"until", "close_with_task"};
    for (int i = 0; named != NULL && i < 2; i++) {
        PyObject *name = PyUnicode_FromString(names[i]);
        PyObject *given = name == NULL ? NULL : PyDict_GetItemWithError(named, name);
        int status = given == NULL && PyErr_Occurred() ? -1 : 0;
        if (given != NULL) {
            Py_INCREF(given);
            status = i == 0 ? amerge_read_until(self, given)
                            : amerge_read_close_with_task(self, given);
            if (status == 0) {
                status = PyDict_DelItem(named, name);
            }
            Py_DECREF(given);
        }
        Py_XDECREF(name);
        if (status < 0) {
            Py_CLEAR(named);
        }
    }
    return named;
}

/* ---- add() ---- */

/* Let go of readers that have ended, and find out whether names clash with those of others.
   0, or -1 with an exception set. */
static int
amerge_prune(amerge *self, PyObject *named)
{
    for (Py_ssize_t i = PyList_GET_SIZE(self->readers) - 1; i >= 0; i--) {
        reader *one = (reader *)PyList_GET_ITEM(self->readers, i);
        if (one->phase == READER_ENDED && one->item == NULL && !one->is_ready) {
            if (PyList_SetSlice(self->readers, i, i + 1, NULL) < 0) {
                return -1;
            }
            continue;
        }
        int clashes =
            one->name == NULL || named == NULL ? 0 : PyDict_Contains(named, one->name);
        if (clashes > 0) {
            PyErr_Format(PyExc_ValueError, "amerge() has a source named %R", one->name);
        }
        if (clashes != 0) {
            return -1;
        }
    }
    return 0;
}

static int
amerge_add_lock_held(amerge *self, PyObject *sources, PyObject *named)
{
    task_group *group = self->group;
    if (self->stream.phase != ASTREAM_STEPPING || self->stream.is_stopped || group->stopping) {
        PyErr_SetString(PyExc_RuntimeError, "amerge() has ended, or was stopped");
        return -1;
    }
    if (task_group_check(group, "amerge()") < 0 ||
        amerge_check_names(self, sources, named) < 0 || amerge_prune(self, named) < 0) {
        return -1;
    }
    PyObject *made = amerge_open_sources(self, group->state, sources, named);
    if (made == NULL) {
        return -1;
    }
    /* Opening is the sources' own code: the stream may have ended meanwhile. */
    Py_ssize_t count = PyList_GET_SIZE(self->readers);
    int status = PyList_SetSlice(self->readers, count, count, made);
    Py_DECREF(made);
    return status == 0 && self->started ? amerge_start_readers(self) : status;
}

PyDoc_STRVAR(amerge_add_doc,
             "add($self, /, *sources, **named)\n"
             "--\n\n"
             "Add more async iterables to the stream.  If the stream yields (name, item),\n"
             "they need names: add(quotes=source).  The name of a source that has ended may\n"
             "be used again.\n"
             "\n"
             "RuntimeError is raised if the stream has ended or was stopped, and on a\n"
             "thread other than that of its event loop.  ValueError is raised for a name\n"
             "that another source has.");

static PyObject *
amerge_add(PyObject *op, PyObject *args, PyObject *kwargs)
{
    amerge *self = (amerge *)op;
    int status;
    Py_BEGIN_CRITICAL_SECTION(self->group);
    status = amerge_add_lock_held(self, args, kwargs);
    Py_END_CRITICAL_SECTION();
    if (status < 0) {
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyMethodDef amerge_methods[] = {
    {"add", (PyCFunction)(void (*)(void))amerge_add, METH_VARARGS | METH_KEYWORDS,
     amerge_add_doc},
    {NULL},
};

/* ---- making one ---- */

static int
amerge_init(amerge *self, generators_state *state, PyObject *sources, PyObject *kwargs)
{
    self->group = task_group_new(state);
    self->readers = self->group == NULL ? NULL : PyList_New(0);
    PyObject *named = self->readers == NULL ? NULL : amerge_read_options(self, kwargs);
    if (named == NULL) {
        return -1;
    }
    PyObject *made = amerge_check_names(self, sources, named) < 0
                         ? NULL
                         : amerge_open_sources(self, state, sources, named);
    Py_DECREF(named);
    if (made == NULL) {
        return -1;
    }
    PyObject *empty = self->readers;
    self->readers = made;
    Py_DECREF(empty);
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
    "amerge(*sources, until='all', close_with_task=False, **named)\n"
    "--\n\n"
    "An async iterator over the items of several async iterables, in the order in which\n"
    "they come.\n"
    "\n"
    "If the sources have names, as in amerge(quotes=a, trades=b), each item is yielded\n"
    "with the name of its source: ('quotes', item).  add() adds sources later.\n"
    "\n"
    "Each source is iterated by a task of its own.  The task keeps at most one item, and\n"
    "closes the source if it is a generator.  The stream ends when all sources have ended\n"
    "or, with until='first', when the first of them has ended.\n"
    "\n"
    "An exception of a source ends the stream.  When a source ends the stream, the other\n"
    "sources are cancelled and closed at once.  Items that they have already yielded, or\n"
    "that they yield in spite of the cancellation, are yielded first, before the stream\n"
    "ends or raises the exception.  An exception raised by closing a source is raised,\n"
    "with the first exception as its context.  If aclose() is cancelled while it waits,\n"
    "CancelledError is raised when all sources are closed.  Cancelling a step loses\n"
    "nothing: the next step returns the item.\n"
    "\n"
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
    {Py_tp_doc, (char *)amerge_doc},   {Py_tp_new, amerge_new},
    {Py_tp_traverse, amerge_traverse}, {Py_tp_clear, amerge_clear},
    {Py_tp_methods, amerge_methods},   {0, NULL},
};

PyType_Spec amerge_spec = {
    .name = "native_generators.amerge",
    .basicsize = sizeof(amerge),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = amerge_slots,
};
