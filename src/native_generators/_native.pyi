"""Types of the native module; what each does is said in its docstring."""

import csv
from asyncio import AbstractEventLoop
from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    Awaitable,
    Callable,
    Collection,
    Coroutine,
    Generator,
    Hashable,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from concurrent.futures import Executor, Future
from os import PathLike
from types import CodeType, FrameType, GenericAlias, TracebackType, UnionType
from typing import (
    Any,
    ClassVar,
    Concatenate,
    Generic,
    Literal,
    NamedTuple,
    Never,
    ParamSpec,
    Protocol,
    Self,
    SupportsIndex,
    TypeAlias,
    TypedDict,
    TypeVar,
    Unpack,
    final,
    overload,
    type_check_only,
)

from typing_extensions import Buffer, disjoint_base
from typing_extensions import TypeVar as _DefaultTypeVar

_T = TypeVar('_T')
_TupleT = TypeVar('_TupleT', bound=NamedTuple)
_T_co = TypeVar('_T_co', covariant=True)
_V_co = _DefaultTypeVar('_V_co', covariant=True, default=str)

class _Writes(Protocol):
    def write(self, text: str, /) -> object: ...

class _Reads(Protocol):
    def read(self, n: int, /) -> Any: ...

class _ArrowSchema(Protocol):
    def __arrow_c_schema__(self) -> object: ...

class _AsyncReads(Protocol):
    def read(self, n: int, /) -> Coroutine[Any, Any, Any]: ...

_Dialect: TypeAlias = str | csv.Dialect | type[csv.Dialect]
_Compression: TypeAlias = Literal['infer', 'gzip', 'bz2', 'xz', 'zstd', 'zip'] | None
_AsyncSource: TypeAlias = AsyncIterable[str] | AsyncIterable[Buffer] | _AsyncReads
_Source: TypeAlias = str | PathLike[Any] | Buffer | _Reads | Iterable[str] | Iterable[Buffer]
_Names: TypeAlias = (
    Sequence[str]
    | Mapping[str, str]
    | Callable[[tuple[str, ...]], Iterable[str]]
    | Callable[[str], str]
)

_Types: TypeAlias = Mapping[Any, Callable[[str], Any] | type[Any] | UnionType]

# What csv_rows makes of str, and of what `types` says.
_StrRow = TypeVar('_StrRow', tuple[str, ...], dict[str, str], CSVRow[str])
_AnyRow = TypeVar('_AnyRow', tuple[Any, ...], dict[str, Any], CSVRow[Any])

_R = TypeVar('_R')
_P = ParamSpec('_P')
_Q = ParamSpec('_Q')
_Self = TypeVar('_Self')

scan_kernels: tuple[str, ...]
scan_kernel: str

@disjoint_base
class Stream(Generator[_T_co, object], Generic[_T_co]):
    def __iter__(self) -> Self: ...
    def __next__(self) -> _T_co: ...
    def send(self, value: object, /) -> _T_co: ...
    def throw(
        self,
        type: type[BaseException] | BaseException,
        value: object = None,
        traceback: TracebackType | None = None,
        /,
    ) -> _T_co: ...
    def close(self) -> None: ...
    def prime(self) -> Self: ...
    def __enter__(self) -> Self: ...
    def __exit__(self, *exception: object) -> None: ...
    @property
    def items(self) -> int: ...
    @property
    def held(self) -> int: ...
    @property
    def held_bytes(self) -> int | None: ...
    @property
    def running(self) -> int: ...
    @property
    def errors(self) -> int: ...
    @property
    def closed(self) -> bool: ...
    @property
    def waits_for(self) -> Literal['source', 'consumer'] | None: ...
    @property
    def gi_running(self) -> bool: ...
    @property
    def gi_suspended(self) -> bool: ...
    @property
    def gi_state(self) -> str: ...
    @property
    def gi_frame(self) -> FrameType | None: ...
    @property
    def gi_code(self) -> CodeType: ...
    @property
    def gi_yieldfrom(self) -> None: ...
    @classmethod
    def __class_getitem__(cls, item: Any, /) -> GenericAlias: ...

@disjoint_base
class AsyncStream(AsyncGenerator[_T_co, object], Generic[_T_co]):
    def __aiter__(self) -> Self: ...
    def __anext__(self) -> Coroutine[Any, Any, _T_co]: ...
    def asend(self, value: object, /) -> Coroutine[Any, Any, _T_co]: ...
    def athrow(
        self,
        type: type[BaseException] | BaseException,
        value: object = None,
        traceback: TracebackType | None = None,
        /,
    ) -> Coroutine[Any, Any, _T_co]: ...
    def aclose(self) -> Coroutine[Any, Any, None]: ...
    def aprime(self) -> Coroutine[Any, Any, Self]: ...
    def __aenter__(self) -> Coroutine[Any, Any, Self]: ...
    def __aexit__(self, *exception: object) -> Coroutine[Any, Any, None]: ...
    def stop(self) -> None: ...
    @property
    def items(self) -> int: ...
    @property
    def held(self) -> int: ...
    @property
    def held_bytes(self) -> int | None: ...
    @property
    def running(self) -> int: ...
    @property
    def errors(self) -> int: ...
    @property
    def closed(self) -> bool: ...
    @property
    def waits_for(self) -> Literal['source', 'consumer'] | None: ...
    @property
    def ag_running(self) -> bool: ...
    @property
    def ag_suspended(self) -> bool: ...
    @property
    def ag_state(self) -> str: ...
    @property
    def ag_frame(self) -> FrameType | None: ...
    @property
    def ag_code(self) -> CodeType: ...
    @property
    def ag_await(self) -> Any: ...
    @classmethod
    def __class_getitem__(cls, item: Any, /) -> GenericAlias: ...

class DataError(ValueError):
    path: str | None
    record: int | None
    line: int | None
    byte: int | None
    text: str | None

class CSVError(csv.Error, DataError):
    column: str | int | None
    record_line: int | None
    problems: tuple[tuple[str | int, str, str], ...]

@final
class _CSVNames:
    def __new__(cls, names: Iterable[str], /) -> Self: ...
    def __reduce__(self) -> tuple[type[Self], tuple[tuple[str, ...]]]: ...

