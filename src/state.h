/* The state of one copy of the module, and how to reach it. */
#ifndef GENERATORS_STATE_H
#define GENERATORS_STATE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdbool.h>

#include "compat.h"
#include "core/scan.h"

/* The objects that one copy of the module holds: X(type, name). */
#define GENERATORS_STATE_OBJECTS(X)                                        \
    X(PyTypeObject, stream_type)                                           \
    X(PyTypeObject, async_stream_type)                                     \
    X(PyTypeObject, coroutine_type)                                        \
    X(PyTypeObject, coroutine_wrapper_type)                                \
    X(PyTypeObject, home_type)                                             \
    X(PyTypeObject, waiter_type)                                           \
    X(PyTypeObject, async_step_type)                                       \
    X(PyTypeObject, stop_type) /* see aio/stop.h */                        \
    X(PyTypeObject, to_async_type)                                         \
    X(PyTypeObject, worker_type)                                           \
    X(PyTypeObject, csv_rows_type)                                         \
    X(PyTypeObject, csv_batches_type)                                      \
    X(PyTypeObject, csv_schema_reader_type)                                \
    X(PyTypeObject, csv_batch_type)                                        \
    X(PyTypeObject, csv_column_type)                                       \
    X(PyTypeObject, csv_reader_type)                                       \
    X(PyTypeObject, csv_dict_reader_type)                                  \
    X(PyTypeObject, csv_dict_writer_type)                                  \
    X(PyTypeObject, csv_row_type)                                          \
    X(PyTypeObject, csv_block_type)                                        \
    X(PyTypeObject, csv_names_type)                                        \
    X(PyTypeObject, csv_converter_type)                                    \
    X(PyTypeObject, csv_scanner_type)                                      \
    X(PyTypeObject, csv_encode_type)                                       \
    X(PyTypeObject, lines_type)                                            \
    X(PyTypeObject, alines_type)                                           \
    X(PyTypeObject, jsonl_rows_type)                                       \
    X(PyTypeObject, ajsonl_rows_type)                                      \
    X(PyTypeObject, jsonl_encode_type)                                     \
    X(PyTypeObject, ajsonl_encode_type)                                    \
    X(PyTypeObject, csv_writer_type)                                       \
    X(PyTypeObject, chunked_type)                                          \
    X(PyTypeObject, batched_type)                                          \
    X(PyTypeObject, heartbeat_type)                                        \
    X(PyTypeObject, aheartbeat_type)                                       \
    X(PyTypeObject, to_sync_type)                                          \
    X(PyTypeObject, driver_type)                                           \
    X(PyTypeObject, abatched_type)                                         \
    X(PyTypeObject, achunked_type)                                         \
    X(PyTypeObject, acsv_encode_type)                                      \
    X(PyTypeObject, acsv_batches_type)                                     \
    X(PyTypeObject, acsv_rows_type)                                        \
    X(PyTypeObject, drive_type)                                            \
    X(PyTypeObject, task_group_type)                                       \
    X(PyTypeObject, async_call_type)                                       \
    X(PyTypeObject, reader_type)                                           \
    X(PyTypeObject, amap_type)                                             \
    X(PyTypeObject, amerge_type)                                           \
    X(PyTypeObject, task_type)                                             \
    X(PyTypeObject, thread_call_type)                                      \
    X(PyTypeObject, workers_type)                                          \
    X(PyTypeObject, map_threads_type)                                      \
    X(PyTypeObject, event_source_type)                                     \
    X(PyTypeObject, aevent_source_type)                                    \
    X(PyTypeObject, event_stream_type)                                     \
    X(PyTypeObject, aevent_stream_type)                                    \
    X(PyTypeObject, sse_event_type)                                        \
    X(PyTypeObject, broadcast_type)                                        \
    X(PyTypeObject, subscriber_type)                                       \
    X(PyTypeObject, sync_subscriber_type)                                  \
    X(PyTypeObject, gate_waker_type)                                       \
    X(PyTypeObject, publishing_type)                                       \
    X(PyTypeObject, dispatcher_type)                                       \
    X(PyTypeObject, event_handler_type)                                    \
    X(PyTypeObject, event_topic_type)                                      \
    X(PyTypeObject, event_coroutine_type)                                  \
    X(PyTypeObject, event_queue_task_type)                                 \
    X(PyTypeObject, event_mailbox_task_type)                               \
    X(PyTypeObject, event_wait_type)                                       \
    X(PyObject, event_class)          /* Event */                          \
    X(PyObject, error_event_class)    /* ErrorEvent */                     \
    X(PyObject, str_error)            /* the type of its events */         \
    X(PyObject, coroutine_abc)        /* collections.abc.Coroutine */      \
    X(PyObject, generator_abc)        /* collections.abc.Generator */      \
    X(PyObject, async_generator_abc)  /* its async twin */                 \
    X(PyObject, mapping_abc)          /* collections.abc.Mapping */        \
    X(PyObject, get_asyncgen_hooks)   /* of sys */                         \
    X(PyObject, data_error)           /* DataError */                      \
    X(PyObject, csv_error)            /* CSVError */                       \
    X(PyObject, csv_base_error)       /* csv.Error */                      \
    X(PyObject, csv_dialect)          /* _csv.Dialect */                   \
    X(PyObject, csv_default_dialect)  /* an instance of it */              \
    X(PyObject, csv_field_size_limit) /* _csv.field_size_limit */          \
    X(PyObject, csv_interned)         /* see csv/module/interned.h */      \
    X(PyObject, csv_single_bytes)     /* a dict: see csv/parse/decode.c */ \
    X(PyObject, io)                   /* the module */                     \
    X(PyObject, flush)                /* FLUSH */                          \
    X(PyObject, sse_message)          /* "message" */                      \
    X(PyObject, sse_data)             /* the names of its fields */        \
    X(PyObject, sse_event)                                                 \
    X(PyObject, sse_id)                                                    \
    X(PyObject, sse_retry)                                                 \
    X(PyObject, sse_comment)                                               \
    X(PyObject, str_decode) /* and the like: interned names */             \
    X(PyObject, str_call_soon)                                             \
    X(PyObject, str_get_loop)                                              \
    X(PyObject, str_add_done_callback)                                     \
    X(PyObject, str_future_blocking) /* COMPAT_FUTURE_BLOCKING */          \
    X(PyObject, empty_text)                                                \
    X(PyObject, ascii_model) /* see generators_new_ascii() */              \
    X(PyObject, empty_tuple)                                               \
    X(PyObject, context_keyword) /* ("context",) */                        \
    X(PyObject, async_workers)   /* a set: those of to_async() that run */ \
    X(PyObject, forks)           /* see runtime/forks.h */                 \
    X(PyObject, spawned)         /* a set: see loop_spawn() */             \
    X(PyObject, kept_coroutine)  /* see event_coroutine.c; or NULL */      \
    /* NULL until a column asks for them: */                               \
    X(PyObject, decimal)  /* decimal.Decimal */                            \
    X(PyObject, date)     /* datetime.date */                              \
    X(PyObject, datetime) /* datetime.datetime */                          \
    X(PyObject, time)     /* datetime.time */                              \
    /* NULL until it is met, and guarded by `late`: */                     \
    X(PyObject, json_loads)           /* json.loads */                     \
    X(PyObject, json_compact)         /* see sse/writer.c */               \
    X(PyObject, asyncio_running_loop) /* functions of asyncio */           \
    X(PyObject, asyncio_current_task)                                      \
    X(PyObject, asyncio_swap_task)                                         \
    X(PyObject, asyncio_current_tasks) /* a dict, on 3.11 */               \
    X(PyObject, asyncio_enter_task)                                        \
    X(PyObject, asyncio_leave_task)                                        \
    X(PyObject, executor_future) /* concurrent.futures.Future */           \
    X(PyObject, all_workers)     /* a set of those that have threads */    \
    X(PyObject, background)      /* generators._background */              \
    X(PyObject, cancelled_error) /* asyncio.CancelledError */

