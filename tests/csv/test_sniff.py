"""``csv_sniff``: how a file is to be read, from a sample of its front."""

from __future__ import annotations

import array
import bz2
import csv
import gzip
import io
import itertools
import lzma
import pickle
import random
import threading
import time
import zipfile
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from generators import CSVError, CSVFormat, csv_rows, csv_sniff
from native_generators._native import csv_sniffed

PLAIN = 'id;name;when\n1;Ada;2024-01-05\n2;"Grace; H.";2024-02-07\n3;Mary;2024-03-09\n'
DIALECTS = Path(__file__).resolve().parents[3] / 'shared' / 'dialects'
DELIMITERS = {'comma': ',', 'semicolon': ';', 'tab': '\t', 'vslash': '|', 'nsign': '#'}
DELIMITERS['space'] = ' '
QUOTES = {'doublequote': '"', 'singlequote': "'"}


def sniffed(text: str, **options: Any) -> dict[str, Any]:
    return dict(csv_sniff(text.encode(), **options))


# --- dialects ------------------------------------------------------------------------------------


@pytest.mark.parametrize('delimiter', [',', ';', '\t', '|', ':', '^', '~', '\x1f'])
def test_the_delimiter(delimiter: str) -> None:
    rows = [['id', 'name', 'amount'], *([str(i), f'name {i % 7}', f'{i}.5'] for i in range(20))]
    text = ''.join(delimiter.join(row) + '\n' for row in rows)
    format = csv_sniff(text.encode())
    assert (format.delimiter, format.header) == (delimiter, True)
    assert list(csv_rows(text.encode(), into=list, **format)) == rows[1:]
    assert format.sure['delimiter'] > 0.9


def test_blanks_in_a_row_are_one_delimiter() -> None:
    text = 'C        0.000000     0.000000\nH        0.000000     1.089000\nH  -1.026719  -0.363\n'
    format = csv_sniff(text.encode())
    assert (format.delimiter, format.skipinitialspace, format.header) == (' ', True, False)
    assert [len(row) for row in csv_rows(text.encode(), **format)] == [3, 3, 3]


def test_decimal_commas_are_no_delimiters() -> None:
    assert sniffed('n;m\n1,5;2,5\n3,25;4,75\n') == {'delimiter': ';', 'header': True}


def test_times_dates_and_addresses_are_not_cut() -> None:
    text = ''.join(
        f'2024-01-{day:02} 12:{day:02}:00,http://example.org/a/{day}?b=c&d=e,{day}\n'
        for day in range(1, 29)
    )
    assert sniffed(text) == {'header': False}


def test_commas_in_prose_are_no_delimiters() -> None:
    text = 'key\ttext\n' + ''.join(f'{i}\tOne, two, and so on; {"x, " * i}\n' for i in range(9))
    assert csv_sniff(text.encode()).delimiter == '\t'


def test_quotes_of_both_kinds() -> None:
    text = "'a','b, c'\n'd','e, f'\n'it is','g'\n"
    assert csv_sniff(text.encode()).quotechar == "'"
    assert csv_sniff(text.replace("'", '"').encode()).quotechar == '"'


def test_an_apostrophe_is_no_quote() -> None:
    assert csv_sniff(b"it's,1\ndon't,2\n'tis,3\n").quotechar == '"'


def test_escapes() -> None:
    text = '1,"say \\"hi\\", then"\n2,"\\"quoted\\""\n'
    format = csv_sniff(text.encode())
    assert (format.escapechar, format.quotechar) == ('\\', '"')
    assert next(csv_rows(text.encode(), **format)) == ['1', 'say "hi", then']


def test_a_sample_without_quotes_does_not_tell_that_nothing_is_quoted() -> None:
    format = csv_sniff(b'a,b\n1,2\n' * 50)
    assert format.quotechar == '"'
    assert format.sure['quotechar'] == 0.5


def test_quotes_that_quote_nothing_are_text() -> None:
    text = 'x|"5" disk|y\nz|"3|7\n"1|2|3\n' * 5
    format = csv_sniff(text.encode())
    assert (format.quotechar, format['quoting']) == (None, csv.QUOTE_NONE)
    assert list(csv_rows(text.encode(), **format)) == [row.split('|') for row in text.splitlines()]
    assert format.next_best['quotechar'] == '"'


def test_a_quote_that_is_never_closed_does_not_hide_the_rest() -> None:
    text = 'a,"b\n' + 'c,d\n' * 40_000
    format = csv_sniff(text.encode())
    assert (format.delimiter, format.quotechar) == (',', None)