@final
class CSVRow(Sequence[_V_co], Generic[_V_co]):
    @overload
    def __new__(
        cls, values: dict[str, _V_co], names: Iterable[str] | _CSVNames | None = None
    ) -> Self: ...
    @overload
    def __new__(
        cls, values: Iterable[_V_co], names: Iterable[str] | _CSVNames | None = None
    ) -> Self: ...
    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[_V_co]: ...
    @overload
    def __getitem__(self, key: SupportsIndex | str, /) -> _V_co: ...
    @overload
    def __getitem__(self, key: slice, /) -> tuple[_V_co, ...]: ...
    def __contains__(self, value: object, /) -> bool: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def index(
        self, value: object, start: SupportsIndex = 0, stop: SupportsIndex = 9223372036854775807, /
    ) -> int: ...
    def count(self, value: object, /) -> int: ...
    def keys(self) -> tuple[str, ...]: ...
    @overload
    def get(self, name: str, default: None = None, /) -> _V_co | None: ...
    @overload
    def get(self, name: str, default: _T, /) -> _V_co | _T: ...
    def items(self) -> tuple[tuple[str, _V_co], ...]: ...
    @classmethod
    def __class_getitem__(cls, item: Any, /) -> GenericAlias: ...
    def __copy__(self) -> Self: ...
    def __deepcopy__(self, memo: object = None, /) -> Self: ...

@final
class _Converter(Generic[_T_co]):
    def __new__(
        cls,
        kind: str,
        shown: str,
        decimal: str,
        thousands: str,
        precision: int,
        scale: int,
        true: tuple[str, ...],
        false: tuple[str, ...],
        format: str,
        english: bool,
        /,
    ) -> Self: ...
    def __call__(self, text: str, /) -> _T_co: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    @classmethod
    def __class_getitem__(cls, item: Any, /) -> GenericAlias: ...

# What the overloads of csv_rows and acsv_rows take, beside `into` and `types`; the first of each
# spells it out with its defaults.
@type_check_only
class _ReadingAnySource(TypedDict, total=False):
    header: bool | None
    names: _Names | None
    duplicates: Literal['error', 'number']
    columns: Sequence[str | int] | None
    null: Iterable[str]
    ragged: Literal['allow', 'pad', 'error'] | None
    dialect: _Dialect
    delimiter: str | None
    quotechar: str | None
    escapechar: str | None
    doublequote: bool
    skipinitialspace: bool
    lineterminator: str
    quoting: int
    strict: bool
    skip: int | str | bytes | Callable[[str], object] | None
    comment: str | None
    footer: int
    blank: Literal['skip', 'keep', 'error'] | None
    multiline: bool
    encoding: str
    errors: str
    items: Literal['auto', 'lines', 'chunks']
    compression: _Compression
    member: str | None
    complete: bool
    max_field: int | None
    max_record: int | None
    on_error: Literal['raise', 'skip'] | Callable[[CSVError, Any], object]

class _Reading(_ReadingAnySource, total=False):
    start: Mapping[str, Any] | None
    changed: Literal['error', 'append']

class _AsyncReading(_ReadingAnySource, total=False):
    close_with_task: bool

def csv_sniffed(text: str, whole: bool, /) -> dict[str, Any]: ...

@final
class csv_scanner:
    def __new__(
        cls,
        delimiter: int,
        quote: int,
        escape: int,
        doublequote: bool,
        skip_space: bool,
        strict: bool,
        encoding: str,
        bad_bytes: Buffer,
    ) -> Self: ...
    def begin(self, start: int, before: Buffer, state: str | None = None, /) -> None: ...
    def feed(self, data: Buffer, /) -> None: ...
    def end(self, after: Buffer, /) -> tuple[bool, dict[str, dict[str, Any]]]: ...
    @staticmethod
    def check(part: Mapping[str, Any], /) -> int: ...

@final
class csv_rows(Stream[_T_co]):
    @overload
    def __new__(
        cls,
        source: _Source,
        *,
        into: type[list[Any]] | None = None,
        header: bool | None = None,
        names: _Names | None = None,
        duplicates: Literal['error', 'number'] = 'error',
        columns: Sequence[str | int] | None = None,
        types: None = None,
        null: Iterable[str] = (),
        ragged: Literal['allow', 'pad', 'error'] | None = None,
        dialect: _Dialect = 'excel',
        delimiter: str | None = ',',
        quotechar: str | None = '"',
        escapechar: str | None = None,
        doublequote: bool = True,
        skipinitialspace: bool = False,
        lineterminator: str = '\r\n',
        quoting: int = 0,
        strict: bool = False,
        skip: int | str | bytes | Callable[[str], object] | None = None,
        comment: str | None = None,
        footer: int = 0,
        blank: Literal['skip', 'keep', 'error'] | None = None,
        multiline: bool = True,
        encoding: str = 'utf-8',
        errors: str = 'strict',
        items: Literal['auto', 'lines', 'chunks'] = 'auto',
        compression: _Compression = 'infer',
        member: str | None = None,
        complete: bool = False,
        max_field: int | None = 131072,
        max_record: int | None = 67108864,
        on_error: Literal['raise', 'skip'] | Callable[[CSVError, Any], object] = 'raise',
        start: Mapping[str, Any] | None = None,
        changed: Literal['error', 'append'] = 'error',
    ) -> csv_rows[list[str]]: ...
    @overload
    def __new__(
        cls,
        source: _Source,
        *,
        into: type[_TupleT],
        types: _Types | None = None,
        **reading: Unpack[_Reading],
    ) -> csv_rows[_TupleT]: ...
    @overload
    def __new__(
        cls,
        source: _Source,
        *,
        into: type[_StrRow],
        types: None = None,
        **reading: Unpack[_Reading],
    ) -> csv_rows[_StrRow]: ...
    @overload
    def __new__(
        cls,
        source: _Source,
        *,
        into: type[list[Any]] | None = None,
        types: _Types,
        **reading: Unpack[_Reading],
    ) -> csv_rows[list[Any]]: ...
    @overload
    def __new__(
        cls,
        source: _Source,
        *,
        into: type[_AnyRow],
        types: _Types,
        **reading: Unpack[_Reading],
    ) -> csv_rows[_AnyRow]: ...
    @overload
    def __new__(
        cls,
        source: _Source,
        *,
        into: Callable[..., _T],
        types: _Types | None = None,
        **reading: Unpack[_Reading],
    ) -> csv_rows[_T]: ...
    @property
    def header(self) -> tuple[str, ...] | None: ...
    @property
    def line_num(self) -> int: ...
    @property
    def row_num(self) -> int: ...
    @property
    def bytes_read(self) -> int: ...
    @property
    def total_bytes(self) -> int | None: ...
    @property
    def errors(self) -> int: ...
    def _pass_to(self, byte: int, /) -> dict[str, Any]: ...
    def checkpoint(self) -> dict[str, Any]: ...

