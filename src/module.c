/* The extension module: it registers the types and tears down. */
#include "state.h"

#include "aio/coroutine.h"
#include "aio/home.h"
#include "aio/stop.h"
#include "aio/waiter.h"
#include "bridge/driver.h"
#include "bridge/aheartbeat.h"
#include "bridge/heartbeat.h"
#include "bridge/to_async.h"
#include "bridge/to_sync.h"
#include "bridge/worker.h"
#include "broadcast/broadcast.h"
#include "broadcast/gate.h"
#include "broadcast/publishing.h"
#include "broadcast/subscriber.h"
#include "broadcast/sync_subscriber.h"
#include "chunks/abatched.h"
#include "chunks/achunked.h"
#include "chunks/batched.h"
#include "chunks/chunked.h"
#include "chunks/flush.h"
#include "csv/batches/abatches.h"
#include "csv/batches/batch.h"
#include "csv/batches/batches.h"
#include "csv/batches/column.h"
#include "csv/module/dict_reader.h"
#include "csv/module/dict_writer.h"
#include "csv/module/interned.h"
#include "csv/module/reader.h"
#include "csv/module/writer.h"
#include "csv/parse/error.h"
#include "csv/row/block.h"
#include "csv/row/converter.h"
#include "csv/row/names.h"
#include "csv/row/row.h"
#include "csv/rows/arows.h"
#include "csv/rows/rows.h"
#include "csv/schema/reader.h"
#include "csv/sniff/sniffed.h"
#include "csv/split/scanner.h"
#include "csv/write/aencoded.h"
#include "csv/write/encoded.h"
#include "events/dispatcher_methods.h"
#include "events/event_coroutine.h"
#include "events/handler.h"
#include "events/mailbox_task.h"
#include "events/queue_task.h"
#include "events/topic.h"
#include "events/wait_for.h"
#include "runtime/forks.h"
#include "source/data_error.h"
#include "sse/aevent_source.h"
#include "sse/aevent_stream.h"
#include "sse/event.h"
#include "sse/event_source.h"
#include "sse/event_stream.h"
#include "stream/astep.h"
#include "stream/async_stream.h"
#include "stream/astream.h"
#include "stream/stream.h"
#include "tasks/amap.h"
#include "tasks/amerge.h"
#include "tasks/async_call.h"
#include "tasks/drive.h"
#include "tasks/map_threads.h"
#include "tasks/reader.h"
#include "tasks/task.h"
#include "tasks/task_group.h"
#include "tasks/thread_call.h"
#include "tasks/workers.h"
#include "text/ajsonl_encode.h"
#include "text/ajsonl_rows.h"
#include "text/alines.h"
#include "text/jsonl_encode.h"
#include "text/jsonl_rows.h"
#include "text/lines.h"

static int
choose_kernel(generators_state *state)
{
    const char *name = Py_GETENV("GENERATORS_SCAN");
    state->kernel = scan_choose(name != NULL && *name != '\0' ? name : NULL);
    if (state->kernel == NULL) {
        PyErr_Format(
            PyExc_ImportError,
            "GENERATORS_SCAN names '%s', which is no kernel that this machine can run", name);
        return -1;
    }
    return 0;
}

static PyObject *
kernel_names(void)
{
    const scan_kernel *kernels[SCAN_KERNELS];
    Py_ssize_t count = 0;
    scan_kernels(kernels);
    while (kernels[count] != NULL) {
        count++;
    }
    PyObject *names = PyTuple_New(count);
    for (Py_ssize_t i = 0; names != NULL && i < count; i++) {
        PyObject *name = PyUnicode_FromString(kernels[i]->name);
        if (name == NULL) {
            Py_CLEAR(names);
            break;
        }
        PyTuple_SET_ITEM(names, i, name);
    }
    return names;
}

