"""``csv_batches`` with several threads: the same batches, errors and counters as with one.

A block is 512 KiB, so most files here have some megabytes.
"""

from __future__ import annotations

import gc
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from generators import CSVError, csv_batches

BLOCK = 512 * 1024
TASKS = Path('/proc/self/task')

needs_tasks = pytest.mark.skipif(not TASKS.is_dir(), reason='no list of the threads of a process')


def lines(count: int, *, odd: dict[int, str] | None = None, end: str = '\n') -> bytes:
    odd = odd or {}
    made = [
        odd.get(i, f'{i},row {i},"said ""{i % 7}"",{end}and more",{i / 8},2024-01-{i % 28 + 1:02}')
        for i in range(count)
    ]
    return end.join(['number,name,text,part,day', *made, '']).encode()


def read(source: Any, threads: int, **arguments: Any) -> dict[str, Any]:
    """Everything that a reader told: each batch as bytes, with the counters after it."""
    arguments.setdefault('rows', 1000)  # threads start after the first batch
    told: list[Any] = []
    seen: list[tuple[str, Any]] = []
    if arguments.get('on_error') == 'collect':
        arguments['on_error'] = lambda error, raw: seen.append((str(error), raw))
    batches = csv_batches(source, threads=threads, **arguments)
    error = None
    try:
        for batch in batches:
            told.append((pickle.dumps(batch), batches.row_num, batches.line_num, batches.errors))
    except (CSVError, OSError) as raised:
        error = f'{type(raised).__name__}: {raised}'
    return {'batches': told, 'error': error, 'seen': seen, 'lines': batches.line_num}


def check(source: Any, most: int = 4, **arguments: Any) -> dict[str, Any]:
    make = source if callable(source) else lambda: source
    expected = read(make(), 1, **arguments)
    for threads in range(2, most + 1):
        assert read(make(), threads, **arguments) == expected
    return expected


def rows(told: dict[str, Any]) -> int:
    return int(told['batches'][-1][1]) if told['batches'] else 0


TYPED = {'number': int, 'part': float}

# ---- the same ----


@pytest.mark.parametrize('size', [1000, 65536, 7])
def test_batches_are_the_same_bytes(size: int) -> None:
    told = check(lines(60_000), rows=size, types=TYPED, most=3)
    assert rows(told) == 60_000


@pytest.mark.parametrize('end', ['\n', '\r\n', '\r'])
def test_records_are_cut_anywhere(end: str) -> None:
    assert rows(check(lines(30_000, end=end), most=2)) == 30_000


def test_blank_lines_count_as_they_do_without_threads() -> None:
    odd = dict.fromkeys(range(5, 60_000, 50), '')
    assert rows(check(lines(60_000, odd=odd), rows=999, most=3)) == 60_000 - len(odd)


def test_a_few_columns_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / 'a.csv'
    path.write_bytes(lines(60_000))
    assert rows(check(path, columns=['part', 'name'], types={'part': float})) == 60_000


def test_latin_1_and_ascii() -> None:
    data = lines(40_000, odd={i: f'{i},\xe9t\xe9,a,1,2024-01-01' for i in range(0, 40_000, 3)})
    check(data.decode().encode('latin-1'), encoding='latin-1', most=2)
    check(lines(40_000), encoding='ascii', most=2)


def test_chunks_of_an_iterable() -> None:
    data = lines(40_000)

    def chunks() -> Iterator[bytes]:
        for at in range(0, len(data), 77_777):
            yield data[at : at + 77_777]

    assert rows(check(chunks, types=TYPED)) == 40_000


# ---- what only Python can decide, and faults ----


def test_blocks_with_questions() -> None:
    odd = {i: f'{i // 1000}_000,x,y,0.{"1" * 40},2024-01-01' for i in range(0, 60_000, 5000)}
    assert rows(check(lines(60_000, odd=odd), types=TYPED, rows=2500)) == 60_000


@pytest.mark.parametrize('on_error', ['skip', 'collect', 'raise'])
def test_records_that_can_not_be_read(on_error: str) -> None:
    odd = dict.fromkeys(range(100, 60_000, 7001), 'x,a,b,1,2')
    odd |= dict.fromkeys(range(105, 60_000, 9001), '1,2')
    told = check(lines(60_000, odd=odd), types=TYPED, on_error=on_error, rows=3000)
    assert (told['error'] is None) == (on_error != 'raise')
    assert len(told['seen']) == (len(odd) if on_error == 'collect' else 0)