@final
class acsv_rows(AsyncStream[_T_co]):
    @overload
    def __new__(
        cls,
        source: _AsyncSource,
        *,
        into: type[list[Any]] | None = None,
        header: bool | None = None,
        names: _Names | None = None,
        duplicates: Literal['error', 'number'] = 'error',
        columns: Sequence[str | int] | None = None,
        types: None = None,
        null: Iterable[str] = (),
        ragged: Literal['allow', 'pad', 'error'] | None = None,
        dialect: _Dialect = 'excel',
        delimiter: str | None = ',',
        quotechar: str | None = '"',
        escapechar: str | None = None,
        doublequote: bool = True,
        skipinitialspace: bool = False,
        lineterminator: str = '\r\n',
        quoting: int = 0,
        strict: bool = False,
        skip: int | str | bytes | Callable[[str], object] | None = None,
        comment: str | None = None,
        footer: int = 0,
        blank: Literal['skip', 'keep', 'error'] | None = None,
        multiline: bool = True,
        encoding: str = 'utf-8',
        errors: str = 'strict',
        items: Literal['auto', 'lines', 'chunks'] = 'auto',
        compression: _Compression = 'infer',
        member: str | None = None,
        complete: bool = False,
        max_field: int | None = 131072,
        max_record: int | None = 67108864,
        on_error: Literal['raise', 'skip'] | Callable[[CSVError, Any], object] = 'raise',
        close_with_task: bool = False,
    ) -> acsv_rows[list[str]]: ...
    @overload
    def __new__(
        cls,
        source: _AsyncSource,
        *,
        into: type[_TupleT],
        types: _Types | None = None,
        **reading: Unpack[_AsyncReading],
    ) -> acsv_rows[_TupleT]: ...
    @overload
    def __new__(
        cls,
        source: _AsyncSource,
        *,
        into: type[_StrRow],
        types: None = None,
        **reading: Unpack[_AsyncReading],
    ) -> acsv_rows[_StrRow]: ...
    @overload
    def __new__(
        cls,
        source: _AsyncSource,
        *,
        into: type[list[Any]] | None = None,
        types: _Types,
        **reading: Unpack[_AsyncReading],
    ) -> acsv_rows[list[Any]]: ...
    @overload
    def __new__(
        cls,
        source: _AsyncSource,
        *,
        into: type[_AnyRow],
        types: _Types,
        **reading: Unpack[_AsyncReading],
    ) -> acsv_rows[_AnyRow]: ...
    @overload
    def __new__(
        cls,
        source: _AsyncSource,
        *,
        into: Callable[..., _T],
        types: _Types | None = None,
        **reading: Unpack[_AsyncReading],
    ) -> acsv_rows[_T]: ...
    @property
    def header(self) -> tuple[str, ...] | None: ...
    @property
    def line_num(self) -> int: ...
    @property
    def row_num(self) -> int: ...
    @property
    def bytes_read(self) -> int: ...
    @property
    def total_bytes(self) -> None: ...
    @property
    def errors(self) -> int: ...

@final
class _CSVColumn(Buffer):
    @property
    def name(self) -> str: ...
    @property
    def null_count(self) -> int: ...
    def __len__(self) -> int: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    __hash__: ClassVar[None]  # type: ignore[assignment]
    def __arrow_c_schema__(self) -> object: ...
    def __arrow_c_array__(
        self, requested_schema: object | None = None
    ) -> tuple[object, object]: ...

@final
class CSVBatch:
    @property
    def num_rows(self) -> int: ...
    @property
    def num_columns(self) -> int: ...
    @property
    def column_names(self) -> tuple[str, ...]: ...
    @property
    def nbytes(self) -> int: ...
    def column(self, column: str | SupportsIndex, /) -> _CSVColumn: ...
    def __len__(self) -> int: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    __hash__: ClassVar[None]  # type: ignore[assignment]
    def __arrow_c_schema__(self) -> object: ...
    def __arrow_c_array__(
        self, requested_schema: object | None = None
    ) -> tuple[object, object]: ...
    def __reduce__(self) -> tuple[Callable[..., Self], tuple[int, tuple[Any, ...]]]: ...
    @classmethod
    def _restore(cls, rows: int, columns: tuple[Any, ...], /) -> Self: ...

@final
class _CSVSchemaReader(Stream[dict[str, Any]]):
    def __new__(
        cls,
        own: tuple[Callable[[int, str], object], int, str],
        source: _Source,
        /,
        **reading: Any,
    ) -> Self: ...

@final
class csv_batches(Stream[CSVBatch]):
    def __new__(
        cls,
        source: _Source,
        *,
        types: _Types | None = None,
        schema: _ArrowSchema | None = None,
        columns: Sequence[str | int] | None = None,
        rows: int = 65536,
        threads: int | None = None,
        header: bool = True,
        names: _Names | None = None,
        duplicates: Literal['error', 'number'] = 'error',
        null: Iterable[str] = (),
        ragged: Literal['pad', 'error'] = 'error',
        dialect: _Dialect = 'excel',
        delimiter: str | None = ',',
        quotechar: str | None = '"',
        escapechar: str | None = None,
        doublequote: bool = True,
        skipinitialspace: bool = False,
        lineterminator: str = '\r\n',
        quoting: int = 0,
        strict: bool = False,
        skip: int | str | bytes | Callable[[str], object] | None = None,
        comment: str | None = None,
        footer: int = 0,
        blank: Literal['skip', 'keep', 'error'] | None = None,
        multiline: bool = True,
        encoding: str = 'utf-8',
        errors: str = 'strict',
        items: Literal['auto', 'lines', 'chunks'] = 'auto',
        compression: _Compression = 'infer',
        member: str | None = None,
        complete: bool = False,
        max_field: int | None = 131072,
        max_record: int | None = 67108864,
        on_error: Literal['raise', 'skip'] | Callable[[CSVError, Any], object] = 'raise',
        start: Mapping[str, Any] | None = None,
        changed: Literal['error', 'append'] = 'error',
    ) -> Self: ...
    @property
    def header(self) -> tuple[str, ...] | None: ...
    @property
    def line_num(self) -> int: ...
    @property
    def row_num(self) -> int: ...
    @property
    def bytes_read(self) -> int: ...
    @property
    def total_bytes(self) -> int | None: ...
    @property
    def errors(self) -> int: ...
    def checkpoint(self) -> dict[str, Any]: ...
    def __arrow_c_schema__(self) -> object: ...
    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object: ...

@final
class acsv_batches(AsyncStream[CSVBatch]):
    def __new__(
        cls,
        source: _AsyncSource,
        *,
        types: _Types | None = None,
        schema: _ArrowSchema | None = None,
        columns: Sequence[str | int] | None = None,
        rows: int = 65536,
        threads: int | None = None,
        header: bool = True,
        names: _Names | None = None,
        duplicates: Literal['error', 'number'] = 'error',
        null: Iterable[str] = (),
        ragged: Literal['pad', 'error'] = 'error',
        dialect: _Dialect = 'excel',
        delimiter: str | None = ',',
        quotechar: str | None = '"',
        escapechar: str | None = None,
        doublequote: bool = True,
        skipinitialspace: bool = False,
        lineterminator: str = '\r\n',
        quoting: int = 0,
        strict: bool = False,
        skip: int | str | bytes | Callable[[str], object] | None = None,
        comment: str | None = None,
        footer: int = 0,
        blank: Literal['skip', 'keep', 'error'] | None = None,
        multiline: bool = True,
        encoding: str = 'utf-8',
        errors: str = 'strict',
        items: Literal['auto', 'lines', 'chunks'] = 'auto',
        compression: _Compression = 'infer',
        member: str | None = None,
        complete: bool = False,
        max_field: int | None = 131072,
        max_record: int | None = 67108864,
        on_error: Literal['raise', 'skip'] | Callable[[CSVError, Any], object] = 'raise',
        close_with_task: bool = False,
    ) -> Self: ...
    @property
    def header(self) -> tuple[str, ...] | None: ...
    @property
    def line_num(self) -> int: ...
    @property
    def row_num(self) -> int: ...
    @property
    def bytes_read(self) -> int: ...
    @property
    def total_bytes(self) -> None: ...
    @property
    def errors(self) -> int: ...

