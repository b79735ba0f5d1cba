"""Types of the native module; what each does is said in its docstring."""

import csv
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from os import PathLike
from types import GenericAlias, TracebackType, UnionType
from typing import Any, Generic, Literal, Protocol, Self, TypeAlias, TypeVar, final, overload

from typing_extensions import Buffer

_T = TypeVar('_T')
_T_co = TypeVar('_T_co', covariant=True)

class _Reads(Protocol):
    def read(self, n: int, /) -> Any: ...

_Dialect: TypeAlias = str | csv.Dialect | type[csv.Dialect]
_Source: TypeAlias = str | PathLike[Any] | Buffer | _Reads | Iterable[str] | Iterable[Buffer]
_Names: TypeAlias = (
    Sequence[str] | Callable[[tuple[str, ...]], Iterable[str]] | Callable[[str], str]
)

_Types: TypeAlias = Mapping[Any, Callable[[str], Any] | type[Any] | UnionType]

scan_kernels: tuple[str, ...]
scan_kernel: str

class _Stream(Generator[_T_co, object], Generic[_T_co]):
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
    @classmethod
    def __class_getitem__(cls, item: Any, /) -> GenericAlias: ...

class CSVError(csv.Error, ValueError):
    path: str | None
    record: int | None
    line: int | None
    byte: int | None
    column: str | int | None
    text: str | None

