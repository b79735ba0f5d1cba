#!/usr/bin/env python3
"""Draws docs/progress.svg: the command line on a terminal, halfway through a file and at its end.

    python tools/draw_progress.py [--mb 150]

It runs the command on a terminal of its own, with tqdm and without, and draws what was shown.  It
needs a POSIX system and tqdm.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import tempfile
import termios
from html import escape
from pathlib import Path

PICTURE = Path(__file__).parents[1] / 'docs' / 'progress.svg'
COLUMNS = 84
COMMAND = 'generators flights.csv --where "delay>15" --to jsonl -o late.jsonl'
ARGUMENTS = ['flights.csv', '--where', 'delay>15', '--to', 'jsonl', '-o', 'late.jsonl']
RECORD = '2026-03-%02d,NG%04d,Lisbon,Oslo,%d\n'


def make_file(path: Path, size: int) -> None:
    block = ''.join(RECORD % (i % 28 + 1, i % 9000, i % 61) for i in range(20_000))
    with path.open('w') as file:
        file.write('day,flight,from,to,delay\n')
        while file.tell() < size:
            file.write(block)


def frames(folder: Path, tqdm: bool) -> list[str]:
    """Each state of the line that the command shows on a terminal."""
    environment = {**os.environ, 'PYTHONPATH': os.environ.get('PYTHONPATH', '')}
    if not tqdm:
        (folder / 'tqdm.py').write_text('raise ImportError("as if it were not installed")\n')
        environment['PYTHONPATH'] = f'{folder}{os.pathsep}{environment["PYTHONPATH"]}'
    terminal, end = pty.openpty()
    fcntl.ioctl(end, termios.TIOCSWINSZ, struct.pack('HHHH', 24, COLUMNS, 0, 0))
    command = [sys.executable, '-m', 'native_generators', *ARGUMENTS]
    process = subprocess.Popen(command, cwd=folder, env=environment, stderr=end)
    os.close(end)
    shown = b''
    while True:
        try:
            data = os.read(terminal, 65536)
        except OSError:  # the other side was closed
            break
        if not data:
            break
        shown += data
    os.close(terminal)
    if process.wait() != 0:
        raise RuntimeError(shown.decode())
    text = re.sub(r'\x1b\[[0-9;]*[A-Za-z]', '', shown.decode())
    return [frame.rstrip() for frame in re.split(r'[\r\n]+', text) if frame.strip()]


def halfway(lines: list[str]) -> str:
    """The one that is nearest to half of the file."""

    def distance(line: str) -> int:
        found = re.search(r'(\d+)%', line)
        return abs(50 - int(found[1])) if found else 100

    return min(lines, key=distance)


def drawn(blocks: list[tuple[str, list[str]]]) -> str:
    """Text on a dark terminal; █ of a bar stays whole, for the font has a fixed width."""
    made: list[str] = []
    y = 14
    for title, lines in blocks:
        height = 22 * len(lines) + 18
        made.append(f'<text x="10" y="{y + 6}" fill="#667">{escape(title)}</text>')
        made.append(f'<rect x="10" y="{y + 16}" width="700" height="{height}" rx="6"/>')
        for number, line in enumerate(lines):
            colour = '#8fd18f' if line.startswith('$') else '#e6e6e6'
            made.append(
                f'<text x="22" y="{y + 42 + 22 * number}" fill="{colour}" font-family="monospace"'
                f' font-size="13" xml:space="preserve">{escape(line)}</text>'
            )
        y += height + 38
    size = f'viewBox="0 0 720 {y}" width="720" height="{y}"'
    title = 'Progress of the command line on a terminal'
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif" font-size="13"'
        f' fill="#1d2229" role="img">\n<title>{title}</title>\n'
        f'<rect width="720" height="{y}" fill="#fff"/>\n'
    )
    return head + '\n'.join(made) + '\n</svg>\n'


def main() -> None:
    parser = argparse.ArgumentParser(description='Draw docs/progress.svg.')
    parser.add_argument('--mb', type=int, default=150, help='size of the file that is read')
    size = parser.parse_args().mb * 1_000_000
    blocks = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_file(folder / 'flights.csv', size)
        for tqdm in (True, False):
            lines = frames(folder, tqdm)
            title = 'with tqdm' if tqdm else 'without'
            prompt = f'$ {COMMAND}'
            blocks.append((f'{title}, halfway', [prompt, halfway(lines)]))
            blocks.append((f'{title}, at the end', [prompt, lines[-1], '$']))
    PICTURE.write_text(drawn(blocks), 'utf-8')


if __name__ == '__main__':
    main()
