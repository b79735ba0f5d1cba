/* Locks between threads. */
#ifndef GENERATORS_RUNTIME_LOCK_H
#define GENERATORS_RUNTIME_LOCK_H

#include "state.h"

/* A lock, taken at once: to leave one that is not taken ends the process on 3.15.  NULL with
   MemoryError. */
static inline PyThread_type_lock
lock_new_taken(void)
{
    PyThread_type_lock lock = PyThread_allocate_lock();
    if (lock == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    PyThread_acquire_lock(lock, NOWAIT_LOCK);
    return lock;
}

#endif
