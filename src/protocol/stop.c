/* The StopIteration of a ready step: see stop.h.
 *
 * Owned: the state keeps the memory of at most one, `stop_memory`, which is no object
 * then: all that it held was let go of, its reference to its type too.  While it is an
 * object it is one as any other, that a tracer or a caller may keep as long as it likes.
 */
#include "protocol/stop.h"

#include "protocol/raising.h"

#if STOP_IS_REUSED

static void
stop_dealloc(PyObject *op)
{
    PyTypeObject *type = Py_TYPE(op);
    generators_state *state = PyModule_GetState(((PyHeapTypeObject *)type)->ht_module);
    PyObject_GC_UnTrack(op);
    PyStopIterationObject *self = (PyStopIterationObject *)op;
    if (self->dict != NULL || self->notes != NULL || self->traceback != NULL ||
        self->context != NULL || self->cause != NULL) {
        type->tp_clear(op);
    }
    Py_CLEAR(self->args);
    Py_CLEAR(self->value);
    if (state->keeps_stop && state->stop_memory == NULL) {
        state->stop_memory = op;
    }
    else {
        type->tp_free(op);
    }
    Py_DECREF(type);
}

static PyType_Slot stop_slots[] = {
    {Py_tp_doc, (char *)"StopIteration"},
    {Py_tp_dealloc, stop_dealloc},
    {0, NULL},
};

PyType_Spec stop_spec = {
    .name = "builtins.StopIteration",
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE, /* and the base's own */
    .slots = stop_slots,
};

void
stop_forget(generators_state *state)
{
    PyObject *memory = state->stop_memory;
    state->stop_memory = NULL;
    state->keeps_stop = false;
    if (memory != NULL) {
        PyObject_GC_Del(memory);
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
    PyObject *op = state->stop_memory;
    if (op != NULL) {
        state->stop_memory = NULL;
        PyObject_Init(op, state->stop_type);
        ((PyStopIterationObject *)op)->args = Py_NewRef(state->empty_tuple);
        ((PyStopIterationObject *)op)->suppress_context = 0;
        PyObject_GC_Track(op);
    }
    else {
        op = ((PyTypeObject *)PyExc_StopIteration)
                 ->tp_new(state->stop_type, state->empty_tuple, NULL);
        if (op == NULL) {
            Py_DECREF(value);
            return;
        }
    }
    ((PyStopIterationObject *)op)->value = value;
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
