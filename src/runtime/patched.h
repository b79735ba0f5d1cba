/* Greenlet libraries that have replaced the threads of this process. */
#ifndef GENERATORS_RUNTIME_PATCHED_H
#define GENERATORS_RUNTIME_PATCHED_H

#include "state.h"

/* 0, or -1 with a RuntimeError where gevent or eventlet has replaced threads by greenlets: one
   that waits for another then stops the whole process.  The message is made of `who`, as in
   "map_threads()", and of `instead`, a clause that says what to do.  Or with the exception
   that asking raised.  For a constructor: before anything is started. */
int patched_check_threads(const char *who, const char *instead);

#endif
