"""Bad input: each gives a clear error with its place, and loses no row before it."""

import codecs
import csv
import io
import itertools
import os
import pickle
import signal
import sys
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from generators import CSVError, DataError, csv_rows


def rows_and_error(source: Any, **parameters: Any) -> tuple[list[Any], CSVError]:
    rows = []
    stream = csv_rows(source, **parameters)
    with pytest.raises(CSVError) as caught:
        rows.extend(stream)
    assert next(stream, 'ended') == 'ended'
    return rows, caught.value


# --- files ------------------------------------------------------------------------------------


def test_a_missing_path_is_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        csv_rows(tmp_path / 'none.csv')


def test_a_directory_is_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError):
        csv_rows(tmp_path)


@pytest.mark.skipif(
    not hasattr(os, 'geteuid') or os.geteuid() == 0, reason='root may read every file'
)
def test_a_path_without_permission_is_refused_at_once(tmp_path: Path) -> None:
    path = tmp_path / 'data.csv'
    path.write_bytes(b'a')
    path.chmod(0)
    with pytest.raises(PermissionError):
        csv_rows(path)


@pytest.mark.parametrize('opened', [lambda p: p, lambda p: p.open('rb')], ids=['path', 'file'])
def test_a_file_that_shrinks_is_an_error(opened: Callable[[Path], Any], tmp_path: Path) -> None:
    path = tmp_path / 'data.csv'
    path.write_bytes(b'a,b\n' * 100_000)
    source = opened(path)
    rows = csv_rows(source)
    next(rows)
    os.truncate(path, 200_000)
    with pytest.raises(CSVError, match='shrank while it was read: 200000 of 400000 bytes'):
        for _ in rows:
            pass
    assert rows.row_num == 50_000
    if source is not path:
        source.close()


def test_a_file_that_grows_is_read_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / 'data.csv'
    path.write_bytes(b'a,b\n' * 100_000)
    rows = csv_rows(path)
    next(rows)
    with path.open('ab') as file:
        file.write(b'c,d\n')
    assert list(rows)[-1] == ['c', 'd']


@pytest.mark.skipif(not Path('/proc/self/fd').exists(), reason='needs /proc/self/fd')
@pytest.mark.parametrize('end', ['exhaustion', 'close', 'drop', 'error', 'throw'])
def test_a_path_is_closed_at_every_end(end: str, tmp_path: Path) -> None:
    path = tmp_path / 'data.csv'
    path.write_bytes(b'a\n"b"c\n' if end == 'error' else b'a\nb\n')

    def is_open() -> bool:
        links = []
        for entry in Path('/proc/self/fd').iterdir():
            try:
                links.append(os.readlink(entry))
            except OSError:
                continue  # the descriptor that listed the folder
        return str(path) in links

    rows = csv_rows(path, strict=True)
    next(rows)
    assert is_open()
    if end == 'exhaustion':
        list(rows)
    elif end == 'close':
        rows.close()
    elif end == 'drop':
        del rows
    elif end == 'error':
        with pytest.raises(CSVError):
            next(rows)
    else:
        with pytest.raises(KeyError):
            rows.throw(KeyError)
    assert not is_open()


# --- sources ----------------------------------------------------------------------------------


def test_a_read_that_raises_comes_through_with_its_place() -> None:
    error = OSError('the disk is gone')

    class File:
        reads = 0

        def read(self, size: int) -> bytes:
            self.reads += 1
            if self.reads > 2:
                raise error
            return b'a,b\nc'

    rows = csv_rows(File())
    assert [next(rows), next(rows)] == [['a', 'b'], ['ca', 'b']]
    with pytest.raises(OSError, match='the disk is gone') as caught:
        next(rows)
    assert caught.value is error
    assert error.__notes__ == ['while reading from byte 10']


