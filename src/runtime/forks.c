/* The counter of forks: see forks.h.
 *
 * It is a capsule around a number.  The number changes only in a child that has just begun,
 * which has one thread.
 */
#include "runtime/forks.h"

static void
free_counter(PyObject *capsule)
{
    PyMem_Free(PyCapsule_GetPointer(capsule, NULL));
}

PyObject *
forks_new(void)
{
    unsigned long *number = PyMem_Calloc(1, sizeof(*number));
    if (number == NULL) {
        return PyErr_NoMemory();
    }
    PyObject *capsule = PyCapsule_New(number, NULL, free_counter);
    if (capsule == NULL) {
        PyMem_Free(number);
    }
    return capsule;
}

void
forks_count(generators_state *state)
{
    if (state->forks != NULL) {
        ++*(unsigned long *)PyCapsule_GetPointer(state->forks, NULL);
    }
}

void
forks_mark_set(forks_mark *mark, generators_state *state)
{
    mark->counter = Py_NewRef(state->forks);
    mark->now = PyCapsule_GetPointer(state->forks, NULL);
    mark->then = *mark->now;
}

void
forks_mark_clear(forks_mark *mark)
{
    mark->now = NULL;
    Py_CLEAR(mark->counter);
}