def test_blanks_behind_delimiters_are_skipped() -> None:
    text = 'name, town, n\n"A, B", "Oslo", 1\n"C", "Rome, It", 2\n'
    format = csv_sniff(text.encode())
    assert format.skipinitialspace
    assert list(csv_rows(text.encode(), **format))[1] == ['C', 'Rome, It', '2']


def test_the_delimiter_of_a_single_column_is_one_that_it_does_not_hold() -> None:
    text = 'Well, this is one.\nAnd that another!\nSo, what, then, is next?\nNothing.\n'
    format = csv_sniff(text.encode())
    assert format.delimiter not in text
    assert {len(row) for row in csv_rows(text.encode(), **format)} == {1}
    assert format.sure['delimiter'] == 0.5


def test_the_first_line_may_say_the_delimiter() -> None:
    for line_end in '\n', '\r', '\r\n':
        data = f'sep=^{line_end}a,1^b,2{line_end}c,3^d,4{line_end}'.encode()
        format = csv_sniff(data)
        assert (format.delimiter, format.skip, format.sure['delimiter']) == ('^', 1, 1.0)
        assert list(csv_rows(data, **format))[-1] == ['c,3', 'd,4']
    assert csv_sniff('sep=é\naé1\nbé2\n'.encode()).delimiter == 'é'
    assert csv_sniff(b'sep=').delimiter == csv_sniff(b'sep=,x\n').delimiter == ','


# --- what is around the table --------------------------------------------------------------------


def test_titles_above_the_table() -> None:
    text = 'Report of May\n\nMade by us, in a hurry\n' + PLAIN
    format = csv_sniff(text.encode())
    assert format.skip == 3
    rows = list(csv_rows(text.encode(), into=dict, **format))
    assert rows[1]['name'] == 'Grace; H.'


def test_titles_that_a_spreadsheet_has_padded() -> None:
    text = 'Report,,,\n,,,\nid,name,n,m\n1,a,2,3\n2,b,4,5\n'
    assert sniffed(text) == {'skip': 2, 'header': True}


def test_comments() -> None:
    text = '# it\'s "made\n# by x\nid;name\n1;a\n# more; of it; here\n2;b\n3;c\n4;d\n5;e\n'
    format = csv_sniff(text.encode())
    assert (format.comment, format.skip, format.delimiter) == ('#', 0, ';')
    assert [row['id'] for row in csv_rows(text.encode(), into=dict, **format)] == list('12345')


def test_a_header_may_begin_as_a_comment_does() -> None:
    assert sniffed('#id,name\n1,a\n2,b\n3,c\n') == {'header': True}
    assert sniffed('#1,red\n#2,blue\n#3,green\n').get('comment') is None


@pytest.mark.parametrize('prefix', ['//', '--', '%'])
def test_other_comments_above_the_table(prefix: str) -> None:
    format = csv_sniff((f'{prefix} made by x\n' + PLAIN).encode())
    assert (format.comment, format.skip) == (prefix, 0)


@pytest.mark.parametrize(
    ('text', 'header'),
    [
        ('id,name\n1,a\n2,b\n', True),
        ('1,a\n2,b\n3,c\n', False),
        ('name,town\nAda,London\nGrace,New York\n', True),
        ('2024-01-01,5\n2024-01-02,6\n', False),
        ('country,2001,2002,2003\nA,1,2,3\nB,4,5,6\n', True),
        ('a,a\nb,a\nc,b\n', False),
        ('', False),
    ],
)
def test_the_header(text: str, header: bool) -> None:
    assert csv_sniff(text.encode()).header is header


# --- encodings -----------------------------------------------------------------------------------


ACCENTS = 'id;name\n1;Zoë\n2;Jürgen\n3;€ 5\n'


@pytest.mark.parametrize(
    ('encoding', 'found'),
    [
        ('utf-8', 'utf-8'),
        ('utf-8-sig', 'utf-8'),
        ('utf-16', 'utf-16'),
        ('utf-16-le', 'utf-16-le'),
        ('utf-16-be', 'utf-16-be'),
        ('utf-32', 'utf-32'),
        ('utf-32-le', 'utf-32-le'),
        ('utf-32-be', 'utf-32-be'),
        ('cp1252', 'cp1252'),
    ],
)
def test_the_encoding(encoding: str, found: str) -> None:
    data = ACCENTS.encode(encoding)
    format = csv_sniff(data)
    assert (format.encoding, format.delimiter) == (found, ';')
    assert ('encoding' in format) == (found != 'utf-8')
    assert next(csv_rows(data, into=dict, **format)) == {'id': '1', 'name': 'Zoë'}


