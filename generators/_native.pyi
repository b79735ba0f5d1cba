"""Types of the native module; what each does is said in its docstring."""

import csv
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from os import PathLike
from types import GenericAlias, TracebackType
from typing import (
    Any,
    Generic,
    Literal,
    Protocol,
    Self,
    SupportsIndex,
    TypeAlias,
    TypeVar,
    final,
    overload,
)

from typing_extensions import Buffer

_T_co = TypeVar('_T_co', covariant=True)

class _Reads(Protocol):
    def read(self, n: int, /) -> Any: ...

_Dialect: TypeAlias = str | csv.Dialect | type[csv.Dialect]
_Source: TypeAlias = str | PathLike[Any] | Buffer | _Reads | Iterable[str] | Iterable[Buffer]
_Names: TypeAlias = (
    Sequence[str] | Callable[[tuple[str, ...]], Iterable[str]] | Callable[[str], str]
)

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
class _CSVNames:
    def __new__(cls, names: Iterable[str], /) -> Self: ...
    def __reduce__(self) -> tuple[type[Self], tuple[tuple[str, ...]]]: ...

@final
class CSVRow(Sequence[str]):
    def __new__(
        cls,
        values: dict[str, str | float | None] | Iterable[str | float | None],
        names: Iterable[str] | _CSVNames | None = None,
    ) -> Self: ...
    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[str]: ...
    @overload
    def __getitem__(self, key: SupportsIndex | str, /) -> str: ...
    @overload
    def __getitem__(self, key: slice, /) -> tuple[str, ...]: ...
    def __contains__(self, value: object, /) -> bool: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def index(
        self, value: object, start: SupportsIndex = 0, stop: SupportsIndex = ..., /
    ) -> int: ...
    def count(self, value: object, /) -> int: ...
    def keys(self) -> tuple[str, ...]: ...
    def __copy__(self) -> Self: ...
    def __deepcopy__(self, memo: object = None, /) -> Self: ...

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
    ) -> csv_rows[list[str]]: ...
    @overload
    def __new__(
        cls,
        source: _Source,
        *,
        into: type[tuple[Any, ...]],
        header: bool | None = None,
        names: _Names | None = None,
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
    ) -> csv_rows[tuple[str, ...]]: ...
    @overload
    def __new__(
        cls,
        source: _Source,
        *,
        into: type[CSVRow],
        header: bool | None = None,
        names: _Names | None = None,
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
    ) -> csv_rows[CSVRow]: ...
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