static int
add_kernels(PyObject *module, generators_state *state)
{
    PyObject *names = kernel_names();
    if (names == NULL) {
        return -1;
    }
    int status = PyModule_AddObjectRef(module, "scan_kernels", names);
    Py_DECREF(names);
    return status < 0 ? -1
                      : PyModule_AddStringConstant(module, "scan_kernel", state->kernel->name);
}

static int
make_texts(generators_state *state)
{
    for (int i = 0; i < 256; i++) {
        state->latin1[i] = PyUnicode_FromOrdinal(i);
        if (state->latin1[i] == NULL) {
            return -1;
        }
    }
    return (state->empty_text = PyUnicode_FromStringAndSize(NULL, 0)) == NULL ||
                   (state->ascii_model = PyUnicode_New(2, 127)) == NULL ||
                   (state->empty_tuple = PyTuple_New(0)) == NULL ||
                   (state->context_keyword = Py_BuildValue("(s)", "context")) == NULL ||
                   (state->str_decode = PyUnicode_InternFromString("decode")) == NULL ||
                   (state->str_call_soon = PyUnicode_InternFromString("call_soon")) == NULL ||
                   (state->str_get_loop = PyUnicode_InternFromString("get_loop")) == NULL ||
                   (state->str_add_done_callback =
                        PyUnicode_InternFromString("add_done_callback")) == NULL ||
                   (state->str_future_blocking =
                        PyUnicode_InternFromString(COMPAT_FUTURE_BLOCKING)) == NULL ||
                   (state->spawned = PySet_New(NULL)) == NULL ||
                   (state->async_workers = PySet_New(NULL)) == NULL ||
                   (state->forks = forks_new()) == NULL
               ? -1
               : 0;
}

static PyObject *
import_attribute(const char *module_name, const char *name)
{
    PyObject *module = PyImport_ImportModule(module_name);
    PyObject *value = module == NULL ? NULL : PyObject_GetAttrString(module, name);
    Py_XDECREF(module);
    return value;
}

static int
import_peers(generators_state *state)
{
    const struct {
        PyObject **value;
        const char *module, *name;
    } peers[] = {
        {&state->generator_abc, "collections.abc", "Generator"},
        {&state->async_generator_abc, "collections.abc", "AsyncGenerator"},
        {&state->mapping_abc, "collections.abc", "Mapping"},
        {&state->coroutine_abc, "collections.abc", "Coroutine"},
        {&state->get_asyncgen_hooks, "sys", "get_asyncgen_hooks"},
        {&state->csv_base_error, COMPAT_CSV, "Error"},
        {&state->csv_field_size_limit, COMPAT_CSV, "field_size_limit"},
    };
    for (size_t i = 0; i < Py_ARRAY_LENGTH(peers); i++) {
        *peers[i].value = import_attribute(peers[i].module, peers[i].name);
        if (*peers[i].value == NULL) {
            return -1;
        }
    }
    return (state->io = PyImport_ImportModule("io")) == NULL ||
                   (state->data_error = data_error_type()) == NULL ||
                   (state->csv_error = csv_error_type(state)) == NULL ||
                   (state->csv_dialect = compat_csv_dialect_type()) == NULL ||
                   (state->csv_default_dialect = PyObject_CallNoArgs(state->csv_dialect)) ==
                       NULL
               ? -1
               : 0;
}

/* PyType_FromModuleAndSpec() of 3.13 says nothing where it has no memory for a name. */
static PyTypeObject *
make_type(PyObject *module, PyType_Spec *spec, void *base)
{
    PyObject *type = PyType_FromModuleAndSpec(module, spec, base);
    if (type == NULL && !PyErr_Occurred()) {
        PyErr_NoMemory();
    }
    return (PyTypeObject *)type;
}

/* A type that is built upon the one shared piece of all streams; *type is owned
   by the state. */
static int
add_stream_type(PyObject *module, generators_state *state, PyType_Spec *spec,
                PyTypeObject **type)
{
    *type = make_type(module, spec, state->stream_type);
    return *type == NULL ? -1 : PyModule_AddType(module, *type);
}

