/* csv.field_size_limit(), as often as once a line.
 *
 * The standard module looks at its limit at every character, so it may change
 * between any two lines.  To call for it costs a tenth of what reading a short line
 * does.  The limit is a number in the module's state, whose layout is the module's own
 * business: where it is, is found out by setting it, twice, and looking for what
 * follows.  Where nothing, or more than one place, does, it is called for.
 *
 * The module is kept alive by its function, which generators_state owns.
 */
#include "csv/csv.h"

#include <string.h>

static int
set_limit(PyObject *function, long limit)
{
    PyObject *old = PyObject_CallFunction(function, "l", limit);
    Py_XDECREF(old);
    return old == NULL ? -1 : 0;
}

static int
call_for_limit(PyObject *function, long *limit)
{
    PyObject *value = PyObject_CallNoArgs(function);
    *limit = value == NULL ? -1 : PyLong_AsLong(value);
    Py_XDECREF(value);
    return *limit == -1 && PyErr_Occurred() ? -1 : 0;
}

/* Without the GIL others would see the limit while it is set. */
#if defined(Py_GIL_DISABLED) || SIZEOF_LONG != SIZEOF_SIZE_T
#define CAN_LOOK 0
#else
#define CAN_LOOK 1
#endif

/* The only place in `memory` that holds what the limit is set to, or NULL. */
static const long *
find_place(PyObject *function, const char *memory, size_t size)
{
    static const long probes[] = {0x1234567, 0x2345678};
    const long *found = NULL;
    for (size_t at = 0; at + sizeof(long) <= size; at += sizeof(long)) {
        bool follows = true;
        for (int i = 0; i < 2 && follows; i++) {
            long value;
            if (set_limit(function, probes[i]) < 0) {
                return NULL;
            }
            memcpy(&value, memory + at, sizeof value);
            follows = value == probes[i];
        }
        if (follows && found != NULL) {
            return NULL;
        }
        found = follows ? (const long *)(const void *)(memory + at) : found;
    }
    return found;
}

int
csv_limit_find(generators_state *state)
{
    PyObject *function = state->csv_field_size_limit;
    PyObject *module = PyCFunction_Check(function) ? PyCFunction_GetSelf(function) : NULL;
    PyModuleDef *definition =
        CAN_LOOK && module != NULL && PyModule_Check(module) ? PyModule_GetDef(module) : NULL;
    void *memory = definition == NULL ? NULL : PyModule_GetState(module);
    long limit;
    state->csv_limit_place = NULL;
    if (memory == NULL) {
        PyErr_Clear(); /* of PyModule_GetDef */
        return 0;
    }
    if (call_for_limit(function, &limit) < 0) {
        return -1;
    }
    const long *place = find_place(function, memory, (size_t)definition->m_size);
    if (PyErr_Occurred() || set_limit(function, limit) < 0) {
        return -1;
    }
    state->csv_limit_place = place;
    return 0;
}

int
csv_limit_read(generators_state *state, long *limit)
{
    if (state->csv_limit_place != NULL) {
        *limit = *state->csv_limit_place;
        return 0;
    }
    return call_for_limit(state->csv_field_size_limit, limit);
}
