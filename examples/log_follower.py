"""The lines of a log as they are written, also after it was rotated: what `tail -F` shows.

    python log_follower.py app.log
    python log_follower.py --all app.log ERROR      only lines with this text, from the beginning

- A log that is renamed, and begun anew under its name: the rest of the old file comes first.  The
  new one is read when something is in it; until then the writer may still write to the old one.
- A log that is truncated (`copytruncate` of logrotate) is read from its beginning.
- A log that is not there, or not for a moment, is waited for.
- An unfinished line is shown when the rest of it comes, or the file was rotated.

What is lost: lines that a second process writes to an old file after the first one has written to
the new file; a whole file, if the log is rotated twice within INTERVAL; and with copytruncate
what was written since the last look, and, if the file outgrows its old length within INTERVAL,
what it begins with.
"""

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterator
from typing import BinaryIO

from generators import lines

INTERVAL = float(os.environ.get('INTERVAL', '0.2'))  # seconds between two looks
CHUNK = 65536  # bytes


def pause() -> None:
    time.sleep(INTERVAL)


def is_rotated(path: str, file: BinaryIO) -> bool:
    """Whether another file has the name, and something is in it."""
    try:
        now = os.stat(path)
    except FileNotFoundError:
        return False
    return now.st_size > 0 and not os.path.samestat(now, os.fstat(file.fileno()))


def growth(path: str, file: BinaryIO, wait: Callable[[], None]) -> Iterator[bytes]:
    """What a file has, and what is added to it until it is rotated."""
    last = b''
    while True:
        rotated = is_rotated(path, file)  # before the read, which then is the last one
        while chunk := file.read(CHUNK):
            yield (last := chunk)
        if rotated:
            return
        if os.fstat(file.fileno()).st_size >= file.tell():
            wait()
            continue
        file.seek(0)
        if not last.endswith(b'\n'):
            yield b'\n'  # what it begins with is no part of the line before


def opened(path: str, wait: Callable[[], None]) -> BinaryIO:
    while True:
        try:
            return open(path, 'rb', buffering=0)
        except FileNotFoundError:
            wait()


def follow(
    path: str, *, from_start: bool = False, wait: Callable[[], None] = pause
) -> Iterator[str]:
    """Lines without an end; `wait` is called whenever there are none."""
    file = opened(path, wait)
    if not from_start:
        file.seek(0, os.SEEK_END)
    while True:
        # Each file has lines of its own: an unfinished one is not joined to the next file.
        # Bytes that are no UTF-8 are shown by their numbers.
        with file:
            yield from lines(growth(path, file, wait), encoding='utf-8', errors='backslashreplace')
        file = opened(path, wait)


def main() -> int:
    parser = argparse.ArgumentParser(description='Show the lines of a log as they are written.')
    parser.add_argument('log')
    parser.add_argument('text', nargs='?', default='', help='only lines with this text')
    parser.add_argument('--all', action='store_true', help='also the lines that are there')
    options = parser.parse_args()
    try:
        for line in follow(options.log, from_start=options.all):
            if options.text in line:
                print(line, flush=True)
    except KeyboardInterrupt:
        pass
    return 130


if __name__ == '__main__':
    sys.exit(main())
