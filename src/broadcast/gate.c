/* Who waits in a Broadcast, and how they are woken: see gate.h.
 *
 * _Waker: all that wait on one loop.  It is the callback that the loop calls, once for all of
 * them: an item that a thousand wait for costs one callback, and not a thousand.  The tasks
 * are resumed within it, one after the other.
 *
 * States of a waker: idle -> scheduled -> idle.  A wait that was left stays in the list, and
 * the next wait of the same place replaces it.  When the list is taken, the generation
 * changes, so that nobody's index is valid any more.
 *
 * Owned: a waker owns its loop, the waiters, and the object whose lock guards the list.  A
 * slot's place is borrowed: gate_leave() is called before its memory is freed.
 *
 * User code runs in the loop's methods and in the tasks, never under the lock.
 *
 * Threads: anybody may wake.  On another thread than the loop's, and where no task runs (in a
 * callback or a signal handler, so that the loop may be asleep), this is by
 * call_soon_threadsafe().
 */
#include "broadcast/gate.h"

#include "aio/loop.h"
#include "aio/waiter.h"
#include "core/clock.h"
#include "runtime/lock.h"
#include "runtime/raising.h"

#ifdef MS_WINDOWS
#define LONGEST_SLEEP (CLOCK_SECOND / 20) /* no signal ends a sleep */
#else
#define LONGEST_SLEEP GATE_FOREVER
#endif

typedef struct {
    PyObject *waiter;  /* owned */
    gate_place *place; /* borrowed */
} gate_slot;

struct gate_waker {
    PyObject_HEAD
    generators_state *state; /* borrowed: the type holds the module */
    PyObject *owner;         /* owned: the object that `lock` is part of */
    PyObject *loop;          /* owned */
    generators_lock *lock;   /* guards all that follows */
    gate_slot *slots;        /* owned */
    size_t count, room;
    uint64_t generation; /* from 1 */
    bool is_scheduled;
    unsigned long thread; /* in which the loop calls it now, or 0 */
};

/* ---- the list of a waker ---- */

/* Take the list: the caller owns the slots. */
static size_t
waker_take(gate_waker *self, gate_slot **slots)
{
    generators_lock_take(self->lock);
    size_t count = self->count;
    *slots = self->slots;
    self->slots = NULL;
    self->count = self->room = 0;
    self->generation++;
    self->is_scheduled = false;
    generators_lock_leave(self->lock);
    return count;
}

/* Wake nobody. */
static void
waker_discard(gate_waker *self)
{
    gate_slot *slots;
    size_t count = waker_take(self, &slots);
    for (size_t i = 0; i < count; i++) {
        Py_DECREF(slots[i].waiter);
    }
    PyMem_RawFree(slots);
}

/* The callback of the loop.  Ctrl-C in one of the tasks does not keep the others waiting. */
static PyObject *
waker_call(PyObject *op, PyObject *Py_UNUSED(args), PyObject *Py_UNUSED(kwargs))
{
    gate_waker *self = (gate_waker *)op;
    gate_slot *slots;
    size_t count = waker_take(self, &slots);
    PyObject *raised = NULL;
    unsigned long earlier = self->thread;
    self->thread = PyThread_get_thread_ident();
    for (size_t i = 0; i < count; i++) {
        if (waiter_end(slots[i].waiter, raised == NULL) < 0) {
            raising_chain(raised);
            raised = PyErr_GetRaisedException();
        }
        Py_DECREF(slots[i].waiter);
    }
    self->thread = earlier;
    PyMem_RawFree(slots);
    if (raised != NULL) {
        PyErr_SetRaisedException(raised);
        return NULL;
    }
    Py_RETURN_NONE;
}

/* Whether a task of the loop runs here, so that the loop is awake and stays so: 1, 0 or -1. */
static int
waker_is_awake(gate_waker *self)
{
    PyObject *here, *task;
    if (loop_running(self->state, &here) < 0) {
        return -1;
    }
    Py_XDECREF(here);
    if (here != self->loop) {
        return 0;
    }
    int is_task = loop_task(self->state, &task);
    Py_XDECREF(task);
    return is_task;
}

/* Have the loop call it.  Nobody waits on a loop that is closed.  0 or -1. */
static int
waker_schedule(gate_waker *self)
{
    int is_awake = waker_is_awake(self);
    PyObject *handle = NULL;
    if (is_awake >= 0) {
        handle = is_awake ? PyObject_CallMethodOneArg(self->loop, self->state->str_call_soon,
                                                      (PyObject *)self)
                          : PyObject_CallMethod(self->loop, "call_soon_threadsafe", "(O)",
                                                (PyObject *)self);
    }
    if (handle != NULL) {
        Py_DECREF(handle);
        return 0;
    }
    if (!PyErr_ExceptionMatches(PyExc_RuntimeError)) {
        generators_lock_take(self->lock);
        self->is_scheduled = false;
        generators_lock_leave(self->lock);
        return -1;
    }
    PyErr_Clear();
    waker_discard(self);
    return 0;
}

/* ---- on a loop ---- */

