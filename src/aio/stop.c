/* The StopIteration of a ready step: see stop.h.
 *
 * States: in use, when it is an object as any other, that a tracer or a caller may keep as
 * long as it likes; or kept, when nobody holds it.
 *
 * Owned: the state keeps at most one, `kept_stop`, by its one reference.  That one has no
 * value, and nothing was ever set on it.  It stays tracked, so that it is found by a
 * collection, which sees that it is held from elsewhere.  One that became free within a
 * collection, as the value of its own value, is cleared by that all the same, after it was
 * kept: then its arguments are set anew.  A kept one owns no reference to
 * its type, which would keep the module from being collected; one in use does, so that the
 * module outlives it.
 */
#include "aio/stop.h"

#include "runtime/raising.h"

#if STOP_IS_REUSED

typedef struct {
    compat_stop base;
    generators_state *state; /* borrowed: its type holds the module */
} stop;

/* Whether it is as it was made, but for its value. */
static inline bool
is_untouched(const compat_stop *self)
{
    uintptr_t set = (uintptr_t)self->dict | (uintptr_t)self->notes |
                    (uintptr_t)self->traceback | (uintptr_t)self->context |
                    (uintptr_t)self->cause | (uintptr_t)self->suppress_context;
    return set == 0 && self->args != NULL && PyTuple_GET_SIZE(self->args) == 0;
}

static void
stop_dealloc(PyObject *op)
{
    PyTypeObject *type = Py_TYPE(op);
    compat_stop *self = (compat_stop *)op;
    generators_state *state = ((stop *)op)->state;
    if (state != NULL && state->keeps_stop && state->kept_stop == NULL && is_untouched(self)) {
        Py_INCREF(op); /* the state's */
        state->kept_stop = op;
        PyObject *value = self->value;
        self->value = NULL;
        Py_DECREF(type); /* the state holds it, too */
        Py_XDECREF(value);
        return;
    }
    PyObject_GC_UnTrack(op);
    type->tp_clear(op);
    type->tp_free(op);
    Py_DECREF(type);
}

static PyType_Slot stop_slots[] = {
    {Py_tp_doc, (char *)"StopIteration"},
    {Py_tp_dealloc, stop_dealloc},
    {0, NULL},
};

PyType_Spec stop_spec = {
    .name = "builtins.StopIteration",
    .basicsize = sizeof(stop),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE, /* and the base's own */
    .slots = stop_slots,
};

void
stop_forget(generators_state *state)
{
    PyObject *kept = state->kept_stop;
    state->kept_stop = NULL;
    state->keeps_stop = false;
    if (kept != NULL) {
        Py_INCREF(Py_TYPE(kept)); /* as one in use: gc.get_objects() may have given it */
        Py_DECREF(kept);
    }
}

void
stop_raise(generators_state *state, PyObject *value)
{
    if (value == Py_None || !state->keeps_stop) { /* or the module is torn down */
        raising_stop(value);
        Py_DECREF(value);
        return;
    }
    PyObject *op = state->kept_stop;
    if (op != NULL) {
        state->kept_stop = NULL;
        Py_INCREF(state->stop_type);
        if (((compat_stop *)op)->args == NULL) { /* see above */
            ((compat_stop *)op)->args = Py_NewRef(state->empty_tuple);
        }
    }
    else {
        op = ((PyTypeObject *)PyExc_StopIteration)
                 ->tp_new(state->stop_type, state->empty_tuple, NULL);
        if (op == NULL) {
            Py_DECREF(value);
            return;
        }
        ((stop *)op)->state = state;
    }
    ((compat_stop *)op)->value = value;
    PyErr_SetRaisedException(op);
}

#else

void
stop_raise(generators_state *Py_UNUSED(state), PyObject *value)
{
    raising_stop(value);
    Py_DECREF(value);
}

#endif