/* The same upon the shared piece of all async streams. */
static int
add_async_stream_type(PyObject *module, generators_state *state, PyType_Spec *spec,
                      PyTypeObject **type)
{
    *type = make_type(module, spec, state->async_stream_type);
    return *type == NULL ? -1 : PyModule_AddType(module, *type);
}

/* The same upon the shared piece of all coroutines, which no name of the module gives. */
static int
add_coroutine_type(PyObject *module, generators_state *state, PyType_Spec *spec,
                   PyTypeObject **type)
{
    *type = make_type(module, spec, state->coroutine_type);
    return *type == NULL ? -1 : 0;
}

/* FLUSH, the one object of its type. */
static int
add_flush(PyObject *module, generators_state *state)
{
    PyTypeObject *type = make_type(module, &flush_spec, NULL);
    if (type == NULL) {
        return -1;
    }
    state->flush = type->tp_alloc(type, 0);
    Py_DECREF(type);
    return state->flush == NULL ? -1 : PyModule_AddObjectRef(module, "FLUSH", state->flush);
}

/* A type that is no stream, under the name by which it is found here. */
static PyTypeObject *
add_type(PyObject *module, const char *name, PyType_Spec *spec)
{
    PyTypeObject *type = make_type(module, spec, NULL);
    if (type != NULL && PyModule_AddObjectRef(module, name, (PyObject *)type) < 0) {
        Py_CLEAR(type);
    }
    return type;
}

/* Make the type an instance of an abstract class. */
static int
register_type(PyObject *abc, PyTypeObject *type)
{
    PyObject *done = PyObject_CallMethod(abc, "register", "(O)", (PyObject *)type);
    Py_XDECREF(done);
    return done == NULL ? -1 : 0;
}

/* The shared piece of all streams of a kind, registered with the class that they
   behave as. */
static PyTypeObject *
add_base_type(PyObject *module, PyType_Spec *spec, PyObject *abc)
{
    PyTypeObject *type = make_type(module, spec, NULL);
    if (type != NULL && register_type(abc, type) < 0) {
        Py_CLEAR(type);
    }
    return type;
}

/* The same with a name for annotations: *type is owned by the state. */
static int
add_public_base_type(PyObject *module, PyType_Spec *spec, PyObject *abc, PyTypeObject **type)
{
    *type = add_base_type(module, spec, abc);
    return *type == NULL ? -1 : PyModule_AddType(module, *type);
}

static int
add_async_types(PyObject *module, generators_state *state)
{
#if STOP_IS_REUSED
    state->stop_type = make_type(module, &stop_spec, PyExc_StopIteration);
    if (state->stop_type == NULL) {
        return -1;
    }
    state->keeps_stop = true;
#endif
    if ((state->coroutine_type =
             add_base_type(module, &coroutine_spec, state->coroutine_abc)) == NULL ||
        (state->coroutine_wrapper_type = make_type(module, &coroutine_wrapper_spec, NULL)) ==
            NULL ||
        add_coroutine_type(module, state, &home_spec, &state->home_type) < 0 ||
        (state->waiter_type = make_type(module, &waiter_spec, NULL)) == NULL ||
        add_coroutine_type(module, state, &astep_spec, &state->async_step_type) < 0 ||
        add_public_base_type(module, &async_stream_spec, state->async_generator_abc,
                             &state->async_stream_type) < 0 ||
        add_coroutine_type(module, state, &driver_spec, &state->driver_type) < 0 ||
        (state->worker_type = make_type(module, &worker_spec, NULL)) == NULL ||
        add_async_stream_type(module, state, &abatched_spec, &state->abatched_type) < 0 ||
        add_async_stream_type(module, state, &achunked_spec, &state->achunked_type) < 0 ||
        add_async_stream_type(module, state, &acsv_rows_spec, &state->acsv_rows_type) < 0 ||
        add_async_stream_type(module, state, &acsv_batches_spec, &state->acsv_batches_type) <
            0 ||
        add_async_stream_type(module, state, &acsv_encode_spec, &state->acsv_encode_type) <
            0) {
        return -1;
    }
    if (add_async_stream_type(module, state, &aheartbeat_spec, &state->aheartbeat_type) < 0) {
        return -1;
    }
    return add_async_stream_type(module, state, &to_async_spec, &state->to_async_type);
}