@final
class lines(Stream[_T_co]):
    @overload
    def __new__(
        cls,
        source: _Source,
        *,
        newline: str | bytes | None = None,
        keepends: bool = False,
        encoding: str,
        errors: str = 'strict',
        max_line: int | None = 67108864,
        items: Literal['auto', 'lines', 'chunks'] = 'auto',
        compression: _Compression = 'infer',
        member: str | None = None,
        complete: bool = False,
        start: Mapping[str, Any] | None = None,
        changed: Literal['error', 'append'] = 'error',
    ) -> lines[str]: ...
    @overload
    def __new__(  # type: ignore[overload-overlap]  # a str is a path
        cls,
        source: str | PathLike[Any] | Buffer | Iterable[Buffer],
        *,
        newline: str | bytes | None = None,
        keepends: bool = False,
        encoding: None = None,
        errors: str = 'strict',
        max_line: int | None = 67108864,
        items: Literal['auto', 'lines', 'chunks'] = 'auto',
        compression: _Compression = 'infer',
        member: str | None = None,
        complete: bool = False,
        start: Mapping[str, Any] | None = None,
        changed: Literal['error', 'append'] = 'error',
    ) -> lines[bytes]: ...
    @overload
    def __new__(
        cls,
        source: Iterable[str],
        *,
        newline: str | bytes | None = None,
        keepends: bool = False,
        encoding: None = None,
        errors: str = 'strict',
        max_line: int | None = 67108864,
        items: Literal['auto', 'lines', 'chunks'] = 'auto',
        compression: _Compression = 'infer',
        member: str | None = None,
        complete: bool = False,
        start: Mapping[str, Any] | None = None,
        changed: Literal['error', 'append'] = 'error',
    ) -> lines[str]: ...
    @overload
    def __new__(
        cls,
        source: _Reads,
        *,
        newline: str | bytes | None = None,
        keepends: bool = False,
        encoding: None = None,
        errors: str = 'strict',
        max_line: int | None = 67108864,
        items: Literal['auto', 'lines', 'chunks'] = 'auto',
        compression: _Compression = 'infer',
        member: str | None = None,
        complete: bool = False,
        start: Mapping[str, Any] | None = None,
        changed: Literal['error', 'append'] = 'error',
    ) -> lines[Any]: ...
    @property
    def line_num(self) -> int: ...
    @property
    def bytes_read(self) -> int: ...
    @property
    def total_bytes(self) -> int | None: ...
    def checkpoint(self) -> dict[str, Any]: ...

@final
class alines(AsyncStream[_T_co]):
    @overload
    def __new__(
        cls,
        source: _AsyncSource,
        *,
        newline: str | bytes | None = None,
        keepends: bool = False,
        encoding: str,
        errors: str = 'strict',
        max_line: int | None = 67108864,
        items: Literal['auto', 'lines', 'chunks'] = 'auto',
        compression: _Compression = 'infer',
        member: str | None = None,
        complete: bool = False,
        close_with_task: bool = False,
    ) -> alines[str]: ...
    @overload
    def __new__(
        cls,
        source: AsyncIterable[Buffer],
        *,
        newline: str | bytes | None = None,
        keepends: bool = False,
        encoding: None = None,
        errors: str = 'strict',
        max_line: int | None = 67108864,
        items: Literal['auto', 'lines', 'chunks'] = 'auto',
        compression: _Compression = 'infer',
        member: str | None = None,
        complete: bool = False,
        close_with_task: bool = False,
    ) -> alines[bytes]: ...
    @overload
    def __new__(
        cls,
        source: AsyncIterable[str],
        *,
        newline: str | bytes | None = None,
        keepends: bool = False,
        encoding: None = None,
        errors: str = 'strict',
        max_line: int | None = 67108864,
        items: Literal['auto', 'lines', 'chunks'] = 'auto',
        compression: _Compression = 'infer',
        member: str | None = None,
        complete: bool = False,
        close_with_task: bool = False,
    ) -> alines[str]: ...
    @overload
    def __new__(
        cls,
        source: _AsyncReads,
        *,
        newline: str | bytes | None = None,
        keepends: bool = False,
        encoding: None = None,
        errors: str = 'strict',
        max_line: int | None = 67108864,
        items: Literal['auto', 'lines', 'chunks'] = 'auto',
        compression: _Compression = 'infer',
        member: str | None = None,
        complete: bool = False,
        close_with_task: bool = False,
    ) -> alines[Any]: ...
    @property
    def line_num(self) -> int: ...
    @property
    def bytes_read(self) -> int: ...
    @property
    def total_bytes(self) -> None: ...

@final
class jsonl_rows(Stream[_T_co]):
    @overload
    def __new__(
        cls,
        source: _Source,
        *,
        loads: Callable[[bytes], _T_co],
        blank: Literal['skip', 'error'] = 'skip',
        on_error: Literal['raise', 'skip'] | Callable[[DataError, bytes], object] = 'raise',
        max_line: int | None = 67108864,
        encoding: str = 'utf-8',
        items: Literal['auto', 'lines', 'chunks'] = 'auto',
        compression: _Compression = 'infer',
        member: str | None = None,
        complete: bool = False,
        start: Mapping[str, Any] | None = None,
        changed: Literal['error', 'append'] = 'error',
    ) -> jsonl_rows[_T_co]: ...
    @overload
    def __new__(
        cls,
        source: _Source,
        *,
        loads: None = None,
        blank: Literal['skip', 'error'] = 'skip',
        on_error: Literal['raise', 'skip'] | Callable[[DataError, bytes], object] = 'raise',
        max_line: int | None = 67108864,
        encoding: str = 'utf-8',
        items: Literal['auto', 'lines', 'chunks'] = 'auto',
        compression: _Compression = 'infer',
        member: str | None = None,
        complete: bool = False,
        start: Mapping[str, Any] | None = None,
        changed: Literal['error', 'append'] = 'error',
    ) -> jsonl_rows[Any]: ...
    @property
    def line_num(self) -> int: ...
    @property
    def row_num(self) -> int: ...
    @property
    def errors(self) -> int: ...
    @property
    def bytes_read(self) -> int: ...
    @property
    def total_bytes(self) -> int | None: ...
    def checkpoint(self) -> dict[str, Any]: ...

