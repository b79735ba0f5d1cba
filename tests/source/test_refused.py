"""What is no source, no text, or not all of it: the message says what to pass."""

from __future__ import annotations

import http.client
import http.server
import io
import threading
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from generators import (
    CSVError,
    DataError,
    acsv_batches,
    acsv_rows,
    ajsonl_rows,
    alines,
    csv_batches,
    csv_rows,
    jsonl_rows,
    lines,
)

from .packed import collect, cut, cut_later

BEGINNINGS = {
    b'SQLite format 3\0rest': 'a SQLite database',
    b'\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1rest': 'an Excel workbook',
    b'ARROW1\0\0rest': 'an Arrow file',
    b'PAR1\x15\x04': 'a Parquet file',
    b'%PDF-1.7\n': 'a PDF document',
    b'<!DOCTYPE html>\n': 'an HTML page',
    b'<html lang="en">\n': 'an HTML page',
    'a,b\n1,2\n'.encode('utf-16-le'): "encoding='utf-16-le'",
    'a,b\n1,2\n'.encode('utf-16-be'): "encoding='utf-16-be'",
    'a,b\n1,2\n'.encode('utf-32-le'): "encoding='utf-32-le'",
    'a,b\n1,2\n'.encode('utf-32-be'): "encoding='utf-32-be'",
}


@pytest.mark.parametrize('encoding', ['utf-8', 'latin-1', 'cp1252'])
@pytest.mark.parametrize('data', BEGINNINGS)
def test_what_is_no_table_is_told_by_its_beginning(data: bytes, encoding: str) -> None:
    for size in (1, 3, 100):
        with pytest.raises(CSVError) as caught:
            list(csv_rows(cut(data, size), encoding=encoding))
        assert str(caught.value).startswith('the source begins as ')
        assert BEGINNINGS[data] in str(caught.value)
        assert caught.value.byte == 0
    with pytest.raises(DataError, match='the source begins as'):
        list(jsonl_rows(data, encoding=encoding))


@pytest.mark.parametrize(
    'data', [b'PAR1,PAR2\n', b'SQLite format,3\n', b'%PDF,1\n', b'<html\n', b'<b>,1\n', b'BZh,x\n',
             b'BZh91AY,x\n', b'a\0b\0\n', b'P\n', b'P*M,x\n']
)  # fmt: skip
def test_what_only_nearly_begins_so_is_read(data: bytes) -> None:
    expected = [data.decode().rstrip('\n').split(',')]
    for size in (1, 2, 5, 100):
        assert list(csv_rows(cut(data, size), items='chunks')) == expected


def test_a_page_has_lines() -> None:
    assert next(lines(b'<!DOCTYPE html>\n', encoding='utf-8')) == '<!DOCTYPE html>'


@pytest.mark.parametrize(
    ('data', 'encoding', 'advice'),
    [
        (b'\xef\xbb\xbfa,b\n', 'cp1252', "encoding='utf-8'"),
        (b'\xef\xbb\xbfa,b\n', 'utf-16', "encoding='utf-8'"),
        (b'\xff\xfea\0', 'utf-16-be', "encoding='utf-16'"),
        (b'\xfe\xff\0a', 'utf-16-le', "encoding='utf-16'"),
        (b'\xff\xfe\0\0a\0\0\0', 'utf-32-be', "encoding='utf-32'"),
    ],
)
def test_a_mark_that_contradicts_the_encoding(data: bytes, encoding: str, advice: str) -> None:
    with pytest.raises(CSVError) as caught:
        list(csv_rows(data, encoding=encoding))
    assert advice in str(caught.value)