static int
add_types(PyObject *module, generators_state *state)
{
    if (add_public_base_type(module, &stream_spec, state->generator_abc, &state->stream_type) <
            0 ||
        add_stream_type(module, state, &csv_rows_spec, &state->csv_rows_type) < 0 ||
        add_stream_type(module, state, &csv_batches_spec, &state->csv_batches_type) < 0 ||
        add_stream_type(module, state, &csv_schema_reader_spec,
                        &state->csv_schema_reader_type) < 0 ||
        add_stream_type(module, state, &csv_encode_spec, &state->csv_encode_type) < 0 ||
        add_stream_type(module, state, &chunked_spec, &state->chunked_type) < 0 ||
        add_stream_type(module, state, &batched_spec, &state->batched_type) < 0 ||
        add_stream_type(module, state, &to_sync_spec, &state->to_sync_type) < 0 ||
        add_stream_type(module, state, &heartbeat_spec, &state->heartbeat_type) < 0 ||
        (state->csv_interned = csv_interned_new()) == NULL ||
        (state->csv_single_bytes = PyDict_New()) == NULL ||
        (state->csv_reader_type = add_type(module, "csv_reader", &csv_reader_spec)) == NULL ||
        (state->csv_writer_type = add_type(module, "csv_writer", &csv_writer_spec)) == NULL ||
        (state->csv_dict_reader_type =
             add_type(module, "csv_dict_reader", &csv_dict_reader_spec)) == NULL ||
        (state->csv_dict_writer_type =
             add_type(module, "csv_dict_writer", &csv_dict_writer_spec)) == NULL) {
        return -1;
    }
    return add_flush(module, state);
}

static int
add_task_types(PyObject *module, generators_state *state)
{
    if (add_coroutine_type(module, state, &drive_spec, &state->drive_type) < 0 ||
        PyModule_AddType(module, state->drive_type) < 0 ||
        (state->task_type = add_type(module, "task", &task_spec)) == NULL ||
        (state->thread_call_type = make_type(module, &thread_call_spec, NULL)) == NULL ||
        (state->workers_type = make_type(module, &workers_spec, NULL)) == NULL ||
        (state->task_group_type = make_type(module, &task_group_spec, NULL)) == NULL ||
        add_coroutine_type(module, state, &async_call_spec, &state->async_call_type) < 0 ||
        add_coroutine_type(module, state, &reader_spec, &state->reader_type) < 0 ||
        add_stream_type(module, state, &map_threads_spec, &state->map_threads_type) < 0 ||
        add_async_stream_type(module, state, &amap_spec, &state->amap_type) < 0) {
        return -1;
    }
    return add_async_stream_type(module, state, &amerge_spec, &state->amerge_type);
}

static int
add_broadcast_types(PyObject *module, generators_state *state)
{
    return (state->broadcast_type = add_type(module, "Broadcast", &broadcast_spec)) == NULL ||
                   (state->gate_waker_type = make_type(module, &gate_waker_spec, NULL)) ==
                       NULL ||
                   add_coroutine_type(module, state, &publishing_spec,
                                      &state->publishing_type) < 0 ||
                   add_stream_type(module, state, &sync_subscriber_spec,
                                   &state->sync_subscriber_type) < 0 ||
                   add_async_stream_type(module, state, &subscriber_spec,
                                         &state->subscriber_type) < 0
               ? -1
               : 0;
}

