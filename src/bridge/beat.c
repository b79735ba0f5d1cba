/* A beat: see beat.h.
 *
 * A callable is called for each beat; anything else is given as it is.  User code runs in the
 * callable, and where the item is dropped.
 */
#include "bridge/beat.h"

#include "core/clock.h"
#include "runtime/raising.h"
#include "runtime/seconds.h"

int
beat_open(beat *self, PyObject *every, PyObject *item)
{
    if (every == Py_None) {
        PyErr_SetString(PyExc_TypeError, "every must be a number of seconds, not 'NoneType'");
        return -1;
    }
    if (seconds_read(every, "every", &self->every) < 0) {
        return -1;
    }
    if (self->every == 0) {
        PyErr_Format(PyExc_ValueError, "every must be more than 0 seconds, not %R", every);
        return -1;
    }
    self->item = Py_NewRef(item);
    return 0;
}

uint64_t
beat_left(const beat *self)
{
    if (self->every == SECONDS_FOREVER || self->since == 0) {
        return self->every;
    }
    uint64_t waited = clock_precise() - self->since;
    return waited < self->every ? self->every - waited : 0;
}

void
beat_wait(beat *self)
{
    if (self->since == 0) {
        self->since = clock_precise();
    }
}

PyObject *
beat_make(beat *self)
{
    PyObject *item = Py_NewRef(self->item);
    if (!PyCallable_Check(item)) {
        return item;
    }
    PyObject *made = PyObject_CallNoArgs(item);
    Py_DECREF(item);
    if (made == NULL) {
        raising_convert(PyExc_StopIteration, "item()");
        raising_convert(PyExc_StopAsyncIteration, "item()");
    }
    else if (PyCoro_CheckExact(made)) {
        PyObject *closed = PyObject_CallMethod(made, "close", NULL);
        Py_CLEAR(made);
        if (closed != NULL) {
            Py_DECREF(closed);
            PyErr_SetString(PyExc_TypeError,
                            "item must be an item or a plain function; it is a coroutine "
                            "function, whose result would have to be awaited");
        }
    }
    return made;
}

int
beat_traverse(const beat *self, visitproc visit, void *arg)
{
    Py_VISIT(self->item);
    return 0;
}

void
beat_clear(beat *self)
{
    Py_CLEAR(self->item);
}