def test_a_read_that_raises_stop_iteration_is_a_runtime_error() -> None:
    class File:
        def read(self, size: int) -> bytes:
            raise StopIteration

    with pytest.raises(RuntimeError, match='generator raised StopIteration'):
        next(csv_rows(File()))


def test_a_read_that_closes_the_reader_is_refused() -> None:
    class File:
        def read(self, size: int) -> bytes:
            rows.close()
            return b''

    rows = csv_rows(File())
    with pytest.raises(ValueError, match='generator already executing'):
        next(rows)


@pytest.mark.parametrize(
    ('items', 'message'),
    [
        (['a,b\n', 3], 'str, as the items before it, not int .item 1'),
        (['a,b\n', b'c'], 'str, as the items before it, not bytes'),
        ([b'a,b\n', 'c'], 'bytes, as the items before it, not str'),
        ([b'a,b\n', None], 'bytes, as the items before it, not NoneType'),
    ],
)
def test_an_item_of_another_type_is_an_error(items: list[Any], message: str) -> None:
    rows, error = rows_and_error(items)
    assert rows == [['a', 'b']]
    assert message.partition(' .item')[0] in str(error)
    assert error.record == 2


@pytest.mark.parametrize('item', [3, None, ['a'], ('a',), object()])
def test_a_first_item_of_no_use_is_an_error(item: Any) -> None:
    _, error = rows_and_error([item])
    assert f'str or bytes, not {type(item).__name__} (item 0)' in str(error)


def test_a_source_that_dies_while_it_is_read_is_kept_alive() -> None:
    class Source:
        def __init__(self) -> None:
            self.left = 3

        def __iter__(self) -> Iterator[str]:
            return self

        def __next__(self) -> str:
            holder.clear()
            self.left -= 1
            if self.left == 0:
                raise StopIteration
            return 'a,b'

    holder = [Source()]
    assert list(csv_rows(holder[0])) == [['a', 'b']] * 2


def test_an_item_that_changes_under_the_reader_was_copied() -> None:
    item = bytearray(b'a,b\nc,d\ne,f\n')
    rows = csv_rows([item])
    assert next(rows) == ['a', 'b']
    item[:] = b'\xff' * len(item)
    del item[:]
    assert list(rows) == [['c', 'd'], ['e', 'f']]


def test_a_buffer_that_changes_under_the_reader_does_no_harm() -> None:
    source = bytearray(b'a,b\n' * 100_000)
    rows = csv_rows(source)
    next(rows)
    source[200_000:] = b'\xff' * 200_000
    with pytest.raises(CSVError, match='not valid utf-8'):
        list(rows)
    assert rows.row_num >= 50_000 - 1
    source.clear()  # and it is let go of


# --- limits -----------------------------------------------------------------------------------


class Endless:
    """A source without an end, that counts what was taken from it."""

    def __init__(self, start: bytes, item: bytes) -> None:
        self.items = itertools.chain([start], itertools.repeat(item))
        self.taken = 0

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        item = next(self.items)
        self.taken += len(item)
        return item


@pytest.mark.parametrize('start', [b'ok\n"', b'ok\n'], ids=['quoted', 'plain'])
def test_an_endless_field_is_found_at_the_limit(start: bytes) -> None:
    source = Endless(start, b'x' * 4096)
    rows, error = rows_and_error(source)
    assert rows == [['ok']]
    assert 'field larger than field limit (131072)' in str(error)
    # An unclosed quote is told where it opens.
    assert (error.record, error.byte) == (2, 3 if b'"' in start else len(start) + 131072)
    assert 'larger max_field' in str(error)
    assert source.taken <= len(start) + 131072 + 4096


def test_an_endless_field_of_any_size_is_found_by_the_record() -> None:
    source = Endless(b'ok\n"', b'x' * 4096)
    rows, error = rows_and_error(source, max_field=None, max_record=1 << 20)
    assert rows == [['ok']]
    assert 'record larger than max_record (1048576)' in str(error)
    assert source.taken <= (1 << 20) + 8192