static int
add_row_types(PyObject *module, generators_state *state)
{
    if ((state->csv_names_type = add_type(module, "_CSVNames", &csv_names_spec)) == NULL ||
        (state->csv_scanner_type = add_type(module, "csv_scanner", &csv_scanner_spec)) ==
            NULL ||
        (state->csv_converter_type = add_type(module, "_Converter", &csv_converter_spec)) ==
            NULL ||
        (state->csv_block_type = make_type(module, &csv_block_spec, NULL)) == NULL ||
        (state->csv_row_type = add_type(module, "CSVRow", &csv_row_spec)) == NULL ||
        (state->csv_batch_type = add_type(module, "CSVBatch", &csv_batch_spec)) == NULL ||
        (state->csv_column_type = add_type(module, "_CSVColumn", &csv_column_spec)) == NULL) {
        return -1;
    }
    PyObject *sequence = import_attribute("collections.abc", "Sequence");
    int status = sequence == NULL ? -1 : register_type(sequence, state->csv_row_type);
    Py_XDECREF(sequence);
    return status;
}

static int
add_sse_types(PyObject *module, generators_state *state)
{
    return (state->sse_message = PyUnicode_InternFromString("message")) == NULL ||
                   (state->sse_data = PyUnicode_InternFromString("data")) == NULL ||
                   (state->sse_event = PyUnicode_InternFromString("event")) == NULL ||
                   (state->sse_id = PyUnicode_InternFromString("id")) == NULL ||
                   (state->sse_retry = PyUnicode_InternFromString("retry")) == NULL ||
                   (state->sse_comment = PyUnicode_InternFromString("comment")) == NULL ||
                   (state->sse_event_type =
                        add_type(module, "ServerSentEvent", &sse_event_spec)) == NULL ||
                   add_stream_type(module, state, &event_source_spec,
                                   &state->event_source_type) < 0 ||
                   add_async_stream_type(module, state, &aevent_source_spec,
                                         &state->aevent_source_type) < 0 ||
                   add_stream_type(module, state, &event_stream_spec,
                                   &state->event_stream_type) < 0 ||
                   add_async_stream_type(module, state, &aevent_stream_spec,
                                         &state->aevent_stream_type) < 0
               ? -1
               : 0;
}

static int
add_text_types(PyObject *module, generators_state *state)
{
    if (add_stream_type(module, state, &lines_spec, &state->lines_type) < 0 ||
        add_stream_type(module, state, &jsonl_rows_spec, &state->jsonl_rows_type) < 0 ||
        add_stream_type(module, state, &jsonl_encode_spec, &state->jsonl_encode_type) < 0 ||
        add_async_stream_type(module, state, &alines_spec, &state->alines_type) < 0 ||
        add_async_stream_type(module, state, &ajsonl_rows_spec, &state->ajsonl_rows_type) <
            0) {
        return -1;
    }
    return add_async_stream_type(module, state, &ajsonl_encode_spec,
                                 &state->ajsonl_encode_type);
}

/* A class of named tuples. */
static PyObject *
add_named_tuple(PyObject *module, const char *name, const char *names, const char *doc)
{
    PyObject *make = import_attribute("collections", "namedtuple");
    PyObject *args = make == NULL ? NULL : Py_BuildValue("(ss)", name, names);
    PyObject *kwargs =
        args == NULL ? NULL : Py_BuildValue("{ss}", "module", "native_generators");
    PyObject *class = kwargs == NULL ? NULL : PyObject_Call(make, args, kwargs);
    Py_XDECREF(make);
    Py_XDECREF(args);
    Py_XDECREF(kwargs);
    PyObject *text = class == NULL ? NULL : PyUnicode_FromString(doc);
    if (text == NULL || PyObject_SetAttrString(class, "__doc__", text) < 0 ||
        PyModule_AddObjectRef(module, name, class) < 0) {
        Py_CLEAR(class);
    }
    Py_XDECREF(text);
    return class;
}

