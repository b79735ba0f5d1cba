/* csv_sniffed: core/sniff.h for the Python code of csv_sniff(), which reads the sample, finds
 * its encoding and says how sure all of it is.
 *
 * A function without state.  It parses the characters of an exact str, which it holds and
 * which never change, with the GIL released.  No user code runs.
 */
#include "csv/sniff/sniffed.h"

#include "core/sniff.h"
#include "core/sniff_bits.h"

/* A new reference to the character as a str, or to None. */
static PyObject *
character(uint32_t c)
{
    return c == SCAN_ABSENT ? Py_NewRef(Py_None) : PyUnicode_FromOrdinal((int)c);
}

static PyObject *
sniffed_candidate(const sniff_candidate *c)
{
    const sniff_score *s = &c->score;
    return Py_BuildValue(
        "{sNsNsNsOsdsIsIsIsIsIsI}", "delimiter", character(c->dialect.set.delimiter),
        "quotechar", character(c->dialect.set.quote), "escapechar",
        character(c->dialect.set.escape), "skipinitialspace",
        c->dialect.skip_space ? Py_True : Py_False, "bits", (double)c->total / SNIFF_BIT,
        "records", (unsigned int)s->records, "cells", (unsigned int)s->cells, "quoted",
        (unsigned int)s->quoted, "doubled", (unsigned int)s->doubled, "escaped",
        (unsigned int)s->escaped, "damaged", (unsigned int)s->damaged);
}

/* Those that parsed the whole text, best first. */
static PyObject *
sniffed_candidates(const sniff *result)
{
    PyObject *list = PyList_New((Py_ssize_t)result->compared);
    for (size_t i = 0; list != NULL && i < result->compared; i++) {
        PyObject *item = sniffed_candidate(&result->all[i]);
        if (item == NULL) {
            Py_CLEAR(list);
        }
        else {
            PyList_SET_ITEM(list, (Py_ssize_t)i, item);
        }
    }
    return list;
}

static PyObject *
sniffed_result(const sniff *result)
{
    PyObject *candidates = sniffed_candidates(result);
    if (candidates == NULL) {
        return NULL;
    }
    const sniff_table *table = &result->table;
    const sniff_comment *comment = &result->comment;
    return Py_BuildValue(
        "{sNsOsIsIsIsIsIsisz#}", "candidates", candidates, "declared",
        result->declared ? Py_True : Py_False, "skip", (unsigned int)table->skip, "titles",
        (unsigned int)table->titles, "comments", (unsigned int)table->comments, "records",
        (unsigned int)table->records, "columns", (unsigned int)table->columns, "header",
        (int)table->header, "comment", comment->length > 0 ? comment->prefix : NULL,
        (Py_ssize_t)comment->length);
}

PyDoc_STRVAR(sniffed_doc,
             "csv_sniffed($module, text, whole, /)\n"
             "--\n\n"
             "What csv_sniff() finds out about a text.  whole: it is not cut off.");

static PyObject *
csv_sniffed(PyObject *module, PyObject *args)
{
    PyObject *text;
    int whole;
    if (!PyArg_ParseTuple(args, "Up:csv_sniffed", &text, &whole) ||
        PyUnicode_READY(text) < 0) {
        return NULL;
    }
    const Py_ssize_t length = PyUnicode_GET_LENGTH(text);
    if ((uint64_t)length > UINT32_MAX / 2) {
        PyErr_SetString(PyExc_OverflowError, "the sample is too long");
        return NULL;
    }
    sniff *result = PyMem_RawMalloc(sizeof *result);
    if (result == NULL) {
        return PyErr_NoMemory();
    }
    const generators_state *state = PyModule_GetState(module);
    const scan_kernel *kernel = state->kernel;
    const void *units = PyUnicode_DATA(text);
    const int width = (int)PyUnicode_KIND(text);
    bool fine;
    Py_INCREF(text);
    Py_BEGIN_ALLOW_THREADS
    fine = sniff_text(result, kernel, units, width, (size_t)length, whole);
    Py_END_ALLOW_THREADS
    Py_DECREF(text);
    PyObject *answer = fine ? sniffed_result(result) : PyErr_NoMemory();
    PyMem_RawFree(result);
    return answer;
}

static PyMethodDef sniffed_methods[] = {
    {"csv_sniffed", csv_sniffed, METH_VARARGS, sniffed_doc},
    {NULL},
};

int
csv_sniffed_add(PyObject *module)
{
    return PyModule_AddFunctions(module, sniffed_methods);
}