def test_endless_delimiters_are_found_by_the_record() -> None:
    source = Endless(b'ok\n', b',' * 65536)
    rows, error = rows_and_error(source, max_record=1 << 22)
    assert rows == [['ok']]
    assert error.record == 2
    assert source.taken <= (1 << 22) + 2 * 65536


def test_an_endless_line_of_text_items_is_found_at_the_limit() -> None:
    taken = itertools.count()
    source = itertools.chain(['"'], (f'{i % 10}' * 1000 for i in taken))
    _, error = rows_and_error(source)
    assert 'field larger than field limit (131072)' in str(error)
    assert next(taken) <= 133


@pytest.mark.parametrize('limit', [0, 1, 5, 63, 64, 65, 1000])
@pytest.mark.parametrize('quoted', [False, True])
def test_the_field_limit_is_exact(limit: int, quoted: bool) -> None:
    quote = b'"' if quoted else b''
    fits = b'a,' + quote + b'x' * limit + quote + b',\n'
    over = b'a,' + quote + b'x' * (limit + 1) + quote + b'\n'
    expected = [['a'[:limit], 'x' * limit, '']] if limit else None
    if limit:
        assert list(csv_rows(fits, max_field=limit)) == expected
    rows, error = rows_and_error(fits * (limit > 0) + over, max_field=limit)
    assert rows == (expected or [])
    assert f'field larger than field limit ({limit})' in str(error)


def test_the_field_limit_counts_characters_not_bytes() -> None:
    field = 'é€😀' * 50
    data = f'{field}\n'.encode()
    assert list(csv_rows(data, max_field=150)) == [[field]]
    _, error = rows_and_error(data, max_field=149)
    assert error.byte == len(field.encode()) - 4


def test_the_record_limit_is_exact() -> None:
    assert list(csv_rows(b'a,b,c\r\n', max_record=5)) == [['a', 'b', 'c']]
    rows, error = rows_and_error(b'a,b\na,b,c\r\n', max_record=4)
    assert rows == [['a', 'b']]
    assert 'record larger than max_record (4)' in str(error)


@pytest.mark.parametrize(
    ('data', 'parameters'),
    [
        (b' ' * 90 + b'x' * 30 + b'\n', {'max_field': 20, 'skipinitialspace': True}),
        (b'a,' * 50 + b'b' * 30 + b'\n', {'max_field': 20}),
        (b'a,' * 55 + b'"b"x\n', {'strict': True}),
    ],
    ids=['blanks', 'field', 'quote'],
)
def test_the_first_fault_of_a_record_is_its_fault_wherever_it_is_cut(
    data: bytes, parameters: dict[str, Any]
) -> None:
    for size in range(1, len(data) + 1):
        pieces = [data[i : i + size] for i in range(0, len(data), size)]
        _, error = rows_and_error(pieces, items='chunks', max_record=100, **parameters)
        assert 'record larger than max_record (100)' in str(error)
        assert error.byte == 100


def test_the_default_limit_of_a_field_is_that_of_csv() -> None:
    assert csv.field_size_limit() == 131072
    fits = 'x' * 131072
    assert list(csv_rows([fits])) == [[fits]]
    _, error = rows_and_error([fits + 'x'])
    assert (error.record, error.line) == (1, 1)


# --- text -------------------------------------------------------------------------------------


def test_nul_and_lone_surrogates_are_characters() -> None:
    assert list(csv_rows(['\0,\ud800,"\udfff"\n'])) == [['\0', '\ud800', '\udfff']]
    assert list(csv_rows(b'a\0b,\0\n')) == [['a\0b', '\0']]


