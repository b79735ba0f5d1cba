#ifndef _WIN32
#define _GNU_SOURCE /* for sched_getaffinity() */
#include <sched.h>
#include <signal.h>
#include <unistd.h>
#endif

#include "core/threads.h"

#ifdef _WIN32
#define WIN32_LEAN_AND_MEAN
#include <windows.h>

_Static_assert(sizeof(SRWLOCK) == sizeof(void *), "as threads_monitor has it");
_Static_assert(sizeof(CONDITION_VARIABLE) == sizeof(void *), "as threads_monitor has it");

static SRWLOCK *
mutex_of(threads_monitor *self)
{
    return (SRWLOCK *)&self->mutex;
}

static CONDITION_VARIABLE *
condition_of(threads_monitor *self)
{
    return (CONDITION_VARIABLE *)&self->condition;
}

bool
threads_monitor_init(threads_monitor *self)
{
    InitializeSRWLock(mutex_of(self));
    InitializeConditionVariable(condition_of(self));
    return true;
}

void
threads_monitor_free(threads_monitor *self)
{
    (void)self;
}

void
threads_monitor_enter(threads_monitor *self)
{
    AcquireSRWLockExclusive(mutex_of(self));
}

void
threads_monitor_leave(threads_monitor *self)
{
    ReleaseSRWLockExclusive(mutex_of(self));
}

void
threads_monitor_wait(threads_monitor *self)
{
    (void)SleepConditionVariableSRW(condition_of(self), mutex_of(self), INFINITE, 0);
}

void
threads_monitor_wake(threads_monitor *self)
{
    WakeAllConditionVariable(condition_of(self));
}

static DWORD WINAPI
run_thread(void *argument)
{
    threads_thread *self = argument;
    self->run(self->argument);
    return 0;
}

bool
threads_start(threads_thread *self, void (*run)(void *argument), void *argument)
{
    self->run = run;
    self->argument = argument;
    self->handle = CreateThread(NULL, 0, run_thread, self, 0, NULL);
    return self->handle != NULL;
}

void
threads_join(threads_thread *self)
{
    (void)WaitForSingleObject(self->handle, INFINITE);
    (void)CloseHandle(self->handle);
}

unsigned long
threads_process(void)
{
    return GetCurrentProcessId();
}

int
threads_available(void)
{
    DWORD_PTR allowed = 0, existing = 0;
    int count = 0;
    if (GetProcessAffinityMask(GetCurrentProcess(), &allowed, &existing)) {
        for (; allowed != 0; allowed &= allowed - 1) {
            count++;
        }
    }
    return count > 0 ? count : 1;
}

#else

bool
threads_monitor_init(threads_monitor *self)
{
    if (pthread_mutex_init(&self->mutex, NULL) != 0) {
        return false;
    }
    if (pthread_cond_init(&self->condition, NULL) != 0) {
        (void)pthread_mutex_destroy(&self->mutex);
        return false;
    }
    return true;
}

void
threads_monitor_free(threads_monitor *self)
{
    (void)pthread_cond_destroy(&self->condition);
    (void)pthread_mutex_destroy(&self->mutex);
}

void
threads_monitor_enter(threads_monitor *self)
{
    (void)pthread_mutex_lock(&self->mutex);
}

void
threads_monitor_leave(threads_monitor *self)
{
    (void)pthread_mutex_unlock(&self->mutex);
}

void
threads_monitor_wait(threads_monitor *self)
{
    (void)pthread_cond_wait(&self->condition, &self->mutex);
}

void
threads_monitor_wake(threads_monitor *self)
{
    (void)pthread_cond_broadcast(&self->condition);
}

static void *
run_thread(void *argument)
{
    threads_thread *self = argument;
    self->run(self->argument);
    return NULL;
}

bool
threads_start(threads_thread *self, void (*run)(void *argument), void *argument)
{
    sigset_t all, before;
    self->run = run;
    self->argument = argument;
    /* The new thread inherits the mask: signals go to the threads of the interpreter. */
    (void)sigfillset(&all);
    if (pthread_sigmask(SIG_SETMASK, &all, &before) != 0) {
        return false;
    }
    int status = pthread_create(&self->id, NULL, run_thread, self);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return status == 0;
}

void
threads_join(threads_thread *self)
{
    (void)pthread_join(self->id, NULL);
}

unsigned long
threads_process(void)
{
    return (unsigned long)getpid();
}

int
threads_available(void)
{
    long count = sysconf(_SC_NPROCESSORS_ONLN);
#ifdef __linux__
    cpu_set_t allowed;
    if (sched_getaffinity(0, sizeof allowed, &allowed) == 0) {
        count = CPU_COUNT(&allowed);
    }
#endif
    return count > 1 ? (int)count : 1;
}

#endif