@final
class ajsonl_rows(AsyncStream[_T_co]):
    @overload
    def __new__(
        cls,
        source: _AsyncSource,
        *,
        loads: Callable[[bytes], _T_co],
        blank: Literal['skip', 'error'] = 'skip',
        on_error: Literal['raise', 'skip'] | Callable[[DataError, bytes], object] = 'raise',
        max_line: int | None = 67108864,
        encoding: str = 'utf-8',
        items: Literal['auto', 'lines', 'chunks'] = 'auto',
        compression: _Compression = 'infer',
        member: str | None = None,
        complete: bool = False,
        close_with_task: bool = False,
    ) -> ajsonl_rows[_T_co]: ...
    @overload
    def __new__(
        cls,
        source: _AsyncSource,
        *,
        loads: None = None,
        blank: Literal['skip', 'error'] = 'skip',
        on_error: Literal['raise', 'skip'] | Callable[[DataError, bytes], object] = 'raise',
        max_line: int | None = 67108864,
        encoding: str = 'utf-8',
        items: Literal['auto', 'lines', 'chunks'] = 'auto',
        compression: _Compression = 'infer',
        member: str | None = None,
        complete: bool = False,
        close_with_task: bool = False,
    ) -> ajsonl_rows[Any]: ...
    @property
    def line_num(self) -> int: ...
    @property
    def row_num(self) -> int: ...
    @property
    def errors(self) -> int: ...
    @property
    def bytes_read(self) -> int: ...
    @property
    def total_bytes(self) -> None: ...

@final
class ServerSentEvent:
    def __new__(
        cls, data: str = '', event: str = 'message', id: str = '', retry: int | None = None
    ) -> Self: ...
    @property
    def data(self) -> str: ...
    @property
    def event(self) -> str: ...
    @property
    def id(self) -> str: ...
    @property
    def retry(self) -> int | None: ...
    def json(self, loads: Callable[[str], Any] | None = None) -> Any: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __copy__(self) -> Self: ...
    def __deepcopy__(self, memo: object = None, /) -> Self: ...

_Event: TypeAlias = str | Buffer | ServerSentEvent | Mapping[str, Any]

@final
class event_source(Stream[ServerSentEvent]):
    def __new__(
        cls,
        source: _Source,
        *,
        last_event_id: str = '',
        max_event: int | None = 67108864,
        compression: _Compression = 'infer',
        member: str | None = None,
    ) -> Self: ...
    @property
    def last_event_id(self) -> str: ...
    @property
    def retry(self) -> int | None: ...

@final
class aevent_source(AsyncStream[ServerSentEvent]):
    def __new__(
        cls,
        source: _AsyncSource,
        *,
        last_event_id: str = '',
        max_event: int | None = 67108864,
        compression: _Compression = 'infer',
        member: str | None = None,
        close_with_task: bool = False,
    ) -> Self: ...
    @property
    def last_event_id(self) -> str: ...
    @property
    def retry(self) -> int | None: ...

@final
class event_stream(Stream[bytes]):
    def __new__(
        cls,
        events: Iterable[_Event],
        *,
        dumps: Callable[[Any], str | Buffer] | None = None,
        retry: int | None = None,
        error: Callable[[Exception], _Event | None] | None = None,
    ) -> Self: ...

@final
class aevent_stream(AsyncStream[bytes]):
    def __new__(
        cls,
        events: AsyncIterable[_Event],
        *,
        dumps: Callable[[Any], str | Buffer] | None = None,
        retry: int | None = None,
        heartbeat: float | None = None,
        error: Callable[[Exception], _Event | None] | None = None,
        close_with_task: bool = False,
    ) -> Self: ...

@type_check_only
class _ArrowStreamSource(Protocol):
    def __arrow_c_stream__(self, requested_schema: object = None) -> object: ...

@type_check_only
class _ArrowArraySource(Protocol):
    def __arrow_c_array__(self, requested_schema: object = None) -> tuple[object, object]: ...

_ArrowSource: TypeAlias = _ArrowStreamSource | _ArrowArraySource

@final
class csv_encode(Stream[bytes]):
    def __new__(
        cls,
        rows: Iterable[Any] | _ArrowSource,
        *,
        columns: Iterable[str] | None = None,
        header: bool | Iterable[str] | None = None,
        extra: Literal['raise', 'ignore'] | None = None,
        missing: Any = ...,
        size: int = 65536,
        max_delay: float | None = ...,
        dialect: _Dialect = 'excel',
        delimiter: str = ',',
        quotechar: str | None = '"',
        escapechar: str | None = None,
        doublequote: bool = True,
        skipinitialspace: bool = False,
        lineterminator: str = '\r\n',
        quoting: int = 0,
        strict: bool = False,
        encoding: str = 'utf-8',
        errors: str = 'strict',
        bom: bool = False,
        escape_formulas: bool = False,
        null: str | None = None,
        true: str | None = None,
        false: str | None = None,
        float_format: str | None = None,
        datetime_format: str | None = None,
        decimal: Literal['.', ','] = '.',
    ) -> Self: ...
    @property
    def row_num(self) -> int: ...

@final
class acsv_encode(AsyncStream[bytes]):
    def __new__(
        cls,
        rows: AsyncIterable[Any],
        *,
        columns: Iterable[str] | None = None,
        header: bool | Iterable[str] | None = None,
        extra: Literal['raise', 'ignore'] | None = None,
        missing: Any = ...,
        size: int = 65536,
        max_delay: float | None = ...,
        dialect: _Dialect = 'excel',
        delimiter: str = ',',
        quotechar: str | None = '"',
        escapechar: str | None = None,
        doublequote: bool = True,
        skipinitialspace: bool = False,
        lineterminator: str = '\r\n',
        quoting: int = 0,
        strict: bool = False,
        encoding: str = 'utf-8',
        errors: str = 'strict',
        bom: bool = False,
        escape_formulas: bool = False,
        null: str | None = None,
        true: str | None = None,
        false: str | None = None,
        float_format: str | None = None,
        datetime_format: str | None = None,
        decimal: Literal['.', ','] = '.',
        close_with_task: bool = False,
    ) -> Self: ...
    @property
    def row_num(self) -> int: ...

@final
class jsonl_encode(Stream[bytes]):
    def __new__(
        cls,
        rows: Iterable[Any],
        *,
        dumps: Callable[[Any], str | Buffer] | None = None,
        size: int = 65536,
        max_delay: float | None = ...,
    ) -> Self: ...
    @property
    def row_num(self) -> int: ...