@pytest.mark.parametrize('cut', range(12))
def test_rows_before_invalid_bytes_come_first_across_a_cut(cut: int) -> None:
    data = b'a,b\nc,\xe2\x82\n'
    rows, error = rows_and_error([data[:cut], data[cut:]])
    assert rows == [['a', 'b']]
    assert isinstance(error.__cause__, UnicodeDecodeError)
    assert (error.record, error.line, error.byte) == (2, 2, 6)
    assert 'not valid utf-8' in str(error)


def test_a_character_cut_off_by_the_end_is_an_error() -> None:
    rows, error = rows_and_error(b'a\nb\xf0\x9f\x98')
    assert rows == [['a']]
    assert error.byte == 3
    assert 'unexpected end of data' in str(error.__cause__)


def test_bytes_that_are_not_ascii_are_an_error_under_ascii() -> None:
    rows, error = rows_and_error(b'a\nb\x80', encoding='ascii')
    assert rows == [['a']]
    assert (error.byte, error.line) == (3, 2)


@pytest.mark.parametrize(
    ('data', 'advice'),
    [
        (b'\x1f\x8b\x08\x00rest', "compression='infer'"),
        (b'\x28\xb5\x2f\xfdrest', 'zstd'),
        (b'PK\x03\x04rest', 'zipfile'),
        ('a,b\n'.encode('utf-16'), "encoding='utf-16'"),
        (b'\xfe\xff\0a', "encoding='utf-16'"),
        ('a,b\n'.encode('utf-32'), "encoding='utf-32'"),
        (b'\0\0\xfe\xff\0\0\0a', "encoding='utf-32'"),
    ],
)
@pytest.mark.parametrize('size', [1, 3, 100])
@pytest.mark.parametrize('encoding', ['utf-8', 'latin-1', 'cp1252'])
def test_what_is_no_text_is_told_by_its_beginning(
    data: bytes, advice: str, size: int, encoding: str
) -> None:
    chunks = [data[i : i + size] for i in range(0, len(data), size)]
    rows, error = rows_and_error(chunks, encoding=encoding, compression=None)
    assert rows == []
    assert advice in str(error)
    assert error.byte == 0


@pytest.mark.parametrize('encoding', ['utf-16', 'utf-32', 'utf-16-le'])
def test_wide_encodings_are_read_when_asked_for(encoding: str) -> None:
    text = '\ufeffa,é\n' if encoding.endswith('le') else 'a,é\n'
    assert next(csv_rows(text.encode(encoding), encoding=encoding))[1] == 'é'


def test_a_codec_that_is_no_good_is_an_error() -> None:
    import codecs

    class Decoder(codecs.IncrementalDecoder):
        def decode(self, data: Any, final: bool = False) -> Any:
            return b'not text'

    def search(name: str) -> Any:
        if name == 'generators_bad':
            return codecs.CodecInfo(
                codecs.utf_8_encode, codecs.utf_8_decode, incrementaldecoder=Decoder, name=name
            )
        return None

    codecs.register(search)
    try:
        with pytest.raises(TypeError, match='should return a string'):
            list(csv_rows(b'abcd', encoding='generators_bad'))
    finally:
        codecs.unregister(search)


def test_memory_stays_bounded_on_an_endless_record() -> None:
    """The index of an endless record does not outgrow the record many times over."""
    import tracemalloc

    tracemalloc.start()
    try:
        rows_and_error(Endless(b'\n', b',' * 65536), max_record=4 << 20)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 40 << 20


def test_a_million_short_records_leave_nothing_behind() -> None:
    before = sys.getallocatedblocks()
    assert sum(1 for _ in csv_rows(itertools.repeat(b'a,b\n' * 1000, 1000))) == 1_000_000
    assert sys.getallocatedblocks() < before + 500


@pytest.mark.skipif(not hasattr(signal, 'setitimer'), reason='signals by a timer are of Unix')
def test_a_signal_ends_rows_that_no_python_code_takes() -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    def take_all() -> None:
        signal.setitimer(signal.ITIMER_REAL, 0.005)
        deque(rows, maxlen=0)

    count = 2_000_000
    rows = csv_rows(b'a\n' * count)
    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        with pytest.raises(KeyboardInterrupt):
            take_all()
    finally:
        signal.signal(signal.SIGALRM, before)
    assert rows.row_num < count