def test_encodings_are_tried_in_order() -> None:
    data = 'имя;город\nАда;Лондон\n'.encode('cp1251')
    assert csv_sniff(data, encodings=('ascii', 'cp1251')).encoding == 'cp1251'
    assert csv_sniff(data, encodings=['shift_jis', 'koi8-r']).encoding in ('shift_jis', 'koi8-r')
    assert csv_sniff(b'a;\x81\n').encoding == 'latin-1'
    assert csv_sniff('é'.encode(), encodings=('cp1252',)).encoding == 'utf-8'


def test_how_sure_the_encoding_is() -> None:
    assert csv_sniff(ACCENTS.encode('utf-16')).sure['encoding'] == 1
    assert csv_sniff(ACCENTS.encode()).sure['encoding'] > csv_sniff(b'a,b\n').sure['encoding']
    assert csv_sniff(b'a,b\n').sure['encoding'] > csv_sniff(b'a,\x9d\x85\n').sure['encoding']
    assert csv_sniff(b'a,b\n').next_best['encoding'] == 'cp1252'


def test_a_character_that_the_sample_cuts() -> None:
    data = ('a;é\n' * 100).encode()
    for size in range(1, 30):
        assert csv_sniff(data, sample=size).encoding == 'utf-8'


def test_encodings_that_are_none() -> None:
    with pytest.raises(LookupError):
        csv_sniff(b'a', encodings=('no-such',))
    with pytest.raises(LookupError):
        csv_sniff(b'a', encodings=('rot13',))
    with pytest.raises(TypeError, match='several'):
        csv_sniff(b'a', encodings='cp1252')


# --- sources -------------------------------------------------------------------------------------


def test_a_path_and_buffers(tmp_path: Path) -> None:
    path = tmp_path / 'a.csv'
    path.write_bytes(PLAIN.encode())
    expected = csv_sniff(PLAIN.encode())
    for source in (
        path,
        str(path),
        bytearray(PLAIN.encode()),
        memoryview(PLAIN.encode()),
        memoryview(b''.join(bytes([b, 0]) for b in PLAIN.encode()))[::2],
        array.array('B', PLAIN.encode()),
        [PLAIN],
        PLAIN.splitlines(),
        PLAIN.splitlines(keepends=True),
        (PLAIN[:20].encode(), PLAIN[20:].encode()),
    ):
        assert dict(csv_sniff(source)) == dict(expected)


def test_files_stay_where_they_are(tmp_path: Path) -> None:
    path = tmp_path / 'a.csv'
    path.write_bytes(b'x,y\n' + PLAIN.encode())
    with path.open('rb') as file:
        file.seek(4)
        format = csv_sniff(file)
        assert file.tell() == 4
        assert [row['id'] for row in csv_rows(file, into=dict, **format)] == ['1', '2', '3']
    with path.open(newline='') as text:
        text.read(4)
        format = csv_sniff(text)
        assert format.encoding is None
        assert 'encoding' not in format
        assert [row['id'] for row in csv_rows(text, into=dict, **format)] == ['1', '2', '3']


def test_no_more_than_the_sample_is_read() -> None:
    class Counted(io.BytesIO):
        count = 0

        def read(self, size: int | None = -1, /) -> bytes:
            data = super().read(size)
            self.count += len(data)
            return data

    file = Counted(PLAIN.encode() * 10_000)
    csv_sniff(file, sample=5000)
    assert file.count == 5001
    assert file.tell() == 0


@pytest.mark.parametrize(
    'pack', [gzip.compress, bz2.compress, lzma.compress], ids=['gzip', 'bz2', 'xz']
)
def test_compressed_sources(pack: Any, tmp_path: Path) -> None:
    data = pack((PLAIN * 1000).encode())
    path = tmp_path / 'a'
    path.write_bytes(data)
    for source in data, path, io.BytesIO(data), [data[:9], data[9:]]:
        assert csv_sniff(source).delimiter == ';'
        assert csv_sniff(source, sample=100).delimiter == ';'


def test_a_zip_file() -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, 'w', zipfile.ZIP_DEFLATED) as archive:
        archive.writestr('a.csv', PLAIN)
    file.seek(0)
    format = csv_sniff(file)
    assert len(list(csv_rows(file, **format))) == 3


def test_damaged_archives_are_told_as_a_reader_tells_them() -> None:
    data = gzip.compress(PLAIN.encode())
    with pytest.raises(CSVError, match='gzip'):
        csv_sniff(data[:10] + b'\xff' * 20)


