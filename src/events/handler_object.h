/* What an object is that is registered as a handler: see handler_object.c. */
#ifndef GENERATORS_EVENTS_HANDLER_OBJECT_H
#define GENERATORS_EVENTS_HANDLER_OBJECT_H

#include "state.h"

/* Where a generator is.  An object that only looks like a generator is taken as new. */
typedef enum {
    GENERATOR_NEW,
    GENERATOR_SUSPENDED,
    GENERATOR_RUNNING,
    GENERATOR_OVER
} generator_stage_at;

/* Where a generator or async generator is: a value of generator_stage_at, or -1. */
int generator_stage(PyObject *generator);

/* Flags of the code of a function. */
#define FUNCTION_FLAGS (CO_GENERATOR | CO_COROUTINE | CO_ASYNC_GENERATOR)

/* One of FUNCTION_FLAGS for what calling the object runs; 0; or -1. */
int callable_flags(PyObject *object);

#endif
