/* Threads that never touch the interpreter, a monitor for them to wait on, and what the
 * process may use.
 */
#ifndef GENERATORS_CORE_THREADS_H
#define GENERATORS_CORE_THREADS_H

#include <stdbool.h>

#ifndef _WIN32
#include <pthread.h>
#endif

/* A mutex with one condition.  What Windows has of them is as large as a pointer each; its
   header has many names, and is only in threads.c. */
typedef struct {
#ifdef _WIN32
    void *mutex;
    void *condition;
#else
    pthread_mutex_t mutex;
    pthread_cond_t condition;
#endif
} threads_monitor;

/* False if the system refuses it. */
bool threads_monitor_init(threads_monitor *self);
void threads_monitor_free(threads_monitor *self);
void threads_monitor_enter(threads_monitor *self);
void threads_monitor_leave(threads_monitor *self);

/* Within the monitor: leave it until threads_monitor_wake() is called, or for no reason. */
void threads_monitor_wait(threads_monitor *self);
void threads_monitor_wake(threads_monitor *self);

typedef struct {
    void (*run)(void *argument);
    void *argument;
#ifdef _WIN32
    void *handle;
#else
    pthread_t id;
#endif
} threads_thread;

/* Run a function on a new thread, which takes no signals.  The struct stays where it is. False
   if the system refuses it. */
bool threads_start(threads_thread *self, void (*run)(void *argument), void *argument);
void threads_join(threads_thread *self);

/* The number of the process: another one after a fork. */
unsigned long threads_process(void);

/* How many processors the process may use, at least 1. */
int threads_available(void);

#endif