static gate_waker *
waker_new(generators_state *state, generators_lock *lock, PyObject *owner, PyObject *loop)
{
    PyTypeObject *type = state->gate_waker_type;
    if (type == NULL) {
        raising_shut_down();
        return NULL;
    }
    gate_waker *self = (gate_waker *)type->tp_alloc(type, 0);
    if (self != NULL) {
        self->state = state;
        self->owner = Py_NewRef(owner);
        self->loop = Py_NewRef(loop);
        self->lock = lock;
        self->generation = 1;
    }
    return self;
}

/* The waker of the loop, or NULL: a new reference.  The lock is held. */
static gate_waker *
gate_get_waker(const gate *gated, PyObject *loop)
{
    for (size_t i = 0; i < gated->count; i++) {
        if (gated->wakers[i]->loop == loop) {
            return (gate_waker *)Py_NewRef((PyObject *)gated->wakers[i]);
        }
    }
    return NULL;
}

/* Take out a waker that nobody uses: the caller owns it.  NULL if there is none.  The lock is
   held. */
static gate_waker *
gate_take_unused(gate *gated)
{
    for (size_t i = 0; i < gated->count; i++) {
        gate_waker *waker = gated->wakers[i];
        if (waker->count == 0 && !waker->is_scheduled && Py_REFCNT(waker) == 1) {
            gated->wakers[i] = gated->wakers[--gated->count];
            return waker;
        }
    }
    return NULL;
}

/* Add the waker, unless there is another of its loop: which one it is, a new reference; NULL
   if there is no memory.  The lock is held. */
static gate_waker *
gate_add_waker(gate *gated, gate_waker *made)
{
    gate_waker *other = gate_get_waker(gated, made->loop);
    if (other != NULL) {
        return other;
    }
    if (gated->count == gated->room) {
        size_t room = gated->room == 0 ? 2 : 2 * gated->room;
        gate_waker **wakers = PyMem_RawRealloc(gated->wakers, room * sizeof(gate_waker *));
        if (wakers == NULL) {
            return NULL;
        }
        gated->wakers = wakers;
        gated->room = room;
    }
    gated->wakers[gated->count++] = (gate_waker *)Py_NewRef((PyObject *)made);
    return (gate_waker *)Py_NewRef((PyObject *)made);
}

int
gate_find_waker(gate *gated, generators_lock *lock, PyObject *owner, generators_state *state,
                gate_place *place, PyObject *loop)
{
    if (place->waker != NULL && place->waker->loop == loop) {
        return 0;
    }
    gate_leave(lock, place);
    generators_lock_take(lock);
    gate_waker *found = gate_get_waker(gated, loop), *unused = NULL;
    if (found == NULL) {
        unused = gate_take_unused(gated);
    }
    generators_lock_leave(lock);
    Py_XDECREF((PyObject *)unused);
    if (found == NULL) {
        gate_waker *made = waker_new(state, lock, owner, loop);
        if (made == NULL) {
            return -1;
        }
        generators_lock_take(lock);
        found = gate_add_waker(gated, made);
        generators_lock_leave(lock);
        Py_DECREF(made);
        if (found == NULL) {
            PyErr_NoMemory();
            return -1;
        }
    }
    generators_lock_take(lock); /* gate_leave() was called: there is none */
    place->waker = found;
    generators_lock_leave(lock);
    return 0;
}

/* No other loop can run in a callback of this one. */
PyObject *
gate_known_loop(const gate_place *place)
{
    const gate_waker *waker = place->waker;
    return waker != NULL && waker->thread == PyThread_get_thread_ident() ? waker->loop : NULL;
}

bool
gate_wait(gate_place *place, PyObject *waiter, PyObject **earlier)
{
    gate_waker *waker = place->waker;
    *earlier = NULL;
    if (place->generation == waker->generation) {
        *earlier = waker->slots[place->index].waiter;
        waker->slots[place->index].waiter = Py_NewRef(waiter);
        return true;
    }
    if (waker->count == waker->room) {
        size_t room = waker->room == 0 ? 4 : 2 * waker->room;
        gate_slot *slots = PyMem_RawRealloc(waker->slots, room * sizeof(gate_slot));
        if (slots == NULL) {
            return false;
        }
        waker->slots = slots;
        waker->room = room;
    }
    place->generation = waker->generation;
    place->index = waker->count;
    waker->slots[waker->count++] = (gate_slot){Py_NewRef(waiter), place};
    return true;
}

void
gate_leave(generators_lock *lock, gate_place *place)
{
    gate_waker *waker = place->waker;
    PyObject *waiter = NULL;
    if (waker == NULL) {
        return;
    }
    generators_lock_take(lock);
    if (place->generation == waker->generation) {
        gate_slot *slot = &waker->slots[place->index];
        waiter = slot->waiter;
        *slot = waker->slots[--waker->count];
        slot->place->index = place->index;
    }
    place->waker = NULL;
    place->generation = 0;
    generators_lock_leave(lock);
    Py_XDECREF(waiter);
    Py_DECREF(waker);
}

int
gate_is_lost(const gate_waker *waker)
{
    PyObject *closed = PyObject_CallMethod(waker->loop, "is_closed", NULL);
    int is = closed == NULL ? -1 : PyObject_IsTrue(closed);
    Py_XDECREF(closed);
    return is;
}

