/* What the tasks share: waiting for what a generator yields (wait.c), and making
 * a coroutine of one (drive.c).
 */
#ifndef GENERATORS_TASKS_TASKS_H
#define GENERATORS_TASKS_TASKS_H

#include "state.h"

/* ---- waiting ---- */

/* Whether it is surely nothing that one waits for, as instances of most built-in
   types are; only wait_open() knows of the others. */
static inline bool
wait_is_plain(PyObject *value)
{
    PyTypeObject *type = Py_TYPE(value);
    return !(type->tp_flags & Py_TPFLAGS_HEAPTYPE) && type->tp_as_async == NULL;
}

typedef enum {
    WAIT_FAILED = -1, /* with an exception set */
    WAIT_ANSWERED,    /* there is nothing to wait for */
    WAIT_BEGUN,
} wait_status;

/* Begin to wait for `value`: *result is then what iterates meanwhile, or the answer:
   that of a future of concurrent.futures that is done, and otherwise `value` itself,
   which is nothing that one waits for.  A pending future of that kind is waited for
   in the running loop. */
wait_status wait_open(generators_state *state, PyObject *value, PyObject **result);

/* How long answers may come at once before the loop has its turn.  The clock is
   looked at every `every` answers, more often where they take long. */
typedef struct {
    uint64_t until;
    uint64_t last; /* the last look */
    unsigned every;
    unsigned left; /* answers until the next look */
} wait_budget;

/* A budget that begins now. */
wait_budget wait_begin_budget(void);

/* Whether a loop runs in this thread, and must have its turn. */
bool wait_look(generators_state *state, wait_budget *budget);

/* Count one answer that came at once; true where the loop must have its turn. */
static inline bool
wait_is_due(generators_state *state, wait_budget *budget)
{
    return --budget->left == 0 && wait_look(state, budget);
}

/* ---- coroutines of generators ---- */

/* A drive of it, or NULL with TypeError where it is no generator.  `maker` returned
   it, or is NULL. */
PyObject *drive_of(generators_state *state, PyObject *generator, PyObject *maker);

/* The flags of the function's code, 0 where it has none, or -1 with an exception set. */
long task_code_flags(PyObject *function);

#endif