/* State of one copy of the module; every reference is owned. */
typedef struct {
    const scan_kernel *kernel; /* chosen at import, borrowed for ever */
#define DECLARE(type, name) type *name;
    GENERATORS_STATE_OBJECTS(DECLARE)
#undef DECLARE
    PyObject *latin1[256]; /* the texts of one character */
    void
        *datetime_api; /* borrowed from its capsule for ever; stays NULL where there is none */
    PyObject *kept_stop; /* see aio/stop.c; not visited */
    bool keeps_stop;
    bool forks_watched; /* see bridge/worker_start.c */
    bool workers_started;
    bool executors_used;
    generators_lock late; /* see generators_late() */
} generators_state;

extern struct PyModuleDef generators_module;

/* For an object of a type of this module that can't be subclassed, so that its own
   type is the module's; not in traverse or dealloc. */
static inline generators_state *
generators_state_of(PyObject *op)
{
    return PyModule_GetState(compat_type_module(Py_TYPE(op)));
}

/* The same for one that can be: the type may be a user's. */
static inline generators_state *
generators_state_of_subclass(PyTypeObject *type)
{
    return PyModule_GetState(PyType_GetModuleByDef(type, &generators_module));
}

/* What is imported at first use, by several threads perhaps: NULL until then; borrowed. */
static inline PyObject *
generators_late(generators_state *state, PyObject **place)
{
    generators_lock_take(&state->late);
    PyObject *value = *place;
    generators_lock_leave(&state->late);
    return value;
}

/* Keep `value` (stolen) there, or what another thread has put there meanwhile; borrowed. */
static inline PyObject *
generators_set_late(generators_state *state, PyObject **place, PyObject *value)
{
    generators_lock_take(&state->late);
    PyObject *kept = *place;
    if (kept == NULL) {
        *place = value;
    }
    generators_lock_leave(&state->late);
    if (kept == NULL) {
        return value;
    }
    Py_DECREF(value);
    return kept;
}

#endif