@final
class csv_rows(_Stream[_T_co]):
    @overload
    def __new__(
        cls,
        source: _Source,
        *,
        into: type[list[Any]] = ...,
        header: bool | None = None,
        names: _Names | None = None,
        columns: Sequence[str | int] | None = None,
        types: None = None,
        null: Iterable[str] = (),
        ragged: Literal['allow', 'pad', 'error'] | None = None,
        dialect: _Dialect = 'excel',
        delimiter: str = ',',
        quotechar: str | None = '"',
        escapechar: str | None = None,
        doublequote: bool = True,
        skipinitialspace: bool = False,
        lineterminator: str = '\r\n',
        quoting: int = ...,
        strict: bool = False,
        encoding: str = 'utf-8',
        errors: str = 'strict',
        items: Literal['auto', 'lines', 'chunks'] = 'auto',
        max_field: int | None = 131072,
        max_record: int | None = 67108864,
        on_error: Literal['raise', 'skip'] | Callable[[CSVError, Any], object] = 'raise',
    ) -> csv_rows[list[str]]: ...
    @overload
    def __new__(
        cls,
        source: _Source,
        *,
        into: type[list[Any]] = ...,
        header: bool | None = None,
        names: _Names | None = None,
        columns: Sequence[str | int] | None = None,
        types: _Types,
        null: Iterable[str] = (),
        ragged: Literal['allow', 'pad', 'error'] | None = None,
        dialect: _Dialect = 'excel',
        delimiter: str = ',',
        quotechar: str | None = '"',
        escapechar: str | None = None,
        doublequote: bool = True,
        skipinitialspace: bool = False,
        lineterminator: str = '\r\n',
        quoting: int = ...,
        strict: bool = False,
        encoding: str = 'utf-8',
        errors: str = 'strict',
        items: Literal['auto', 'lines', 'chunks'] = 'auto',
        max_field: int | None = 131072,
        max_record: int | None = 67108864,
        on_error: Literal['raise', 'skip'] | Callable[[CSVError, Any], object] = 'raise',
    ) -> csv_rows[list[Any]]: ...
    @overload
    def __new__(
        cls,
        source: _Source,
        *,
        into: type[tuple[Any, ...]],
        header: bool | None = None,
        names: _Names | None = None,
        columns: Sequence[str | int] | None = None,
        types: None = None,
        null: Iterable[str] = (),
        ragged: Literal['allow', 'pad', 'error'] | None = None,
        dialect: _Dialect = 'excel',
        delimiter: str = ',',
        quotechar: str | None = '"',
        escapechar: str | None = None,
        doublequote: bool = True,
        skipinitialspace: bool = False,
        lineterminator: str = '\r\n',
        quoting: int = ...,
        strict: bool = False,
        encoding: str = 'utf-8',
        errors: str = 'strict',
        items: Literal['auto', 'lines', 'chunks'] = 'auto',
        max_field: int | None = 131072,
        max_record: int | None = 67108864,
        on_error: Literal['raise', 'skip'] | Callable[[CSVError, Any], object] = 'raise',
    ) -> csv_rows[tuple[str, ...]]: ...
    @overload
    def __new__(
        cls,
        source: _Source,
        *,
        into: type[tuple[Any, ...]],
        header: bool | None = None,
        names: _Names | None = None,
        columns: Sequence[str | int] | None = None,
        types: _Types,
        null: Iterable[str] = (),
        ragged: Literal['allow', 'pad', 'error'] | None = None,
        dialect: _Dialect = 'excel',
        delimiter: str = ',',
        quotechar: str | None = '"',
        escapechar: str | None = None,
        doublequote: bool = True,
        skipinitialspace: bool = False,
        lineterminator: str = '\r\n',
        quoting: int = ...,
        strict: bool = False,
        encoding: str = 'utf-8',
        errors: str = 'strict',
        items: Literal['auto', 'lines', 'chunks'] = 'auto',
        max_field: int | None = 131072,
        max_record: int | None = 67108864,
        on_error: Literal['raise', 'skip'] | Callable[[CSVError, Any], object] = 'raise',
    ) -> csv_rows[tuple[Any, ...]]: ...
    @overload
    def __new__(
        cls,
        source: _Source,
        *,
        into: type[dict[Any, Any]],
        header: bool | None = None,
        names: _Names | None = None,
        columns: Sequence[str | int] | None = None,
        types: None = None,
        null: Iterable[str] = (),
        ragged: Literal['allow', 'pad', 'error'] | None = None,
        dialect: _Dialect = 'excel',
        delimiter: str = ',',
        quotechar: str | None = '"',
        escapechar: str | None = None,
        doublequote: bool = True,
        skipinitialspace: bool = False,
        lineterminator: str = '\r\n',
        quoting: int = ...,
        strict: bool = False,
        encoding: str = 'utf-8',
        errors: str = 'strict',
        items: Literal['auto', 'lines', 'chunks'] = 'auto',
        max_field: int | None = 131072,
        max_record: int | None = 67108864,
        on_error: Literal['raise', 'skip'] | Callable[[CSVError, Any], object] = 'raise',
    ) -> csv_rows[dict[str, str]]: ...
    @overload
    def __new__(
        cls,
        source: _Source,
        *,
        into: type[dict[Any, Any]],
        header: bool | None = None,
        names: _Names | None = None,
        columns: Sequence[str | int] | None = None,
        types: _Types,
        null: Iterable[str] = (),
        ragged: Literal['allow', 'pad', 'error'] | None = None,
        dialect: _Dialect = 'excel',
        delimiter: str = ',',
        quotechar: str | None = '"',
        escapechar: str | None = None,
        doublequote: bool = True,
        skipinitialspace: bool = False,
        lineterminator: str = '\r\n',
        quoting: int = ...,
        strict: bool = False,
        encoding: str = 'utf-8',
        errors: str = 'strict',
        items: Literal['auto', 'lines', 'chunks'] = 'auto',
        max_field: int | None = 131072,
        max_record: int | None = 67108864,
        on_error: Literal['raise', 'skip'] | Callable[[CSVError, Any], object] = 'raise',
    ) -> csv_rows[dict[str, Any]]: ...
    @overload
    def __new__(
        cls,
        source: _Source,
        *,
        into: Callable[..., _T],
        header: bool | None = None,
        names: _Names | None = None,
        columns: Sequence[str | int] | None = None,
        types: _Types | None = None,
        null: Iterable[str] = (),
        ragged: Literal['allow', 'pad', 'error'] | None = None,
        dialect: _Dialect = 'excel',
        delimiter: str = ',',
        quotechar: str | None = '"',
        escapechar: str | None = None,
        doublequote: bool = True,
        skipinitialspace: bool = False,
        lineterminator: str = '\r\n',
        quoting: int = ...,
        strict: bool = False,
        encoding: str = 'utf-8',
        errors: str = 'strict',
        items: Literal['auto', 'lines', 'chunks'] = 'auto',
        max_field: int | None = 131072,
        max_record: int | None = 67108864,
        on_error: Literal['raise', 'skip'] | Callable[[CSVError, Any], object] = 'raise',
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