@pytest.mark.parametrize('data', [b'%PDF-1.4 a\n', b'SQLite format 3\0abc'])
def test_documents_that_are_no_text(data: bytes) -> None:
    with pytest.raises(CSVError, match='not text'):
        csv_sniff(data)


class Pipe(io.RawIOBase):
    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        raise AssertionError('nothing is to be read')


def pieces() -> Iterator[str]:
    raise AssertionError('nothing is to be taken')
    yield ''


async def apieces() -> AsyncIterator[str]:
    yield ''


class Response:
    """As of a client that gives the body by a method."""

    def iter_content(self, size: int) -> Iterator[bytes]:
        raise AssertionError('nothing is to be taken')
        yield b''

    def iter_lines(self) -> Iterator[bytes]:
        yield b''

    status_code = 200
    headers: Mapping[str, str] = {}


def test_what_would_be_lost_is_not_read() -> None:
    for source in Pipe(), pieces(), iter(['a']):
        with pytest.raises(io.UnsupportedOperation, match='cannot give back'):
            csv_sniff(source)


@pytest.mark.parametrize(
    'source', [5, None, {'a', 'b'}, {'a': 'b'}, apieces(), Response(), [1], ['a', b'b'], object()]
)
def test_what_is_no_source(source: Any) -> None:
    with pytest.raises(TypeError):
        csv_sniff(source)


def test_a_path_that_is_none() -> None:
    with pytest.raises(FileNotFoundError):
        csv_sniff('no such file.csv')
    with pytest.raises(ValueError, match='path'):
        csv_sniff('a,b\n1,2\n')


class Hostile(io.BytesIO):
    """A file whose read() gives what a test says."""

    def __init__(self, answers: list[Any]) -> None:
        super().__init__(b'')
        self.answers = answers

    def read(self, size: int | None = -1, /) -> Any:
        answer = self.answers.pop(0)
        if isinstance(answer, BaseException):
            raise answer
        return answer


@pytest.mark.parametrize(
    ('answers', 'error'),
    [
        ([None], BlockingIOError),
        ([b'a', 'b'], TypeError),
        (['a', b'b'], TypeError),
        ([5], TypeError),
        ([b'a', OSError('gone')], OSError),
        ([b'a', KeyboardInterrupt()], KeyboardInterrupt),
    ],
)
def test_files_that_fail(answers: list[Any], error: type[BaseException]) -> None:
    file = Hostile(answers)
    with pytest.raises(error):
        csv_sniff(file)
    assert file.tell() == 0


def test_a_file_that_gives_more_than_was_asked_for() -> None:
    assert csv_sniff(Hostile([PLAIN.encode() * 10, b'']), sample=50).delimiter == ';'


def test_a_generator_of_a_container_is_closed() -> None:
    closed = []

    class Container:
        def __iter__(self) -> Iterator[str]:
            try:
                while True:
                    yield 'a;b\n'
            finally:
                closed.append(True)

    assert csv_sniff(Container(), sample=100).delimiter == ';'
    assert closed == [True] * len(closed)
    assert closed


def test_the_sample_is_an_integer_of_one_or_more() -> None:
    with pytest.raises(TypeError):
        csv_sniff(b'a', sample=1.5)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match='at least 1'):
        csv_sniff(b'a', sample=0)


# --- the result ----------------------------------------------------------------------------------


def test_the_mapping_has_what_is_not_the_default() -> None:
    format = csv_sniff(PLAIN.encode())
    assert isinstance(format, CSVFormat)
    assert isinstance(format, Mapping)
    assert dict(format) == {'delimiter': ';', 'header': True}
    assert len(format) == 2
    assert format['delimiter'] == format.delimiter == ';'
    assert 'quotechar' not in format
    assert format == {'delimiter': ';', 'header': True}
    assert 'delimiter=' in repr(format)
    assert 'quotechar=' in repr(format)
    with pytest.raises(KeyError):
        format['quotechar']


def test_every_parameter_has_a_sureness_and_a_next_best() -> None:
    format = csv_sniff(PLAIN.encode())
    names = {'encoding', 'delimiter', 'quotechar', 'escapechar', 'doublequote'}
    names |= {'skipinitialspace', 'skip', 'comment', 'header'}
    assert set(format.sure) == set(format.next_best) == names
    assert all(0 <= value <= 1 for value in format.sure.values())
    assert format.next_best['delimiter'] is None
    assert csv_sniff(b'a,b;c\n1,2;3\n').next_best['delimiter'] in (',', ';')
    assert format.next_best['header'] is False