int
gate_place_traverse(const gate_place *place, visitproc visit, void *arg)
{
    Py_VISIT((PyObject *)place->waker);
    return 0;
}

/* ---- in a thread ---- */

int
gate_thread_init(gate_thread *self)
{
    *self = (gate_thread){.lock = lock_new_taken()};
    return self->lock == NULL ? -1 : 0;
}

void
gate_thread_free(gate_thread *self)
{
    lock_free_taken(&self->lock);
}

void
gate_link(gate *gated, gate_thread *thread)
{
    thread->is_linked = true;
    thread->next = gated->threads;
    gated->threads = thread;
}

/* Whether it was linked.  The lock is held. */
static bool
gate_unlink(gate *gated, gate_thread *thread)
{
    gate_thread **place = &gated->threads;
    while (*place != NULL && *place != thread) {
        place = &(*place)->next;
    }
    if (*place != NULL) {
        *place = thread->next;
    }
    bool was_linked = thread->is_linked;
    thread->is_linked = false;
    return was_linked;
}

void
gate_wake_thread(gate *gated, gate_thread *thread)
{
    if (gate_unlink(gated, thread)) {
        PyThread_release_lock(thread->lock);
    }
}

int
gate_sleep(gate *gated, generators_lock *lock, gate_thread *thread, uint64_t nanoseconds)
{
    uint64_t most = nanoseconds < LONGEST_SLEEP ? nanoseconds : LONGEST_SLEEP;
    if (lock_sleep(thread->lock, most) == PY_LOCK_ACQUIRED) {
        return 1;
    }
    int failed = PyErr_CheckSignals();
    generators_lock_take(lock);
    bool woken = !gate_unlink(gated, thread);
    generators_lock_leave(lock);
    if (woken) {
        PyThread_acquire_lock(thread->lock, NOWAIT_LOCK); /* who woke it has released it */
    }
    return failed < 0 ? -1 : woken;
}

/* ---- waking ---- */

/* One that has something to do, and is to be scheduled now: a new reference, or NULL.  The
   lock is held. */
static gate_waker *
gate_next_waker(gate *gated)
{
    for (size_t i = 0; i < gated->count; i++) {
        gate_waker *waker = gated->wakers[i];
        if (waker->count > 0 && !waker->is_scheduled) {
            waker->is_scheduled = true;
            return (gate_waker *)Py_NewRef((PyObject *)waker);
        }
    }
    return NULL;
}

int
gate_open(gate *gated, generators_lock *lock)
{
    for (;;) {
        generators_lock_take(lock);
        while (gated->threads != NULL) {
            gate_wake_thread(gated, gated->threads);
        }
        gate_waker *waker = gate_next_waker(gated);
        generators_lock_leave(lock);
        if (waker == NULL) {
            return 0;
        }
        int status = waker_schedule(waker);
        Py_DECREF(waker);
        if (status < 0) {
            return -1;
        }
    }
}

/* ---- memory ---- */

int
gate_traverse(const gate *gated, visitproc visit, void *arg)
{
    for (size_t i = 0; i < gated->count; i++) {
        Py_VISIT((PyObject *)gated->wakers[i]);
    }
    return 0;
}

void
gate_clear(gate *gated)
{
    size_t count = gated->count;
    gate_waker **wakers = gated->wakers;
    *gated = (gate){.threads = gated->threads};
    for (size_t i = 0; i < count; i++) {
        Py_DECREF(wakers[i]);
    }
    PyMem_RawFree(wakers);
}

static int
waker_traverse(PyObject *op, visitproc visit, void *arg)
{
    gate_waker *self = (gate_waker *)op;
    Py_VISIT(Py_TYPE(op));
    Py_VISIT(self->owner);
    Py_VISIT(self->loop);
    for (size_t i = 0; i < self->count; i++) {
        Py_VISIT(self->slots[i].waiter);
    }
    return 0;
}

/* The owner stays until the end: the lock is part of it. */
static int
waker_clear(PyObject *op)
{
    gate_waker *self = (gate_waker *)op;
    if (self->owner != NULL) {
        waker_discard(self);
    }
    return 0;
}

static void
waker_dealloc(PyObject *op)
{
    gate_waker *self = (gate_waker *)op;
    PyTypeObject *type = Py_TYPE(op);
    PyObject_GC_UnTrack(op);
    waker_clear(op);
    Py_CLEAR(self->loop);
    Py_CLEAR(self->owner);
    type->tp_free(op);
    Py_DECREF(type);
}

static PyType_Slot waker_slots[] = {
    {Py_tp_doc, (char *)"Wakes all that wait on one loop."},
    {Py_tp_traverse, waker_traverse},
    {Py_tp_clear, waker_clear},
    {Py_tp_dealloc, waker_dealloc},
    {Py_tp_call, waker_call},
    {0, NULL},
};

PyType_Spec gate_waker_spec = {
    .name = "native_generators._native._Waker",
    .basicsize = sizeof(gate_waker),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE |
             Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = waker_slots,
};
