"""Native generator types: they read and write files, and run events, calls and streams.

``generators`` is the short name of this package.
"""

try:
    from native_generators._native import (
        FLUSH,
        AsyncStream,
        Broadcast,
        CSVBatch,
        CSVError,
        CSVRow,
        DataError,
        Dispatcher,
        ErrorEvent,
        Event,
        Handler,
        ServerSentEvent,
        Stream,
        abatched,
        achunked,
        acsv_batches,
        acsv_encode,
        acsv_rows,
        aevent_source,
        aevent_stream,
        aheartbeat,
        ajsonl_encode,
        ajsonl_rows,
        alines,
        amap,
        amerge,
        batched,
        chunked,
        csv_batches,
        csv_encode,
        csv_rows,
        drive,
        event_source,
        event_stream,
        heartbeat,
        jsonl_encode,
        jsonl_rows,
        lines,
        map_threads,
        task,
        to_async,
        to_sync,
    )
except ModuleNotFoundError as _error:
    if _error.name != 'native_generators._native':
        raise
    raise ModuleNotFoundError(
        f'native_generators in {__path__[0]} has no extension module for this Python: '
        'run `pip install native-generators`, or `pip install .` in a checkout',
        name=_error.name,
    ) from None

TYPE_CHECKING = False  # as typing's, which takes longer to import than all of this
if TYPE_CHECKING:
    from native_generators._schema import CSVSchema, csv_schema
    from native_generators._sniff import CSVFormat, csv_sniff
    from native_generators._split import csv_scan, csv_split

__version__ = '0.1.0'

# What `import native_generators` does not load, but the first use of the name: modules, and names
# that are written in Python, with the modules that they are in.
SUBMODULES = frozenset({'convert', 'csv', 'dask', 'ray', 'spark'})

LAZY = {
    'CSVFormat': '_sniff',
    'CSVSchema': '_schema',
    'csv_scan': '_split',
    'csv_schema': '_schema',
    'csv_sniff': '_sniff',
    'csv_split': '_split',
}

__all__ = [
    'FLUSH',
    'AsyncStream',
    'Broadcast',
    'CSVBatch',
    'CSVError',
    'CSVFormat',
    'CSVRow',
    'CSVSchema',
    'DataError',
    'Dispatcher',
    'ErrorEvent',
    'Event',
    'Handler',
    'ServerSentEvent',
    'Stream',
    'abatched',
    'achunked',
    'acsv_batches',
    'acsv_encode',
    'acsv_rows',
    'aevent_source',
    'aevent_stream',
    'aheartbeat',
    'ajsonl_encode',
    'ajsonl_rows',
    'alines',
    'amap',
    'amerge',
    'batched',
    'chunked',
    'csv_batches',
    'csv_encode',
    'csv_rows',
    'csv_scan',
    'csv_schema',
    'csv_sniff',
    'csv_split',
    'drive',
    'event_source',
    'event_stream',
    'heartbeat',
    'jsonl_encode',
    'jsonl_rows',
    'lines',
    'map_threads',
    'task',
    'to_async',
    'to_sync',
]


def __getattr__(name: str) -> object:
    """A submodule or a name of one, loaded when it is first used."""
    if name in SUBMODULES or name in LAZY:
        from importlib import import_module

        module = import_module(f'{__name__}.{LAZY.get(name, name)}')
        value = globals()[name] = module if name in SUBMODULES else getattr(module, name)
        return value
    raise AttributeError(f'module {__name__!r} has no attribute {name!r}')


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, *SUBMODULES})