def test_it_can_not_be_changed_and_can_be_pickled() -> None:
    format = csv_sniff(PLAIN.encode())
    with pytest.raises(AttributeError):
        format.delimiter = ','
    with pytest.raises(AttributeError):
        del format.delimiter
    again = pickle.loads(pickle.dumps(format))
    assert again == format
    assert (again.sure, again.next_best, again.skip) == (format.sure, format.next_best, 0)


# --- bad input -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    'text', [PLAIN, 'sep=;\r\na;"b\r\n""c"\r\n', "# a\n'x','y\\'z'\n", '\n\nTitle\n\na,b\n1,2\n']
)
def test_every_cut(text: str) -> None:
    data = text.encode()
    for size in range(len(data) + 1):
        for format in csv_sniff(data[:size]), csv_sniff(data, sample=max(size, 1)):
            list(csv_rows(data, **format))
    wide = text.encode('utf-16')
    for size in range(2, len(wide)):
        csv_sniff(wide, sample=size)


def test_a_record_that_the_sample_cuts_off_does_not_count() -> None:
    text = 'a,b\n' * 20 + 'c,"' + 'x;y\n' * 3000
    cut = csv_sniff(text.encode(), sample=500)
    assert (cut.delimiter, cut.quotechar) == (',', '"')


MEBIBYTE = 1 << 20
HOSTILE = {
    'one line': b'a' * MEBIBYTE,
    'quotes': b'"' * MEBIBYTE,
    'opened quotes': b'"a' * (MEBIBYTE // 2),
    'escapes': b'\\"' * (MEBIBYTE // 2),
    'delimiters': b',;\t| :^~#&' * (MEBIBYTE // 10),
    'line ends': b'\n' * MEBIBYTE,
    'carriage returns': b'\r' * MEBIBYTE,
    'zeros': b'\0' * MEBIBYTE,
    'everything': bytes(random.Random(1).choices(b'",\n;\'\\ a1|\t:', k=MEBIBYTE)),
    'binary': random.Random(2).randbytes(MEBIBYTE),
    'digits': b'1' * MEBIBYTE,
    'commas': b',' * MEBIBYTE,
}


@pytest.mark.parametrize('name', HOSTILE)
def test_hostile_files_take_bounded_time(name: str) -> None:
    start = time.process_time()
    format = csv_sniff(HOSTILE[name])
    assert time.process_time() - start < 5
    next(iter(csv_rows(HOSTILE[name], max_field=None, **format)), None)


def test_twice_the_sample_takes_twice_the_time() -> None:
    data = ''.join(f'{i};"a, {i}";2024-01-05;x\n' for i in range(60_000)).encode()

    def seconds(size: int) -> float:
        times = []
        for _ in range(5):
            start = time.process_time()
            csv_sniff(data, sample=size)
            times.append(time.process_time() - start)
        return min(times)

    assert seconds(1 << 20) < 3 * seconds(1 << 19)


def test_other_threads_run_meanwhile() -> None:
    found: list[CSVFormat] = []
    data = HOSTILE['everything']
    threads = [threading.Thread(target=lambda: found.append(csv_sniff(data))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({repr(format) for format in found}) == 1


def test_text_of_every_width_gives_the_same() -> None:
    candidates = [
        csv_sniffed(PLAIN.replace('Ada', name), True)['candidates'][0]
        for name in ('Aé\xff', 'Aéĉ', 'Aé\U0001f600')
    ]
    assert candidates[0] == candidates[1] == candidates[2]


def test_the_arguments_of_the_function_of_the_extension() -> None:
    with pytest.raises(TypeError):
        csv_sniffed(b'a', True)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        csv_sniffed('a')  # type: ignore[call-arg]


# --- annotated files -----------------------------------------------------------------------------


@pytest.mark.skipif(not DIALECTS.is_dir(), reason='no ../shared/dialects beside the repository')
def test_annotated_files() -> None:
    right: dict[str, list[bool]] = {}
    lines = (DIALECTS / 'annotations.txt').read_text().splitlines()[1:]
    for line in lines:
        name, corpus, _, delimiter, quote, *_ = line.split('|')
        data = (DIALECTS / 'files' / name).read_bytes()
        format = csv_sniff(data)
        list(itertools.islice(csv_rows(data, max_field=None, errors='replace', **format), 50))
        quotechar = QUOTES.get(quote, '')
        fine = format.delimiter == DELIMITERS[delimiter] and (
            quotechar.encode() not in data or not quotechar or format.quotechar == quotechar
        )
        right.setdefault(corpus, []).append(fine)
    everything = [fine for found in right.values() for fine in found]
    assert len(everything) == 317
    assert sum(everything) / len(everything) >= 0.96
    assert sum(right['wrangling']) / len(right['wrangling']) >= 0.92
