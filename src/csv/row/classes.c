/* The parameters of a class that rows are made into, with their annotations and defaults.
 *
 * A NamedTuple and a plain dataclass are called with values in the order of their own
 * parameters, which is the fast way.  Any other class is described by _shapes.py, and called
 * with keywords.
 *
 * They are read once, when the stream of rows is made.  This imports typing and inspect, which
 * the class itself has mostly imported already.
 */
#include "csv/row/classes.h"

#include <string.h>

#include "runtime/attributes.h"

static PyObject *
call_of_module(const char *module_name, const char *name, PyObject *argument)
{
    PyObject *module = PyImport_ImportModule(module_name);
    PyObject *result = NULL;
    if (module != NULL) {
        result = PyObject_CallMethod(module, name, "O", argument);
        Py_DECREF(module);
    }
    return result;
}

/* The resolved annotations of a class, with what Annotated adds to them: a new reference to a
   dict. */
static PyObject *
hints_of(PyObject *type)
{
    PyObject *typing = PyImport_ImportModule("typing");
    PyObject *function =
        typing == NULL ? NULL : PyObject_GetAttrString(typing, "get_type_hints");
    PyObject *args = function == NULL ? NULL : PyTuple_Pack(1, type);
    PyObject *kwargs = args == NULL ? NULL : Py_BuildValue("{sO}", "include_extras", Py_True);
    PyObject *hints = kwargs == NULL ? NULL : PyObject_Call(function, args, kwargs);
    Py_XDECREF(typing);
    Py_XDECREF(function);
    Py_XDECREF(args);
    Py_XDECREF(kwargs);
    if (hints == NULL && PyErr_ExceptionMatches(PyExc_Exception) &&
        !PyErr_ExceptionMatches(PyExc_MemoryError)) {
        PyObject *cause = PyErr_GetRaisedException();
        PyErr_Format(PyExc_TypeError, "the annotations of %s can't be resolved: %S",
                     ((PyTypeObject *)type)->tp_name, cause);
        PyObject *error = PyErr_GetRaisedException();
        PyException_SetContext(error, Py_NewRef(cause));
        PyException_SetCause(error, cause);
        PyErr_SetRaisedException(error);
    }
    return hints;
}

/* A parameter's name as an exact str, to be used as a keyword of a call: a new reference or
   NULL. */
static PyObject *
plain_name(PyObject *name)
{
    if (!PyUnicode_Check(name)) {
        PyErr_Format(PyExc_TypeError, "the name of a field must be str, not %.200s",
                     Py_TYPE(name)->tp_name);
        return NULL;
    }
    return PyUnicode_FromObject(name);
}

/* The annotation of `name`, without InitVar: a new reference; NULL without an exception set if
   there is none. */
static PyObject *
hint_of(PyObject *hints, PyObject *name)
{
    PyObject *hint = PyObject_GetItem(hints, name);
    if (hint == NULL) {
        raising_forgive(PyExc_KeyError);
        return NULL;
    }
    if (strcmp(Py_TYPE(hint)->tp_name, "InitVar") == 0) {
        PyObject *type = PyObject_GetAttrString(hint, "type");
        Py_DECREF(hint);
        return type;
    }
    return hint;
}

