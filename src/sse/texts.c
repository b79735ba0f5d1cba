/* The UTF-8 of texts: see texts.h.  There is no state, and no user code runs. */
#include "sse/texts.h"

int
utf8_view_open(utf8_view *self, PyObject *text)
{
    self->owner = NULL;
    if (PyUnicode_READY(text) < 0) {
        return -1;
    }
    if (PyUnicode_IS_COMPACT_ASCII(text)) {
        self->bytes = PyUnicode_DATA(text);
        self->count = (size_t)PyUnicode_GET_LENGTH(text);
        return 0;
    }
    self->owner = PyUnicode_AsUTF8String(text);
    if (self->owner == NULL) {
        return -1;
    }
    self->bytes = PyBytes_AS_STRING(self->owner);
    self->count = (size_t)PyBytes_GET_SIZE(self->owner);
    return 0;
}
