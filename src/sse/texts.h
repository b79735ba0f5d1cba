/* The UTF-8 of texts. */
#ifndef GENERATORS_SSE_TEXTS_H
#define GENERATORS_SSE_TEXTS_H

#include "state.h"

typedef struct {
    const char *bytes;
    size_t count;
    PyObject *owner; /* owned: has the bytes, or NULL if the text has them itself */
} utf8_view;

/* The UTF-8 of a str, valid while the str lives and the view is not closed.  0, or -1 with
   UnicodeEncodeError for a lone surrogate. */
int utf8_view_open(utf8_view *self, PyObject *text);

static inline void
utf8_view_close(utf8_view *self)
{
    Py_CLEAR(self->owner);
}

#endif