@pytest.mark.parametrize(
    ('data', 'encoding', 'said'),
    [
        (b'a\n1,n\xe9\n', 'utf-8', "byte 0xe9 is at offset 3 of the line; it can be read as 'cp1"),
        (b'a\n1,n\xe9\n', 'ascii', "offset 3 of the line; it can be read as 'cp1252'"),
        ('a\n,Ár\n'.encode(), 'cp1252', "byte 0x81 is at offset 2 of the line; it can be read"),
        ('a\n日本語日本\n'.encode('shift_jis'), 'utf-8', "as 'shift_jis'"),
    ],
)  # fmt: skip
def test_bytes_that_are_no_text(data: bytes, encoding: str, said: str) -> None:
    with pytest.raises(CSVError) as caught:
        list(csv_rows(data, encoding=encoding))
    assert said in str(caught.value)
    with pytest.raises(DataError) as told:
        list(lines(data, encoding=encoding))
    assert said in str(told.value)


def test_an_encoding_that_changes_in_the_middle() -> None:
    rows = csv_rows('é\n'.encode() * 1000 + 'é\n'.encode('latin-1') * 1000)
    with pytest.raises(CSVError, match="'cp1252'") as caught:
        list(rows)
    assert (rows.row_num, caught.value.line) == (1000, 1001)


# --- completeness -------------------------------------------------------------------------------


@pytest.mark.parametrize('reader', [csv_rows, csv_batches])
@pytest.mark.parametrize(
    ('data', 'said', 'line', 'byte'),
    [
        (b'a,b\n1,2', 'its last record has no line end', 2, 4),
        (b'a,b\n1,"2\n3', 'it ends within quotes, which opened here', 2, 6),
        (b'a,b\n1,"2"', 'its last record has no line end', 2, 4),
        (b'a,b\n"x\ny","2', 'it ends within quotes', 3, 10),
    ],
)
def test_a_source_that_is_cut(reader: Any, data: bytes, said: str, line: int, byte: int) -> None:
    for source in (data, cut(data, 3)):
        with pytest.raises(CSVError) as caught:
            list(reader(source, complete=True))
        assert said in str(caught.value)
        assert (caught.value.line, caught.value.byte) == (line, byte)
    for ended in (b'a,b\n', b'a\r', b'', b'a,"b"\r\n'):
        list(reader(ended, complete=True))
    areader = acsv_rows if reader is csv_rows else acsv_batches
    with pytest.raises(CSVError, match='is not complete'):
        collect(areader(cut_later(data, 3), complete=True))


def test_rows_before_the_cut_are_given() -> None:
    rows = csv_rows(b'a,b\n1,2', complete=True, on_error='skip')
    assert next(rows) == ['a', 'b']
    with pytest.raises(CSVError, match='is not complete'):
        next(rows)


def test_lines_of_text_that_are_cut() -> None:
    for items in (['a\n', 'b'], ['a\n', '"b\n']):
        with pytest.raises(CSVError, match='is not complete'):
            list(csv_rows(items, complete=True))
    assert list(csv_rows(['a', 'b'], items='lines', complete=True)) == [['a'], ['b']]
    with pytest.raises(CSVError, match='is not complete'):
        list(csv_rows(io.StringIO('a\nb'), complete=True))


def test_lines_that_are_cut() -> None:
    for data in (b'a\nb', b'a\n\xef\xbb'):
        with pytest.raises(DataError, match='its last line has no line end') as caught:
            list(lines(data, complete=True))
        assert (caught.value.line, caught.value.byte) == (2, 2)
        with pytest.raises(DataError, match='its last line has no line end'):
            collect(alines(cut_later(data, 2), complete=True))
    for ended in (b'a\n', b'a\r', b''):
        list(lines(ended, complete=True, keepends=True))
    with pytest.raises(DataError, match='its last line has no line end'):
        list(jsonl_rows(b'{}\n{}', complete=True))
    assert list(jsonl_rows(b'{}\n', complete=True)) == [{}]
    with pytest.raises(DataError, match='its last line has no line end'):
        collect(ajsonl_rows(cut_later(b'{}\n{}', 2), complete=True))


# --- responses ----------------------------------------------------------------------------------


class Cut(http.server.BaseHTTPRequestHandler):
    """Says that there is more than it sends."""

    def do_GET(self) -> None:
        body = b'a,b\n' * 100
        self.send_response(200)
        self.send_header('Content-Length', str(len(body) + 7 * (self.path == '/cut')))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture(scope='module')
