/* The one base of all native coroutines.
 *
 * A type puts `coroutine` first in its struct, names state->coroutine_type as its base (see
 * add_coroutine_type() in module.c), lists COROUTINE_SLOTS in its slots, and calls
 * coroutine_init() with a coroutine_kind when it makes one.  It writes one step; everything
 * that a coroutine of the interpreter does is here: send(), throw(), close(), `await`, what
 * happens when it is dropped, its attributes, and refusing a call while it runs.
 */
#ifndef GENERATORS_AIO_COROUTINE_H
#define GENERATORS_AIO_COROUTINE_H

#include "state.h"

typedef struct coroutine coroutine;

typedef struct {
    /* Resume with `value` or, where that is NULL, with `exception` thrown in.  At the first
       step `state` is COROUTINE_NEW and `value` None.  It goes on until it must wait, and
       then returns PYGEN_NEXT with what it yields in *result, or until it ends, with
       PYGEN_RETURN and its result, or PYGEN_ERROR and an exception set.

       It runs with `running` set and no lock held.  Every other call into the coroutine is
       refused meanwhile, so that its fields are the step's own. */
    PySendResult (*step)(coroutine *self, PyObject *value, PyObject *exception,
                         PyObject **result);

    /* Drop all that it holds for its steps.  Called once, with `running` set: when a step
       has ended it, when it was dropped before it began, or when it would not be closed.
       An exception that is set stays set: the caller has put it aside.  NULL: nothing but
       `awaited`, which the base drops. */
    void (*release)(coroutine *self);

    /* Its qualified name, as a new str; NULL with an exception.  It may be called after
       release(), and after the collector has cleared the object. */
    PyObject *(*qualified_name)(coroutine *self);

    /* At the end of its life: take the object, with the reference that this adds, to be used
       again, and return true.  Never asked of one whose finalizer has run.  NULL: never. */
    bool (*recycle)(coroutine *self);

    /* Raise for a call that comes while it runs, or that comes too late.  NULL: the words of
       a coroutine of the interpreter. */
    void (*refuse)(coroutine *self);

    bool is_internal;   /* no user makes one: nobody is told that it was never awaited */
    bool takes_a_value; /* its step checks the first value that is sent by itself */
} coroutine_kind;

typedef enum {
    COROUTINE_NEW,
    COROUTINE_SUSPENDED,
    COROUTINE_ENDED,
} coroutine_state;

struct coroutine {
    PyObject_HEAD
    const coroutine_kind *kind; /* static; NULL before coroutine_init() */
    PyObject *awaited;          /* owned: the iterator of what it awaits, or NULL */
    PyObject *origin;           /* owned: cr_origin, or NULL for None */
    PyObject *weak_references;
    uint8_t state;         /* coroutine_state */
    bool running;          /* a step is under way, or it is being released */
    bool is_awaited_by_it; /* the interpreter awaits it: see coroutine_iternext() */
    bool finalized;        /* its finalizer has run: it is never used again */
};

/* Set cr_origin, `depth` frames of it.  0 or -1, as coroutine_init(). */
int coroutine_track_origin(coroutine *self, int depth);

/* After tp_alloc(), or when it is used again.  `tracks_origin`: sets cr_origin if
   sys.set_coroutine_origin_tracking_depth() asks for it.  0, or -1 with an exception set; then
   it has ended.  Inline, for a coroutine that is used again costs little more. */
static inline int
coroutine_init(coroutine *self, const coroutine_kind *kind, bool tracks_origin)
{
    self->kind = kind;
    self->state = COROUTINE_NEW;
    self->is_awaited_by_it = false;
    int depth = tracks_origin ? compat_origin_depth() : 0;
    return depth == 0 ? 0 : coroutine_track_origin(self, depth);
}

/* ---- for a step ---- */

/* Resume what is awaited with `value`, or throw `exception` in where `value` is NULL.
   PYGEN_NEXT: it goes on waiting, and *result is what it yielded.  Otherwise it is dropped,
   and *result is what it gave, or an exception is set.  Where nothing is awaited, *result is
   `value`, or `exception` is raised. */
PySendResult coroutine_resume_awaited(coroutine *self, PyObject *value, PyObject *exception,
                                      PyObject **result);

/* Begin to await what `iterator` (stolen, or NULL with an exception set) iterates over.  As
   coroutine_resume_awaited(). */
PySendResult coroutine_await(coroutine *self, PyObject *iterator, PyObject **result);

/* Close and drop what is awaited, if anything.  0, or -1 with an exception set. */
int coroutine_close_awaited(coroutine *self);

/* Let the loop have its turn: what a step returns to be resumed after it. */
static inline PySendResult
coroutine_pause(PyObject **result)
{
    *result = Py_NewRef(Py_None);
    return PYGEN_NEXT;
}

/* ---- for whoever calls it from C ---- */

/* send(value), or throw(exception) where `value` is NULL.  The caller holds a reference. */
PySendResult coroutine_resume(coroutine *self, PyObject *value, PyObject *exception,
                              PyObject **result);

/* What coroutine_resume() does after a step, for a kind that has a shorter way: it gives
   `sent`. */
PySendResult coroutine_stepped(coroutine *self, PySendResult sent);

/* close(): 0, or -1 with an exception set. */
int coroutine_close(coroutine *self);

/* End one that will not be resumed: its `release` runs, nothing is thrown into it.  Nothing
   happens where it has ended, or runs. */
void coroutine_give_up(coroutine *self);

/* What a method returns for what a step came to; `result` is stolen.  NULL with a
   StopIteration where it has ended. */
PyObject *coroutine_method_result(PySendResult sent, PyObject *result);

/* ---- for a type's spec ---- */

int coroutine_traverse(PyObject *op, visitproc visit, void *arg);
int coroutine_clear(PyObject *op);
void coroutine_finalize(PyObject *op);
void coroutine_dealloc(PyObject *op);
PyObject *coroutine_iternext(PyObject *op);
PyObject *coroutine_am_await(PyObject *op);
PySendResult coroutine_am_send(PyObject *op, PyObject *value, PyObject **result);

/* What a spec must name itself: a type made from a spec inherits no tp_dealloc.  It names
   tp_traverse and tp_clear too where it holds more than the base; never am_await, which would
   hide the base's method __await__(). */
/* clang-format off */
#define COROUTINE_SLOTS                       \
    {Py_tp_finalize, coroutine_finalize},     \
    {Py_tp_dealloc, coroutine_dealloc},       \
    {Py_tp_iternext, coroutine_iternext},     \
    {Py_am_send, coroutine_am_send}
/* clang-format on */

extern PyType_Spec coroutine_spec;
extern PyType_Spec coroutine_wrapper_spec;

#endif
