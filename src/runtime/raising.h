/* What is raised where a generator would raise it: where an exception arose is told,
 * errors are chained, and none ends a loop by mistake (PEP 479).
 */
#ifndef GENERATORS_RUNTIME_RAISING_H
#define GENERATORS_RUNTIME_RAISING_H

#include "state.h"

/* What is being raised, if it is one of `type`, is forgotten: 0, and -1 where it is
   another, which stays. */
static inline int
raising_forgive(PyObject *type)
{
    if (!PyErr_ExceptionMatches(type)) {
        return -1;
    }
    PyErr_Clear();
    return 0;
}

/* The same for what the answer of a user's object to a mere question may be: any
   Exception but that of no memory, which says nothing of the object. */
static inline int
raising_forgive_answer(void)
{
    return PyErr_ExceptionMatches(PyExc_MemoryError) ? -1 : raising_forgive(PyExc_Exception);
}

/* Add a note that says where the exception being raised arose, unless a stage further in has
   done so.  `format` is as for PyUnicode_FromFormat and begins with "while reading ". */
void stream_note(const char *format, ...);

/* Add a note (stolen; NULL with an exception set) to an exception.  0, also where that fails
   with an Exception; -1 with what must be raised instead (KeyboardInterrupt, MemoryError and
   their like), whose context is `exception`. */
int raising_add_note(PyObject *exception, PyObject *text);

/* What is raised now was raised while `earlier` (stolen, or NULL) was: make that the last of
   its contexts, without making a circle. */
void raising_chain(PyObject *earlier);

/* The same for an exception that is not the current one. */
void raising_chain_to(PyObject *error, PyObject *earlier);

/* Make a RuntimeError of the exception being raised if it is a `stop`, with that as
   its cause: "`who` raised StopIteration". */
void raising_convert(PyObject *stop, const char *who);

/* The exception that the arguments of throw() or athrow() mean, as generators read
   them; NULL with an exception set where they mean none. */
PyObject *raising_thrown(const char *method, PyObject *const *args, Py_ssize_t count);

/* End an iteration with that value: StopIteration, or nothing at all for None, as
   tp_iternext may. */
void raising_stop(PyObject *value);

/* Raise RuntimeError: the interpreter is shutting down, and the module's types are gone. */
void raising_shut_down(void);

/* Hand the exception being raised to sys.unraisablehook(); `where` it arose may be NULL. */
void raising_unraisable(PyObject *where);

#endif
