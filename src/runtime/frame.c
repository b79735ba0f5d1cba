/* A frame that stands for native code: see frame.h.
 *
 * It is made when it is asked for, never runs, and nothing holds it here.
 */
#include "runtime/frame.h"

#include <string.h>

#include "compat.h"

PyObject *
frame_of_native(const char *name)
{
    PyCodeObject *code = PyCode_NewEmpty("<generators>", name, 1);
    PyObject *frame = code == NULL ? NULL : compat_new_frame(code);
    Py_XDECREF(code);
    return frame;
}

PyObject *
frame_code_of_native(const char *name)
{
    return (PyObject *)PyCode_NewEmpty("<generators>", name, 1);
}

const char *
frame_type_name(PyObject *op)
{
    const char *name = Py_TYPE(op)->tp_name, *dot = strrchr(name, '.');
    return dot == NULL ? name : dot + 1;
}
