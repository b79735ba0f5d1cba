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

/* Free one that is taken, or NULL. */
static inline void
lock_free_taken(PyThread_type_lock *lock)
{
    PyThread_type_lock freed = *lock;
    *lock = NULL;
    if (freed != NULL) {
        PyThread_release_lock(freed); /* some systems do not free a lock that is held */
        PyThread_free_lock(freed);
    }
}

/* Sleep until another thread releases the lock, which is taken, at most that long, or for ever
   where that is UINT64_MAX.  PY_LOCK_INTR: a signal came. */
static inline PyLockStatus
lock_sleep(PyThread_type_lock lock, uint64_t nanoseconds)
{
    PyLockStatus status;
    PY_TIMEOUT_T microseconds = -1;
    if (nanoseconds != UINT64_MAX) {
        uint64_t rounded = nanoseconds / 1000 + (nanoseconds % 1000 != 0);
        uint64_t most = (uint64_t)PY_TIMEOUT_MAX;
        microseconds = (PY_TIMEOUT_T)(rounded < most ? rounded : most);
    }
    Py_BEGIN_ALLOW_THREADS
    status = PyThread_acquire_lock_timed(lock, microseconds, 1);
    Py_END_ALLOW_THREADS
    return status;
}

#endif