def port() -> Iterator[int]:
    server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Cut)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_address[1]
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize('reader', [csv_rows, lines])
def test_a_response_that_gave_less_than_it_said(reader: Any, port: int) -> None:
    with urllib.request.urlopen(f'http://127.0.0.1:{port}/cut') as response:
        stream = reader(response)
        with pytest.raises(DataError, match='ended early: 7 bytes of its Content-Length'):
            list(stream)
    connection = http.client.HTTPConnection('127.0.0.1', port)
    connection.request('GET', '/')
    assert len(list(reader(connection.getresponse()))) == 100
    connection.close()


def test_a_response_of_urllib3_that_gave_less(port: int) -> None:
    urllib3 = pytest.importorskip('urllib3')
    url = f'http://127.0.0.1:{port}/cut'
    pool = urllib3.PoolManager()
    response = pool.urlopen('GET', url, preload_content=False, enforce_content_length=False)
    with pytest.raises(CSVError, match='ended early: 7 bytes'):
        list(csv_rows(response))
    response.close()


def test_a_response_of_requests_that_gave_less(port: int) -> None:
    requests = pytest.importorskip('requests')
    response = requests.get(f'http://127.0.0.1:{port}/cut', stream=True)
    with pytest.raises(requests.exceptions.RequestException):
        list(csv_rows(response.iter_content(100)))
    response.close()


def test_a_response_itself() -> None:
    requests = pytest.importorskip('requests')
    httpx = pytest.importorskip('httpx')
    with pytest.raises(TypeError, match=r'pass response.iter_content\(65536\)'):
        csv_rows(requests.Response())
    with pytest.raises(TypeError, match=r'pass to_async\(response.iter_content'):
        acsv_rows(requests.Response())
    with pytest.raises(TypeError, match=r'pass response.iter_bytes\(\)'):
        csv_rows(httpx.Response(200))
    with pytest.raises(TypeError, match=r'pass response.aiter_bytes\(\)'):
        acsv_rows(httpx.Response(200))


def test_a_response_of_aiohttp_itself() -> None:
    aiohttp = pytest.importorskip('aiohttp')
    response = aiohttp.ClientResponse.__new__(aiohttp.ClientResponse)
    with pytest.raises(TypeError, match=r'pass response.content'):
        acsv_rows(response)
    with pytest.raises(TypeError, match=r'use acsv_rows\(\)'):
        csv_rows(response)


# --- other objects ------------------------------------------------------------------------------


@pytest.mark.parametrize('text', ['a,b\n1,2\n', 'a\rb', 'a\n' * 5000, 'a\n\0'])
def test_text_that_is_given_as_a_path(text: str) -> None:
    with pytest.raises(ValueError, match=r'pass io.StringIO\(text\) or text.encode\(\)'):
        csv_rows(text)
    with pytest.raises(FileNotFoundError):
        csv_rows('a,b')


def test_an_async_source_in_a_sync_reader() -> None:
    class Upload:
        async def read(self, n: int) -> bytes:
            return b''

    with pytest.raises(TypeError, match=r'the source is an async one, use acsv_rows\(\)'):
        list(csv_rows(Upload()))
    with pytest.raises(TypeError, match=r'use acsv_rows\(\), or pass to_sync'):
        csv_rows(cut_later(b'', 1))  # type: ignore[arg-type]


def test_a_path_in_an_async_reader() -> None:
    for reader, name in ((acsv_rows, 'csv_rows'), (alines, 'lines')):
        with pytest.raises(TypeError, match=rf'use {name}\(path\), or to_async\({name}\(path\)\)'):
            reader('a.csv')  # type: ignore[arg-type, operator]


def test_the_length_of_what_is_no_response_says_nothing() -> None:
    class File(io.BytesIO):
        length = 5

    assert list(csv_rows(File(b'a\n'))) == [['a']]