static int
add_event_types(PyObject *module, generators_state *state)
{
    if ((state->dispatcher_type = add_type(module, "Dispatcher", &dispatcher_spec)) == NULL ||
        (state->event_handler_type = add_type(module, "Handler", &event_handler_spec)) ==
            NULL ||
        add_coroutine_type(module, state, &event_mailbox_task_spec,
                           &state->event_mailbox_task_type) < 0 ||
        add_coroutine_type(module, state, &event_wait_spec, &state->event_wait_type) < 0 ||
        add_coroutine_type(module, state, &event_coroutine_spec,
                           &state->event_coroutine_type) < 0 ||
        add_coroutine_type(module, state, &event_queue_task_spec,
                           &state->event_queue_task_type) < 0 ||
        (state->event_topic_type = make_type(module, &event_topic_spec, NULL)) == NULL) {
        return -1;
    }
    state->event_class = add_named_tuple(
        module, "Event", "type data",
        "Event(type, data)\n"
        "\n"
        "An event as it is passed to a handler that receives whole events, after emit(type,\n"
        "data).");
    if (state->event_class == NULL) {
        return -1;
    }
    state->error_event_class = add_named_tuple(
        module, "ErrorEvent", "event handler exception",
        "ErrorEvent(event, handler, exception)\n"
        "\n"
        "What the handlers of type 'error' receive: the event, the handler that it was\n"
        "passed to, as it was registered, and the exception that the handler raised.");
    return state->error_event_class == NULL ||
                   (state->str_error = PyUnicode_InternFromString("error")) == NULL
               ? -1
               : 0;
}

/* Each step stops at what fails: an API that is called with an error set may lose it. */
static int
module_exec(PyObject *module)
{
    generators_state *state = PyModule_GetState(module);
    if (choose_kernel(state) < 0 || add_kernels(module, state) < 0 || make_texts(state) < 0 ||
        import_peers(state) < 0 || add_types(module, state) < 0 ||
        add_async_types(module, state) < 0 || add_row_types(module, state) < 0 ||
        add_text_types(module, state) < 0 || add_task_types(module, state) < 0 ||
        add_event_types(module, state) < 0 || add_broadcast_types(module, state) < 0 ||
        add_sse_types(module, state) < 0 || csv_sniffed_add(module) < 0) {
        return -1;
    }
    return PyModule_AddObjectRef(module, "DataError", state->data_error) < 0
               ? -1
               : PyModule_AddObjectRef(module, "CSVError", state->csv_error);
}

static int
module_traverse(PyObject *module, visitproc visit, void *arg)
{
    generators_state *state = PyModule_GetState(module);
#define VISIT(type, name) Py_VISIT(state->name);
    GENERATORS_STATE_OBJECTS(VISIT)
#undef VISIT
    return 0;
}

static int
module_clear(PyObject *module)
{
    generators_state *state = PyModule_GetState(module);
#if STOP_IS_REUSED
    stop_forget(state);
#endif
#define CLEAR(type, name) Py_CLEAR(state->name);
    GENERATORS_STATE_OBJECTS(CLEAR)
#undef CLEAR
    for (int i = 0; i < 256; i++) {
        Py_CLEAR(state->latin1[i]);
    }
    return 0;
}

static void
module_free(void *module)
{
    module_clear(module);
}

static PyModuleDef_Slot module_slots[] = {
    {Py_mod_exec, module_exec},
#if PY_VERSION_HEX >= 0x030C0000
    {Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED},
#endif
#if PY_VERSION_HEX >= 0x030D0000
    {Py_mod_gil, Py_MOD_GIL_NOT_USED},
#endif
    {0, NULL},
};

struct PyModuleDef generators_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "native_generators._native",
    .m_doc = "The native types of the generators package.",
    .m_size = sizeof(generators_state),
    .m_slots = module_slots,
    .m_traverse = module_traverse,
    .m_clear = module_clear,
    .m_free = module_free,
};

PyMODINIT_FUNC
PyInit__native(void)
{
    return PyModuleDef_Init(&generators_module);
}