@final
class ajsonl_encode(AsyncStream[bytes]):
    def __new__(
        cls,
        rows: AsyncIterable[Any],
        *,
        dumps: Callable[[Any], str | Buffer] | None = None,
        size: int = 65536,
        max_delay: float | None = ...,
        close_with_task: bool = False,
    ) -> Self: ...
    @property
    def row_num(self) -> int: ...

@final
class chunked(Stream[bytes]):
    def __new__(
        cls,
        pieces: Iterable[str | Buffer | _Flush] | _Reads | str | PathLike[Any],
        size: int = 65536,
        *,
        max_delay: float | None = ...,
        encoding: str = 'utf-8',
    ) -> Self: ...

@final
class batched(Stream[tuple[_T_co, ...]], Generic[_T_co]):
    def __new__(
        cls,
        source: Iterable[_T_co | _Flush],
        n: int,
        *,
        max_delay: float | None = None,
        strict: bool = False,
    ) -> Self: ...

@final
class achunked(AsyncStream[bytes]):
    def __new__(
        cls,
        pieces: AsyncIterable[str | Buffer | _Flush] | _AsyncReads,
        size: int = 65536,
        *,
        max_delay: float | None = ...,
        encoding: str = 'utf-8',
        close_with_task: bool = False,
    ) -> Self: ...

@final
class abatched(AsyncStream[tuple[_T_co, ...]], Generic[_T_co]):
    def __new__(
        cls,
        source: AsyncIterable[_T_co | _Flush],
        n: int,
        *,
        max_delay: float | None = None,
        strict: bool = False,
        close_with_task: bool = False,
    ) -> Self: ...

@final
class to_sync(Stream[_T_co], Generic[_T_co]):
    def __new__(
        cls,
        source: AsyncIterable[_T_co] | Callable[[], AsyncIterable[_T_co]],
        *,
        buffersize: int = 256,
        max_bytes: int = 1048576,
        loop: AbstractEventLoop | None = None,
        timeout: float | None = None,
        sizeof: Callable[[_T_co], int] | None = None,
    ) -> Self: ...
    def stop(self) -> None: ...

@final
class heartbeat(Stream[_T_co], Generic[_T_co]):
    def __new__(
        cls,
        source: Iterable[_T_co] | Callable[[], Iterable[_T_co]],
        every: float,
        item: _T_co | Callable[[], _T_co],
        *,
        on_close: Callable[[], object] | None = None,
    ) -> Self: ...
    def stop(self) -> None: ...

@final
class aheartbeat(AsyncStream[_T_co], Generic[_T_co]):
    def __new__(
        cls,
        source: AsyncIterable[_T_co],
        every: float,
        item: _T_co | Callable[[], _T_co],
        *,
        close_with_task: bool = False,
    ) -> Self: ...

@type_check_only
class _Flush: ...

FLUSH: _Flush

# generators.csv: typed as typeshed types csv.  What is read without quotes under QUOTE_NONNUMERIC
# is a float all the same.
@final
class csv_reader:
    def __new__(
        cls,
        iterable: Iterable[str],
        /,
        dialect: _Dialect = 'excel',
        *,
        delimiter: str = ',',
        quotechar: str | None = '"',
        escapechar: str | None = None,
        doublequote: bool = True,
        skipinitialspace: bool = False,
        lineterminator: str = '\r\n',
        quoting: int = 0,
        strict: bool = False,
    ) -> Self: ...
    def __iter__(self) -> Self: ...
    def __next__(self) -> list[str]: ...
    @property
    def dialect(self) -> csv.Dialect: ...
    @property
    def line_num(self) -> int: ...

@final
class csv_writer:
    def __new__(
        cls,
        fileobj: _Writes,
        /,
        dialect: _Dialect = 'excel',
        *,
        delimiter: str = ',',
        quotechar: str | None = '"',
        escapechar: str | None = None,
        doublequote: bool = True,
        skipinitialspace: bool = False,
        lineterminator: str = '\r\n',
        quoting: int = 0,
        strict: bool = False,
    ) -> Self: ...
    def writerow(self, row: Iterable[Any], /) -> Any: ...
    def writerows(self, rows: Iterable[Iterable[Any]], /) -> None: ...
    @property
    def dialect(self) -> csv.Dialect: ...

@disjoint_base
class csv_dict_reader(Generic[_T]):
    @overload
    def __init__(
        self,
        f: Iterable[str],
        fieldnames: Sequence[_T],
        restkey: _T | None = None,
        restval: str | Any | None = None,
        dialect: _Dialect = 'excel',
        *args: Never,
        delimiter: str = ',',
        quotechar: str | None = '"',
        escapechar: str | None = None,
        doublequote: bool = True,
        skipinitialspace: bool = False,
        lineterminator: str = '\r\n',
        quoting: int = 0,
        strict: bool = False,
    ) -> None: ...
    @overload
    def __init__(
        self: csv_dict_reader[str],
        f: Iterable[str],
        fieldnames: Sequence[str] | None = None,
        restkey: str | None = None,
        restval: str | Any | None = None,
        dialect: _Dialect = 'excel',
        *args: Never,
        delimiter: str = ',',
        quotechar: str | None = '"',
        escapechar: str | None = None,
        doublequote: bool = True,
        skipinitialspace: bool = False,
        lineterminator: str = '\r\n',
        quoting: int = 0,
        strict: bool = False,
    ) -> None: ...
    def __iter__(self) -> Self: ...
    def __next__(self) -> dict[_T | Any, str | Any]: ...
    @classmethod
    def __class_getitem__(cls, item: Any, /) -> GenericAlias: ...
    fieldnames: Sequence[_T] | None
    restkey: _T | None
    restval: str | Any | None
    reader: csv_reader
    dialect: _Dialect
    line_num: int

class csv_dict_writer(Generic[_T]):
    def __init__(
        self,
        f: _Writes,
        fieldnames: Collection[_T],
        restval: Any = '',
        extrasaction: Literal['raise', 'ignore'] = 'raise',
        dialect: _Dialect = 'excel',
        *args: Never,
        delimiter: str = ',',
        quotechar: str | None = '"',
        escapechar: str | None = None,
        doublequote: bool = True,
        skipinitialspace: bool = False,
        lineterminator: str = '\r\n',
        quoting: int = 0,
        strict: bool = False,
    ) -> None: ...
    def writeheader(self) -> Any: ...
    def writerow(self, rowdict: Mapping[_T, Any], /) -> Any: ...
    def writerows(self, rowdicts: Iterable[Mapping[_T, Any]], /) -> None: ...
    @classmethod
    def __class_getitem__(cls, item: Any, /) -> GenericAlias: ...
    fieldnames: Collection[_T]
    restval: Any
    extrasaction: Literal['raise', 'ignore']
    writer: csv_writer

