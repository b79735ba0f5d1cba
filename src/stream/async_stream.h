/* The base type of every asynchronous stream, registered as an AsyncGenerator. */
#ifndef GENERATORS_STREAM_ASYNC_STREAM_H
#define GENERATORS_STREAM_ASYNC_STREAM_H

#include "state.h"

extern PyType_Spec async_stream_spec;

#endif