# --- buffered files that fail -----------------------------------------------------------------


class Raw(io.RawIOBase):
    """Each readinto() is bytes, what it returns, or an exception."""

    def __init__(self, *answers: Any) -> None:
        self.answers = iter(answers)

    def readable(self) -> bool:
        return True

    def readinto(self, room: Any) -> Any:
        answer = next(self.answers)
        if isinstance(answer, bytes):
            room[: len(answer)] = answer
            return len(answer)
        if isinstance(answer, Exception):
            raise answer
        return answer


def test_a_buffered_file_that_fails_says_where() -> None:
    rows = csv_rows(io.BufferedReader(Raw(b'a\n', OSError('lost'))))
    with pytest.raises(OSError, match='lost') as caught:
        list(rows)
    assert caught.value.__notes__ == ['while reading from byte 0']


def test_a_buffered_file_that_would_block_is_an_error() -> None:
    with pytest.raises(BlockingIOError, match='has no data available'):
        next(csv_rows(io.BufferedReader(Raw(None))))


# --- codecs -----------------------------------------------------------------------------------


class Refusing(codecs.IncrementalDecoder):
    """ASCII, whose state is no state."""

    def decode(self, data: Any, final: bool = False) -> str:
        return codecs.ascii_decode(bytes(data), 'strict')[0]

    def getstate(self) -> Any:
        return None


def test_a_decoder_without_a_state_cannot_go_on_after_an_error() -> None:
    def search(name: str) -> Any:
        if name == 'generators_refusing':
            return codecs.CodecInfo(
                codecs.ascii_encode, codecs.ascii_decode, incrementaldecoder=Refusing, name=name
            )
        return None

    codecs.register(search)
    try:
        with pytest.raises(TypeError, match='illegal decoder state'):
            list(csv_rows(b'a\n\xff\nb\n', encoding='generators_refusing', on_error='skip'))
    finally:
        codecs.unregister(search)


def test_a_handler_of_decoding_errors_alone_encodes_strictly() -> None:
    def handle(error: UnicodeError) -> Any:
        if isinstance(error, UnicodeDecodeError):
            return '\u20ac', error.end
        raise error

    codecs.register_error('generators.decoding', handle)
    options: dict[str, Any] = {'encoding': 'cp1252', 'errors': 'generators.decoding'}
    assert list(csv_rows(b'\x81,b\n', types={0: bytes}, **options)) == [[b'\x80', 'b']]
    options['encoding'] = 'ascii'
    with pytest.raises(CSVError) as caught:
        list(csv_rows(b'\x81,b\n', types={0: bytes}, **options))
    assert isinstance(caught.value.__cause__, UnicodeEncodeError)


def test_a_long_field_of_wide_text_is_a_number_all_the_same() -> None:
    digits = '1' * 300
    assert list(csv_rows([f'é,{digits}\n'], types={1: int})) == [['é', int(digits)]]


def test_a_csv_error_is_a_data_error_and_is_told_by_pickle() -> None:
    assert issubclass(CSVError, csv.Error)
    assert issubclass(CSVError, DataError)
    assert issubclass(DataError, ValueError)
    assert not hasattr(DataError, 'column')
    _, error = rows_and_error(b'1\nx\n', types={0: int})
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is CSVError
    assert str(again) == str(error)
    said = {'record': 2, 'line': 2, 'byte': 2, 'column': 0, 'text': 'x', 'record_line': 2}
    problems = ((0, 'x', "invalid literal for int() with base 10: 'x'"),)
    assert vars(again) == vars(error) == {**said, 'problems': problems}
    assert error.path is None
    assert DataError('said').line is None
