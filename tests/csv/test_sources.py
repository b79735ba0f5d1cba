"""Sources of csv_rows: what they are, and what they may not do to it."""

import codecs
import gc
import io
import os
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from generators import CSVError, acsv_rows, csv_rows

DATA = b'a,b\n1,2\n'
ROWS = [['a', 'b'], ['1', '2']]


class Text(str):
    """A str that may refer to its reader, and so be part of a cycle."""

    rows: Any


class Reads:
    """A file object whose read() returns these."""

    def __init__(self, *data: Any) -> None:
        self.data = list(data)

    def read(self, count: int) -> Any:
        return self.data.pop(0) if self.data else b''


# --- kinds of items -----------------------------------------------------------------------------


@pytest.mark.parametrize('encoding', ['utf-8', 'cp1252'])
@pytest.mark.parametrize('start', [b'a,', b'a,b\n'])
@pytest.mark.parametrize('other', ['b\n', 5, None])
def test_an_item_that_is_not_bytes_after_bytes(encoding: str, start: bytes, other: Any) -> None:
    with pytest.raises(CSVError, match='should return bytes, as the items before it, not'):
        list(csv_rows([start, other], encoding=encoding))


@pytest.mark.parametrize('items', ['auto', 'lines', 'chunks'])
def test_an_item_that_is_not_str_after_str(items: Any) -> None:
    with pytest.raises(CSVError, match='should return str, as the items before it, not bytes'):
        list(csv_rows(['a,b\n', b'1,2\n'], items=items))  # type: ignore[arg-type]


def test_a_first_item_of_another_type() -> None:
    with pytest.raises(CSVError, match='should return str or bytes, not int'):
        list(csv_rows([5]))  # type: ignore[arg-type]


def test_empty_bytes_say_nothing_of_the_type() -> None:
    assert list(csv_rows([b'', 'a,b\n'])) == [['a', 'b']]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ('first', 'second', 'wanted'), [(DATA, '3,4\n', 'bytes'), ('a,b\n', b'1,2\n', 'str')]
)
def test_a_file_that_changes_between_bytes_and_str(first: Any, second: Any, wanted: str) -> None:
    stream: Any = csv_rows(Reads(first, second))  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=rf'read\(\) should have returned {wanted}, as before'):
        list(stream)


# --- files --------------------------------------------------------------------------------------


def test_a_path_is_asked_for_once() -> None:
    class Asked:
        count = 0

        def __fspath__(self) -> str:
            self.count += 1
            return os.devnull

    path = Asked()
    assert list(csv_rows(path)) == []
    assert path.count == 1


@pytest.mark.parametrize(('buffering', 'method'), [(-1, 'readinto1'), (0, 'readinto')])
def test_a_method_of_the_users_is_not_given_the_readers_memory(
    buffering: int, method: str, tmp_path: Path
) -> None:
    (tmp_path / 'data.csv').write_bytes(DATA)
    kept: list[memoryview] = []
    with open(tmp_path / 'data.csv', 'rb', buffering=buffering) as file:  # type: ignore[call-overload]
        setattr(file, method, kept.append)
        assert list(csv_rows(file)) == ROWS
    assert kept == []


# --- codecs -------------------------------------------------------------------------------------


class Rejects(codecs.IncrementalDecoder):
    """A decoder whose errors are about bytes that nobody gave it."""

    error: UnicodeDecodeError

    def decode(self, data: bytes, final: bool = False) -> str:  # type: ignore[override]
        if data:
            raise self.error
        return ''

    def getstate(self) -> tuple[bytes, int]:
        return b'', 0


@pytest.mark.parametrize(
    ('about', 'start', 'end'), [(b'', 0, 0), (b'xyz', 2, 1), (b'x' * 99, 3, 98), (b'x', 5, -7)]
)
def test_a_decoding_error_about_other_bytes(about: bytes, start: int, end: int) -> None:
    Rejects.error = UnicodeDecodeError('rejects', about, start, end, 'rejected')

    def find(name: str) -> codecs.CodecInfo | None:
        if name != 'rejects':
            return None
        return codecs.CodecInfo(
            codecs.latin_1_encode, codecs.latin_1_decode, incrementaldecoder=Rejects, name=name
        )

    codecs.register(find)
    try:
        with pytest.raises((CSVError, UnicodeDecodeError)):
            list(csv_rows([DATA], encoding='rejects'))
    finally:
        codecs.unregister(find)


# --- errors -------------------------------------------------------------------------------------


def test_ctrl_c_in_the_message_of_a_converters_error_is_raised() -> None:
    class Interrupts(ValueError):
        def __str__(self) -> str:
            raise KeyboardInterrupt

    def convert(text: str) -> int:
        raise Interrupts

    with pytest.raises(KeyboardInterrupt) as caught:
        list(csv_rows(DATA, into=dict, types={'a': convert}, on_error='skip'))
    assert isinstance(caught.value.__context__, Interrupts)


# --- cycles -------------------------------------------------------------------------------------


class Named(io.BytesIO):
    name: Any = None


def named(text: Text) -> Named:
    file = Named(DATA)
    file.name = text
    return file


MAKERS: dict[str, Callable[[Text], Any]] = {
    'columns': lambda s: csv_rows(DATA, columns=[s]),
    'null': lambda s: csv_rows(DATA, into=dict, types={'a': int}, null=[s]),
    'types': lambda s: csv_rows(DATA, into=dict, types={s: int}),
    'names': lambda s: csv_rows(DATA, into=dict, names=[s, 'b']),
    'names of tuples': lambda s: csv_rows(DATA, into=tuple, names=[s, 'b'], columns=[s]),
    'delimiter': lambda s: csv_rows(DATA, delimiter=Text(',')),
    'encoding': lambda s: csv_rows(DATA, encoding=s),
    'errors': lambda s: csv_rows(DATA, errors=s),
    'name of the file': lambda s: csv_rows(named(s)),
    'async encoding': lambda s: acsv_rows(Chunks(), encoding=s),
    'async columns': lambda s: acsv_rows(Chunks(), columns=[s]),
    'async names': lambda s: acsv_rows(Chunks(), names=[s], header=False),
}
VALUES = {'encoding': 'utf-8', 'async encoding': 'latin-1', 'errors': 'strict'}


class Chunks:
    def __aiter__(self) -> 'Chunks':
        return self

    async def __anext__(self) -> bytes:
        raise StopAsyncIteration


@pytest.mark.parametrize('read', [False, True])
@pytest.mark.parametrize('name', MAKERS)
def test_a_str_subclass_does_not_keep_its_reader_alive(name: str, read: bool) -> None:
    text = Text(VALUES.get(name, 'a'))
    rows = MAKERS[name](text)
    text.rows = rows
    if read and hasattr(rows, '__next__'):
        next(rows)
    seen = weakref.ref(rows)
    del rows, text
    gc.collect()
    assert seen() is None


def test_a_path_that_is_a_str_subclass(tmp_path: Path) -> None:
    path = Text(tmp_path / 'data.csv')
    Path(path).write_bytes(DATA)
    rows = csv_rows(path)
    path.rows = rows
    next(rows)
    seen = weakref.ref(rows)
    del rows, path
    gc.collect()
    assert seen() is None