@pytest.mark.parametrize('place', [20_000, 45_000])
@pytest.mark.parametrize('on_error', ['collect', 'raise'])
def test_bytes_that_are_no_text(place: int, on_error: str) -> None:
    data = bytearray(lines(60_000))
    for at in range(data.index(b'%d,row' % place), len(data), 900_001):
        data[at] = 0xFF
    told = check(bytes(data), on_error=on_error, most=3)
    assert (told['error'] is None) == (on_error == 'collect')


def test_a_bad_byte_at_the_end_of_a_block() -> None:
    data = lines(60_000)
    first = 128 * 1024  # read before the threads start
    for shift in range(-4, 3):
        bad = bytearray(data)
        bad[first + BLOCK + shift] = 0xFF
        check(bytes(bad), on_error='collect', most=2)


def test_a_bad_record_at_the_end_of_a_block_with_half_its_line_end() -> None:
    start = lines(2000, end='\r\n')
    for shift in range(4):
        filler = b'1,a,b,1,2\r\n' * ((128 * 1024 + BLOCK - len(start) - 20) // 11)
        bad = b'1,' + b'x' * (128 * 1024 + BLOCK - len(start) - len(filler) - shift - 2)
        data = start + filler + bad + b'\r\n' + lines(20_000, end='\r\n')
        check(data, on_error='collect', most=2)


def test_fields_over_the_limit() -> None:
    odd = {i: f'{i},{"y" * 5000},z,1,2024-01-01' for i in range(10_000, 60_000, 9999)}
    told = check(lines(60_000, odd=odd), max_field=1000, on_error='collect', most=3)
    assert len(told['seen']) == len(odd)


def test_a_record_longer_than_blocks() -> None:
    odd = {10_000: f'1,"{"long, " * 300_000}",z,1,2024-01-01', 40_000: ',' * 500_000}
    data = lines(60_000, odd=odd)
    assert rows(check(data, max_field=None, on_error='skip', most=3)) == 59_999


# ---- sources ----


class Failure(Exception):
    pass


def test_a_source_that_raises_gives_the_batches_before_it() -> None:
    data = lines(60_000)

    def chunks() -> Iterator[bytes]:
        yield from (data[at : at + 50_000] for at in range(0, 3_000_000, 50_000))
        raise OSError('gone')

    told = check(chunks, rows=10_000)
    assert told['error'] is not None
    assert 'gone' in told['error']
    assert rows(told) > 20_000


def test_a_file_that_is_cut_off_meanwhile(tmp_path: Path) -> None:
    path = tmp_path / 'a.csv'
    path.write_bytes(lines(200_000))
    batches = csv_batches(path, threads=2, rows=1000)
    next(batches)
    os.truncate(path, 1_000_000)
    taken = []
    with pytest.raises(CSVError, match='shrank'):
        taken += batches
    assert sum(len(batch) for batch in taken) > 10_000


def test_ctrl_c_in_a_source_passes_at_once() -> None:
    data = lines(60_000)

    def chunks() -> Iterator[bytes]:
        yield from (data[at : at + 50_000] for at in range(0, 1_500_000, 50_000))
        raise KeyboardInterrupt

    batches = csv_batches(chunks(), threads=3, rows=1000)
    with pytest.raises(KeyboardInterrupt):
        list(batches)
    assert list(batches) == []


def test_a_checkpoint_between_batches(tmp_path: Path) -> None:
    path = tmp_path / 'a.csv'
    path.write_bytes(lines(60_000))
    places = []
    for threads in (1, 3):
        batches = csv_batches(path, threads=threads, rows=7000)
        next(batches)
        places.append([batches.checkpoint() for _ in zip(range(6), batches, strict=False)])
    assert places[0] == places[1]
    rest = [pickle.dumps(b) for b in csv_batches(path, start=places[1][3], rows=7000, threads=2)]
    assert rest == [pickle.dumps(b) for b in csv_batches(path, start=places[0][3], rows=7000)]


# ---- threads ----


def running() -> int:
    return len(list(TASKS.iterdir()))


def wait_until_running(count: int) -> None:
    deadline = time.monotonic() + 20
    while running() != count:
        assert time.monotonic() < deadline, f'{running()} threads, not {count}'
        time.sleep(0.001)


@needs_tasks
def test_threads_end_with_the_stream_however_it_ends() -> None:
    data = lines(60_000)
    before = running()
    for end in ('exhausted', 'closed', 'dropped', 'thrown'):
        batches = csv_batches(data, threads=3, rows=1000)
        for _ in range(20):
            next(batches)
        assert running() > before, end
        if end == 'exhausted':
            list(batches)
        elif end == 'closed':
            batches.close()
        elif end == 'thrown':
            with pytest.raises(Failure):
                batches.throw(Failure())
        del batches
        gc.collect()
        wait_until_running(before)


@needs_tasks
@pytest.mark.parametrize(
    ('source', 'threads'),
    [(lines(1000), 4), (lines(60_000), 1), (lines(20_000), None), (lines(8000), 4)],
    ids=['small', 'one thread', 'below 4 MiB', 'one block'],
)
def test_no_thread_is_started_without_need(source: bytes, threads: int | None) -> None:
    before = running()
    for _ in csv_batches(source, threads=threads, rows=100):
        assert running() == before


@needs_tasks
@pytest.mark.skipif(not hasattr(os, 'sched_getaffinity'), reason='no affinity here')
def test_threads_are_as_many_as_the_process_may_use() -> None:
    data = lines(90_000)
    assert len(data) > 4 << 20
    allowed = os.sched_getaffinity(0)
    before = running()
    most = max(running() for _ in csv_batches(data, rows=1000))
    assert most - before == min(len(allowed), 16) - 1
    os.sched_setaffinity(0, {min(allowed)})
    try:
        assert max(running() for _ in csv_batches(data, rows=1000)) == before
    finally:
        os.sched_setaffinity(0, allowed)


def test_several_consumers_get_each_batch_once() -> None:
    batches = csv_batches(lines(60_000), threads=3, rows=500, columns=['number'], types=TYPED)
    lock, taken = threading.Lock(), []

    def consume() -> None:
        while True:
            try:
                batch = next(batches)
            except StopIteration:
                return
            except ValueError:  # the other one is in it
                continue
            with lock:
                taken.append(bytes(memoryview(batch.column(0))))

    consumers = [threading.Thread(target=consume) for _ in range(2)]
    for consumer in consumers:
        consumer.start()
    for consumer in consumers:
        consumer.join(60)
    numbers = sorted(n for part in taken for n in memoryview(part).cast('q'))
    assert numbers == list(range(60_000))


# ---- processes ----


def run(program: str, *, fails: Iterable[int] = ()) -> str:
    done = subprocess.run(
        [sys.executable, '-c', program], capture_output=True, text=True, timeout=60
    )
    assert done.returncode in {0, *fails}, done.stderr
    assert done.stderr == '', done.stderr
    return done.stdout


SOURCE = """
from generators import csv_batches
data = b'a,b\\n' + b'1,some words\\n' * 400_000
batches = csv_batches(data, threads=3, rows=1000)
for _ in range(20):
    next(batches)
"""


def test_the_process_ends_while_threads_work() -> None:
    assert run(SOURCE + "print('end')") == 'end\n'
    assert run(SOURCE + "import sys; sys.batches = batches; print('end')") == 'end\n'


@pytest.mark.skipif(not hasattr(os, 'fork'), reason='this system has no fork')
def test_a_forked_child_can_not_go_on() -> None:
    batches = csv_batches(lines(60_000), threads=3, rows=1000)
    first = next(batches)
    for _ in range(19):
        next(batches)
    with warnings.catch_warnings():
        warnings.simplefilter('ignore', DeprecationWarning)
        child = os.fork()
    if child == 0:
        status = 1
        try:
            signal.alarm(20)
            if len(first) == 1000:
                next(batches)
        except RuntimeError as error:
            batches.close()
            status = 0 if 'forked' in str(error) and list(batches) == [] else 2
        finally:
            os._exit(status)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    assert sum(len(batch) for batch in batches) == 40_000


@pytest.mark.skipif(sys.platform == 'win32', reason='signals are sent otherwise there')
def test_ctrl_c_between_batches_leaves_nothing() -> None:
    program = (
        SOURCE
        + """
import os, signal, threading
class Source:
    def __init__(self): self.at = 0
    def read(self, n):
        self.at += 1
        if self.at == 20:
            os.kill(os.getpid(), signal.SIGINT)
        return b'1,some words\\n' * 10_000 if self.at < 200 else b''
try:
    for batch in csv_batches(Source(), threads=3, header=False, rows=1000): pass
except KeyboardInterrupt:
    print('interrupted', len(list(batches)) > 0)
"""
    )
    assert run(program) == 'interrupted True\n'
