/* Calls into the interpreter from functions that other libraries call. */
#ifndef GENERATORS_ARROW_ENTER_H
#define GENERATORS_ARROW_ENTER_H

#include "state.h"

typedef struct {
    bool attached; /* the thread was in the interpreter already */
    PyGILState_STATE gil;
    PyObject *raised; /* owned: what was being raised then, or NULL */
} arrow_entry;

/* Enter the interpreter from any thread.  False if that is impossible: it has ended or is
   about to, or it is a subinterpreter that this thread does not belong to. */
bool arrow_enter(arrow_entry *entry, PyInterpreterState *interpreter);
void arrow_leave(arrow_entry *entry);

#endif
