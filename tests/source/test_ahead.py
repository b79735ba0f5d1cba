"""The thread that decompresses a path: its errors, its end, and what it may not outlive."""

from __future__ import annotations

import gc
import gzip
import os
import random
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from generators import CSVError, csv_batches, csv_rows, lines
from native_generators import _unpack

NAME = 'generators.unpack'


def running() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == NAME]


@pytest.fixture(scope='module')
def packed() -> bytes:
    chance = random.Random(3)
    text = b''.join(b'%d,%d\n' % (i, chance.randrange(10**9)) for i in range(400_000))
    return gzip.compress(text, 1)


@pytest.fixture
def path(tmp_path: Path, packed: bytes, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    if _cpus() < 2:
        pytest.skip('no thread is started on one processor')
    path = tmp_path / 'data.gz'
    path.write_bytes(packed)
    yield path
    gc.collect()
    assert not running()


def _cpus() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else os.cpu_count() or 1


def begin(path: Path) -> csv_rows[list[str]]:
    rows = csv_rows(path)
    for _ in range(50_000):
        next(rows)
    assert running()
    return rows


def test_it_ends_with_the_data(path: Path) -> None:
    assert sum(1 for _ in begin(path)) == 350_000


def test_a_header_starts_no_thread(path: Path) -> None:
    rows = csv_rows(path, header=True)
    assert rows.header is not None
    assert not running()
    rows.close()


@pytest.mark.parametrize('end', ['close', 'drop', 'throw'])
def test_it_ends_with_the_reader(path: Path, end: str) -> None:
    rows = begin(path)
    if end == 'close':
        rows.close()
    elif end == 'throw':
        with pytest.raises(KeyError):
            rows.throw(KeyError())
    else:
        del rows
    assert not running()


def test_a_reader_in_a_cycle_ends_it(path: Path) -> None:
    class Holder:
        rows: object

    holder = Holder()
    holder.rows = csv_rows(path, names=lambda names, holder=holder: names, header=True)
    for _ in range(50_000):
        next(holder.rows)  # type: ignore[call-overload]
    assert running()
    del holder
    gc.collect()
    assert not running()


def test_rows_before_an_error_are_given(path: Path, packed: bytes) -> None:
    path.write_bytes(packed[: len(packed) // 2])
    rows = csv_rows(path)
    with pytest.raises(CSVError, match='the gzip data ends early') as caught:
        list(rows)
    assert rows.row_num > 100_000
    assert caught.value.byte == len(packed) // 2
    assert caught.value.path == str(path)


def test_memory_is_bounded(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[_unpack.Ahead] = []
    real = _unpack.Ahead

    class Counting(real):  # type: ignore[misc, valid-type]
        def __init__(self, inner: object) -> None:
            super().__init__(inner)
            made.append(self)

    monkeypatch.setattr(_unpack, 'Ahead', Counting)
    rows = begin(path)
    while len(made[0].pieces) < _unpack.AHEAD_PIECES:
        pass  # the thread makes as many as it may
    assert all(len(piece or b'') <= _unpack.AHEAD_STEP for piece, _ in made[0].pieces)
    rows.close()


def test_without_a_thread_it_goes_on(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def start(self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, 'start', start)
    assert len(list(lines(path))) == 400_000


def test_an_exception_in_the_thread_is_raised_once(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = begin(path)

    def fail(self: object) -> bytes:
        raise OSError('lost')

    monkeypatch.setattr(_unpack.Pulled, 'next', fail)
    with pytest.raises(OSError, match='lost'):
        list(rows)
    assert next(rows, None) is None


def test_batches_read_ahead_too(path: Path) -> None:
    batches = csv_batches(path, header=False)
    assert sum(map(len, batches)) == 400_000


@pytest.mark.skipif(not hasattr(os, 'fork'), reason='needs fork')
@pytest.mark.filterwarnings('ignore::DeprecationWarning')
def test_a_child_is_told(path: Path) -> None:
    rows = begin(path)
    child = os.fork()
    if child == 0:
        status = 1
        try:
            for _ in rows:
                pass
        except RuntimeError as error:
            status = 0 if 'forked' in str(error) else 2
        finally:
            os._exit(status)
    assert os.waitpid(child, 0)[1] == 0
    assert sum(1 for _ in rows) == 350_000


EXIT = """
import sys
from generators import csv_rows
rows = csv_rows(sys.argv[1])
for _ in range(50_000):
    next(rows)
"""


def test_the_interpreter_ends(path: Path) -> None:
    subprocess.run([sys.executable, '-c', EXIT, str(path)], check=True, timeout=30)


def test_a_subinterpreter_ends(path: Path) -> None:
    code = f'import sys\nsys.argv[1:] = [{str(path)!r}]\n{EXIT}\ndel rows'
    made = (
        'import sys\ntry:\n import _interpreters as i\nexcept ImportError:\n'
        ' import _xxsubinterpreters as i\nn = i.create()\nprint(i.run_string(n, sys.argv[1]))\n'
        'i.destroy(n)'
    )
    done = subprocess.run(
        [sys.executable, '-c', made, code], check=True, timeout=30, capture_output=True, text=True
    )
    assert done.stdout == 'None\n'


@pytest.mark.skipif(os.name != 'posix', reason='needs kill')
def test_ctrl_c_while_it_waits(path: Path) -> None:
    code = EXIT + (
        'import os, signal, threading, time\n'
        'from native_generators import _unpack\n'
        'def slow(self):\n'
        '    os.kill(os.getpid(), signal.SIGINT)\n'
        '    time.sleep(1)\n'
        'try:\n    _unpack.Pulled.next = slow\n    list(rows)\n'
        'except KeyboardInterrupt:\n    print("stopped")\n'
    )
    done = subprocess.run(
        [sys.executable, '-c', code, str(path)],
        check=True, timeout=30, capture_output=True, text=True,
    )  # fmt: skip
    assert done.stdout == 'stopped\n'