@final
class drive(Coroutine[Any, Any, _T_co], Generic[_T_co]):
    def __new__(cls, generator: Generator[Any, Any, _T_co], /) -> Self: ...
    @property
    def __name__(self) -> str: ...
    @property
    def __qualname__(self) -> str: ...
    @property
    def cr_await(self) -> Any: ...
    @property
    def cr_running(self) -> bool: ...
    @property
    def cr_suspended(self) -> bool: ...
    @property
    def cr_state(self) -> str: ...
    @property
    def cr_frame(self) -> FrameType | None: ...
    @property
    def cr_code(self) -> CodeType | None: ...
    @property
    def cr_origin(self) -> tuple[tuple[str, int, str], ...] | None: ...
    def __await__(self) -> Generator[Any, Any, _T_co]: ...
    def __next__(self) -> Any: ...
    def send(self, value: object, /) -> Any: ...
    def throw(
        self,
        type: type[BaseException] | BaseException,
        value: object = None,
        traceback: TracebackType | None = None,
        /,
    ) -> Any: ...
    def close(self) -> None: ...
    @classmethod
    def __class_getitem__(cls, item: Any, /) -> GenericAlias: ...

@final
class task(Generic[_P, _T_co]):
    __wrapped__: Callable[..., Any]
    __name__: str
    __qualname__: str
    def __new__(cls, function: Callable[_P, Generator[Any, Any, _T_co]], /) -> Self: ...
    def __call__(self, *args: _P.args, **kwargs: _P.kwargs) -> drive[_T_co]: ...
    @overload
    def __get__(self, instance: None, owner: type[Any] | None = None, /) -> Self: ...
    @overload
    def __get__(
        self: task[Concatenate[_Self, _Q], _T_co],
        instance: _Self,
        owner: type[Any] | None = None,
        /,
    ) -> task[_Q, _T_co]: ...
    @property
    def __code__(self) -> CodeType: ...
    @property
    def __defaults__(self) -> tuple[Any, ...] | None: ...
    @property
    def __kwdefaults__(self) -> dict[str, Any] | None: ...
    def __reduce__(self) -> str: ...
    @classmethod
    def __class_getitem__(cls, item: Any, /) -> GenericAlias: ...

class _Submits(Protocol):
    def submit(self, function: Callable[[], None], /) -> Any: ...

@final
class map_threads(Stream[_T_co]):
    @overload
    def __new__(
        cls,
        fn: Callable[[_T], _T_co],
        source: Iterable[_T],
        *,
        concurrency: int = 8,
        ordered: bool = True,
        buffersize: int | None = None,
        return_exceptions: Literal[False] = False,
        pairs: Literal[False] = False,
        executor: _Submits | None = None,
    ) -> Self: ...
    @overload
    def __new__(
        cls,
        fn: Callable[[_T], _R],
        source: Iterable[_T],
        *,
        concurrency: int = 8,
        ordered: bool = True,
        buffersize: int | None = None,
        return_exceptions: bool,
        pairs: Literal[False] = False,
        executor: _Submits | None = None,
    ) -> map_threads[_R | BaseException]: ...
    @overload
    def __new__(
        cls,
        fn: Callable[[_T], _R],
        source: Iterable[_T],
        *,
        concurrency: int = 8,
        ordered: bool = True,
        buffersize: int | None = None,
        return_exceptions: Literal[False] = False,
        pairs: Literal[True],
        executor: _Submits | None = None,
    ) -> map_threads[tuple[_T, _R]]: ...
    @overload
    def __new__(
        cls,
        fn: Callable[[_T], _R],
        source: Iterable[_T],
        *,
        concurrency: int = 8,
        ordered: bool = True,
        buffersize: int | None = None,
        return_exceptions: bool,
        pairs: Literal[True],
        executor: _Submits | None = None,
    ) -> map_threads[tuple[_T, _R | BaseException]]: ...
    def stop(self) -> None: ...

@final
class to_async(AsyncStream[_T_co]):
    def __new__(
        cls,
        source: Iterable[_T_co] | Callable[[], Iterable[_T_co]],
        *,
        thread: bool = True,
        buffersize: int | None = 256,
        max_bytes: int | None = 1048576,
        executor: Executor | None = None,
        hold: bool = True,
        sizeof: Callable[[_T_co], int] | None = None,
        on_close: Callable[[], object] | None = None,
        close_with_task: bool = False,
    ) -> Self: ...

class Event(NamedTuple):
    type: Any
    data: Any

class ErrorEvent(NamedTuple):
    event: Any
    handler: Any
    exception: Exception

_Handler: TypeAlias = (
    Callable[[], Generator[Any, Any, Any]]
    | Callable[[], AsyncGenerator[Any, Any]]
    | Callable[[Any], Any]
    | Generator[Any, Any, Any]
    | AsyncGenerator[Any, Any]
)
_HandlerT = TypeVar('_HandlerT', bound=_Handler)

@final
@type_check_only
class _Decorator(Protocol):
    def __call__(self, handler: _HandlerT, /) -> _HandlerT: ...

@final
class Handler:
    @property
    def type(self) -> Any: ...
    @property
    def handler(self) -> Any: ...
    @property
    def active(self) -> bool: ...
    @property
    def returned(self) -> bool: ...
    @property
    def value(self) -> Any: ...
    @property
    def background(self) -> bool: ...
    @property
    def calls(self) -> int: ...
    @property
    def errors(self) -> int: ...
    @property
    def awaits(self) -> int: ...
    @property
    def dropped(self) -> int: ...
    @property
    def held(self) -> int: ...

@final
@type_check_only
class _EventCoroutine(Coroutine[Any, Any, _T_co], Generic[_T_co]):
    __name__: str
    __qualname__: str
    @property
    def cr_await(self) -> Any: ...
    @property
    def cr_running(self) -> bool: ...
    def __await__(self) -> Generator[Any, Any, _T_co]: ...
    def send(self, value: Any, /) -> Any: ...
    def throw(
        self,
        type: type[BaseException] | BaseException,
        value: object = None,
        traceback: TracebackType | None = None,
        /,
    ) -> Any: ...
    def close(self) -> None: ...

# The events of a Dispatcher of which nothing is said.
@final
@type_check_only
class _AnyEvents: ...

_Events = _DefaultTypeVar('_Events', default=_AnyEvents)

@type_check_only
class _EmitAny(Protocol[_T_co]):
    def __call__(self, type: Hashable, data: Any = None, /) -> _T_co: ...

# emit() and the like: of Dispatcher[Events], what is called is Events.
@type_check_only
class _Emit(Generic[_T_co]):
    @overload
    def __get__(self, d: Dispatcher[_AnyEvents], owner: Any, /) -> _EmitAny[_T_co]: ...
    @overload
    def __get__(self, d: Dispatcher[_Events], owner: Any, /) -> _Events: ...
    @overload
    def __get__(self, d: None, owner: Any, /) -> Callable[..., _T_co]: ...