static int
reserve(csv_signature *self, Py_ssize_t count)
{
    self->items = PyMem_Calloc((size_t)count + 1, sizeof *self->items);
    if (self->items == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    return 0;
}

/* ---- NamedTuple ---- */

/* Set *direct if the tuple may be made here: its __new__ is that of collections.namedtuple,
   and neither __init__ nor the metaclass does anything.  0 or -1. */
static int
is_direct(PyObject *type, bool *direct)
{
    PyTypeObject *t = (PyTypeObject *)type;
    *direct = false;
    if (t->tp_init != PyBaseObject_Type.tp_init ||
        Py_TYPE(type)->tp_call != PyType_Type.tp_call) {
        return 0;
    }
    PyObject *made = PyObject_GetAttrString(type, "__new__");
    if (made == NULL) {
        return -1;
    }
    int is = PyFunction_Check(made) ? compat_is_new_of_named_tuple(made) : 0;
    Py_DECREF(made);
    *direct = is > 0;
    return is < 0 ? -1 : 0;
}

static int
add_tuple_field(csv_signature *self, PyObject *name, PyObject *hints, PyObject *defaults)
{
    csv_parameter *p = &self->items[self->count++];
    p->name = plain_name(name);
    p->hint = p->name == NULL ? NULL : hint_of(hints, p->name);
    if (PyErr_Occurred()) {
        return -1;
    }
    p->value = PyObject_GetItem(defaults, p->name);
    if (p->value == NULL && raising_forgive(PyExc_KeyError) < 0) {
        return -1;
    }
    p->optional = p->value != NULL;
    p->missing = Py_XNewRef(p->value);
    return 0;
}

int
csv_signature_of_named_tuple(csv_signature *self, PyObject *type, bool *direct)
{
    PyObject *hints = hints_of(type);
    PyObject *names = hints == NULL ? NULL : PyObject_GetAttrString(type, "_fields");
    PyObject *defaults =
        names == NULL ? NULL : PyObject_GetAttrString(type, "_field_defaults");
    int status = -1;
    if (defaults != NULL && !PyTuple_Check(names)) {
        PyErr_Format(PyExc_TypeError, "_fields must be a tuple, not %R", names);
    }
    else if (defaults != NULL && is_direct(type, direct) == 0 &&
             reserve(self, PyTuple_GET_SIZE(names)) == 0) {
        Py_ssize_t i = 0;
        while (i < PyTuple_GET_SIZE(names) &&
               add_tuple_field(self, PyTuple_GET_ITEM(names, i), hints, defaults) == 0) {
            i++;
        }
        status = i == PyTuple_GET_SIZE(names) ? 0 : -1;
    }
    Py_XDECREF(hints);
    Py_XDECREF(names);
    Py_XDECREF(defaults);
    return status;
}

/* ---- dataclass ---- */

enum { POSITIONAL_ONLY, POSITIONAL_OR_KEYWORD, VAR_POSITIONAL, KEYWORD_ONLY, VAR_KEYWORD };

/* Add an inspect.Parameter.  0 or -1. */
static int
add_parameter(csv_signature *self, PyObject *parameter, PyObject *hints)
{
    PyObject *kind = PyObject_GetAttrString(parameter, "kind");
    long number = kind == NULL ? -1 : PyLong_AsLong(kind);
    Py_XDECREF(kind);
    if (number < 0) {
        return -1;
    }
    if (number == VAR_POSITIONAL || number == VAR_KEYWORD) {
        return 0;
    }
    csv_parameter *p = &self->items[self->count++];
    p->keyword = number == KEYWORD_ONLY;
    PyObject *name = PyObject_GetAttrString(parameter, "name");
    p->name = name == NULL ? NULL : plain_name(name);
    Py_XDECREF(name);
    if (p->name == NULL) {
        return -1;
    }
    PyObject *value = PyObject_GetAttrString(parameter, "default");
    PyObject *empty = PyObject_GetAttrString(parameter, "empty");
    p->optional = value != empty;
    Py_XDECREF(empty);
    if (value == NULL || empty == NULL) {
        Py_XDECREF(value);
        return -1;
    }
    if (p->optional) {
        p->missing = value;
    }
    else {
        Py_DECREF(value);
    }
    p->hint = hint_of(hints, p->name);
    return p->hint == NULL && PyErr_Occurred() ? -1 : 0;
}

static int
add_parameters(csv_signature *self, PyObject *signature, PyObject *hints)
{
    PyObject *mapping = PyObject_GetAttrString(signature, "parameters");
    PyObject *list = mapping == NULL ? NULL : PyMapping_Values(mapping);
    PyObject *values = list == NULL ? NULL : PyList_AsTuple(list);
    int status = -1;
    if (values != NULL && reserve(self, PyTuple_GET_SIZE(values)) == 0) {
        Py_ssize_t i = 1; /* after self */
        while (i < PyTuple_GET_SIZE(values) &&
               add_parameter(self, PyTuple_GET_ITEM(values, i), hints) == 0) {
            i++;
        }
        status = i >= PyTuple_GET_SIZE(values) ? 0 : -1;
    }
    Py_XDECREF(mapping);
    Py_XDECREF(list);
    Py_XDECREF(values);
    return status;
}

/* Find an __init__ that may be called directly, on an object made here.  This saves packing
   the arguments twice.  It must be a plain function, and calling the class must run nothing
   else.  0 or -1. */
static int
find_init(PyObject *type, PyObject **init)
{
    PyTypeObject *t = (PyTypeObject *)type;
    *init = NULL;
    if (t->tp_new != PyBaseObject_Type.tp_new ||
        Py_TYPE(type)->tp_call != PyType_Type.tp_call ||
        t->tp_init == PyBaseObject_Type.tp_init) {
        return 0;
    }
    PyObject *found = PyObject_GetAttrString(type, "__init__");
    if (found == NULL) {
        return -1;
    }
    if (PyFunction_Check(found)) {
        *init = found;
        return 0;
    }
    Py_DECREF(found);
    return 0;
}

int
csv_signature_of_dataclass(csv_signature *self, PyObject *type, PyObject **init)
{
    PyObject *hints = hints_of(type);
    /* The signature of __init__, not of the class: its metaclass may have another
       signature. */
    PyObject *made_by = hints == NULL ? NULL : PyObject_GetAttrString(type, "__init__");
    PyObject *signature = NULL;
    if (made_by != NULL) {
        signature = call_of_module("inspect", "signature", made_by);
        Py_DECREF(made_by);
    }
    int status = -1;
    if (signature != NULL && add_parameters(self, signature, hints) == 0) {
        status = find_init(type, init);
    }
    Py_XDECREF(hints);
    Py_XDECREF(signature);
    return status;
}

/* Whether a function's parameters are what it shows, each with a name: 1, 0 or -1. */
static int
is_plain_function(PyObject *function)
{
    if (!PyFunction_Check(function)) {
        return 0;
    }
    long flags = compat_code_flags(PyFunction_GET_CODE(function));
    if (flags < 0) {
        return -1;
    }
    if (flags & (CO_VARARGS | CO_VARKEYWORDS)) {
        return 0;
    }
    int wrapped = attributes_has(function, "__wrapped__");
    int shown = wrapped != 0 ? wrapped : attributes_has(function, "__signature__");
    return shown < 0 ? -1 : !shown;
}

int
csv_dataclass_is_plain(PyObject *type)
{
    PyTypeObject *t = (PyTypeObject *)type;
    if (t->tp_new != PyBaseObject_Type.tp_new ||
        Py_TYPE(type)->tp_call != PyType_Type.tp_call) {
        return 0;
    }
    PyObject *init = PyObject_GetAttrString(type, "__init__");
    if (init == NULL) {
        return -1;
    }
    int plain = t->tp_init == PyBaseObject_Type.tp_init ? 1 : is_plain_function(init);
    Py_DECREF(init);
    return plain;
}

/* ---- any other class ---- */

/* The names of a column, each as an exact str: a new tuple, or NULL. */
static PyObject *
plain_names(PyObject *given)
{
    PyObject *names = PyTuple_New(PyTuple_GET_SIZE(given));
    for (Py_ssize_t i = 0; names != NULL && i < PyTuple_GET_SIZE(given); i++) {
        PyObject *name = plain_name(PyTuple_GET_ITEM(given, i));
        if (name == NULL) {
            Py_CLEAR(names);
            break;
        }
        PyTuple_SET_ITEM(names, i, name);
    }
    return names;
}

/* Add a Parameter of _shapes.py.  0 or -1. */
static int
add_described(csv_signature *self, PyObject *described)
{
    PyObject *names, *name, *hint;
    int optional, loose;
    if (!PyArg_ParseTuple(described, "O!OOpp", &PyTuple_Type, &names, &name, &hint, &optional,
                          &loose)) {
        return -1;
    }
    csv_parameter *p = &self->items[self->count++];
    p->keyword = true;
    p->optional = optional != 0;
    p->loose = loose != 0;
    p->hint = hint == Py_None ? NULL : Py_NewRef(hint);
    p->names = plain_names(names);
    p->name = p->names == NULL || name == Py_None ? NULL : plain_name(name);
    return PyErr_Occurred() ? -1 : 0;
}

int
csv_signature_of_description(csv_signature *self, PyObject *list)
{
    PyObject *items = PySequence_Tuple(list);
    int status = items == NULL ? -1 : reserve(self, PyTuple_GET_SIZE(items));
    self->by_name = true;
    for (Py_ssize_t i = 0; status == 0 && i < PyTuple_GET_SIZE(items); i++) {
        status = add_described(self, PyTuple_GET_ITEM(items, i));
    }
    Py_XDECREF(items);
    return status;
}

/* ---- all ---- */

void
csv_signature_free(csv_signature *self)
{
    for (Py_ssize_t i = 0; i < self->count; i++) {
        Py_XDECREF(self->items[i].name);
        Py_XDECREF(self->items[i].names);
        Py_XDECREF(self->items[i].hint);
        Py_XDECREF(self->items[i].value);
        Py_XDECREF(self->items[i].missing);
    }
    PyMem_Free(self->items);
}

int
csv_signature_traverse(csv_signature *self, visitproc visit, void *arg)
{
    for (Py_ssize_t i = 0; i < self->count; i++) {
        Py_VISIT(self->items[i].hint);
        Py_VISIT(self->items[i].value);
        Py_VISIT(self->items[i].missing);
    }
    return 0;
}