@final
class Dispatcher(Generic[_Events]):
    def __new__(
        cls,
        *,
        key: str | Callable[[Any], Any] = 'type',
        data: str | Callable[[Any], Any] = 'data',
        default: _Handler | None = None,
    ) -> Self: ...
    @property
    def closed(self) -> bool: ...
    @property
    def types(self) -> tuple[Any, ...]: ...
    @overload
    def on(
        self,
        type: Hashable,
        /,
        *,
        restart: bool = True,
        background: Literal[False] = False,
    ) -> _Decorator: ...
    @overload
    def on(
        self,
        type: Hashable,
        /,
        *,
        restart: bool = True,
        background: bool,
        buffersize: int = 256,
        on_full: _OnFull = 'wait',
    ) -> _Decorator: ...
    @overload
    def on(
        self,
        type: Hashable,
        handler: _Handler,
        /,
        *,
        restart: bool = True,
        background: Literal[False] = False,
    ) -> Handler: ...
    @overload
    def on(
        self,
        type: Hashable,
        handler: _Handler,
        /,
        *,
        restart: bool = True,
        background: bool,
        buffersize: int = 256,
        on_full: _OnFull = 'wait',
    ) -> Handler: ...
    def off(self, type: Hashable, handler: _Handler | Handler, /) -> bool: ...
    def handlers(self, type: Hashable = None, /) -> tuple[Handler, ...]: ...
    emit: _Emit[bool]
    aemit: _Emit[_EventCoroutine[bool]]
    emit_threadsafe: _Emit[Future[bool]]
    def wait_for(
        self,
        type: Hashable,
        /,
        *,
        where: Callable[[Any], Any] | None = None,
        timeout: float | None = None,
    ) -> Coroutine[Any, Any, Any]: ...
    def subscribe(
        self,
        type: Hashable,
        /,
        *,
        buffersize: int = 256,
        on_full: _OnFull = 'wait',
        close_with_task: bool = False,
    ) -> _Subscriber[Any]: ...
    def dispatch(self, event: Any, /) -> bool: ...
    def adispatch(self, event: Any, /) -> _EventCoroutine[bool]: ...
    def run(self, events: Iterable[Any], /) -> None: ...
    def arun(self, events: AsyncIterable[Any] | Iterable[Any], /) -> _EventCoroutine[None]: ...
    def close(self) -> None: ...
    def aclose(self) -> _EventCoroutine[None]: ...
    def __len__(self) -> int: ...
    def __bool__(self) -> Literal[True]: ...
    def __enter__(self) -> Self: ...
    def __exit__(self, *exception: object) -> None: ...
    def __aenter__(self) -> _EventCoroutine[Self]: ...
    def __aexit__(self, *exception: object) -> _EventCoroutine[None]: ...
    @classmethod
    def __class_getitem__(cls, item: Any, /) -> GenericAlias: ...

_OnFull: TypeAlias = Literal['wait', 'drop_oldest', 'drop_newest', 'close']

@final
class _Subscriber(AsyncStream[_T_co], Generic[_T_co]):
    @property
    def dropped(self) -> int: ...

@final
class _SyncSubscriber(Stream[_T_co], Generic[_T_co]):
    @property
    def dropped(self) -> int: ...
    def stop(self) -> None: ...

@final
class Broadcast(Generic[_T]):
    def __new__(
        cls,
        *,
        buffersize: int | None = 256,
        on_full: _OnFull | None = 'wait',
        replay: int | None = 0,
    ) -> Self: ...
    @property
    def subscribers(self) -> int: ...
    def publish(self, item: _T, /) -> int: ...
    def apublish(self, item: _T, /) -> Coroutine[Any, Any, int]: ...
    def run(self, source: Iterable[_T], /) -> None: ...
    def arun(self, source: AsyncIterable[_T] | Iterable[_T], /) -> Coroutine[Any, Any, None]: ...
    def close(self) -> None: ...
    def subscribe(
        self,
        *,
        buffersize: int | None = None,
        on_full: _OnFull | None = None,
        replay: int | None = None,
        close_with_task: bool = False,
    ) -> _Subscriber[_T]: ...
    def subscribe_sync(
        self,
        *,
        buffersize: int | None = None,
        on_full: _OnFull | None = None,
        replay: int | None = None,
        timeout: float | None = None,
    ) -> _SyncSubscriber[_T]: ...
    @classmethod
    def __class_getitem__(cls, item: Any, /) -> GenericAlias: ...

@final
class amap(AsyncStream[_T_co]):
    @overload
    def __new__(
        cls,
        fn: Callable[[_T], Awaitable[_T_co]],
        source: Iterable[_T] | AsyncIterable[_T],
        *,
        concurrency: int = 8,
        ordered: bool = True,
        buffersize: int | None = None,
        return_exceptions: Literal[False] = False,
        pairs: Literal[False] = False,
        close_with_task: bool = False,
    ) -> Self: ...
    @overload
    def __new__(
        cls,
        fn: Callable[[_T], Awaitable[_R]],
        source: Iterable[_T] | AsyncIterable[_T],
        *,
        concurrency: int = 8,
        ordered: bool = True,
        buffersize: int | None = None,
        return_exceptions: bool,
        pairs: Literal[False] = False,
        close_with_task: bool = False,
    ) -> amap[_R | BaseException]: ...
    @overload
    def __new__(
        cls,
        fn: Callable[[_T], Awaitable[_R]],
        source: Iterable[_T] | AsyncIterable[_T],
        *,
        concurrency: int = 8,
        ordered: bool = True,
        buffersize: int | None = None,
        return_exceptions: Literal[False] = False,
        pairs: Literal[True],
        close_with_task: bool = False,
    ) -> amap[tuple[_T, _R]]: ...
    @overload
    def __new__(
        cls,
        fn: Callable[[_T], Awaitable[_R]],
        source: Iterable[_T] | AsyncIterable[_T],
        *,
        concurrency: int = 8,
        ordered: bool = True,
        buffersize: int | None = None,
        return_exceptions: bool,
        pairs: Literal[True],
        close_with_task: bool = False,
    ) -> amap[tuple[_T, _R | BaseException]]: ...

@final
class amerge(AsyncStream[_T_co]):
    @overload
    def __new__(
        cls,
        *sources: AsyncIterable[_T_co],
        until: Literal['all', 'first'] = 'all',
        close_with_task: bool = False,
    ) -> Self: ...
    @overload
    def __new__(
        cls,
        *,
        until: Literal['all', 'first'] = 'all',
        close_with_task: bool = False,
        **named: AsyncIterable[_T],
    ) -> amerge[tuple[str, _T]]: ...
    def add(self, *sources: AsyncIterable[Any], **named: AsyncIterable[Any]) -> None: ...
