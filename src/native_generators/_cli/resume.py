"""Where a run of the command line stands, kept in a file: see ``--resume``.

What was written up to a moment, and the place in the input behind it, are noted together:
the next run cuts off what was written later, and goes on from there.  The file is replaced
at once, so that a run killed at any time leaves one that is whole.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from typing import Any

from native_generators._cli.arguments import READING, SOURCES, dest_of

VERSION = 2
SECONDS = 1.0  # between two notes

# What decides which rows are written, and how; --progress and --rejects do not.
DECIDING = (
    'files',
    'from',
    'columns',
    'types',
    'null',
    'where',
    'to',
    'output',
    'delimiter',
    'encoding',
    'header',
    'part',
    'lenient',
    'sniff',
    'decimal',
    'thousands',
    'date_format',
    'out_delimiter',
    'convert',
    *SOURCES,
    *(dest_of(option) for option in READING),
)


class Saved:
    """What the file says, or the start of a run where there is none."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.path: str | None = options.resume
        self.arguments = json.loads(json.dumps({name: getattr(options, name) for name in DECIDING}))
        self.rejects_paths = [options.rejects, options.reject_reasons]
        self.file = 0  # number of the input file
        self.checkpoints: list[dict[str, Any]] = []  # of the files before it, and in it
        self.output_size: int | None = None  # None where nothing was written yet
        self.rejects_sizes: tuple[int | None, int | None] = (None, None)
        self.rejected = 0
        self.done = False
        self.due_at = 0.0
        if self.path is not None and os.path.exists(self.path):
            self.load(self.path)

    def load(self, path: str) -> None:
        with open(path, encoding='utf-8') as file:
            try:
                saved = json.load(file)
                if saved['version'] != VERSION:
                    raise ValueError('another version')
                arguments = saved['arguments']
                self.file = int(saved['file'])
                self.checkpoints = list(saved['checkpoints'])
                self.output_size = int(saved['output_size'])
                self.rejected = int(saved['rejected'])
                self.done = bool(saved['done'])
                if saved['rejects_paths'] == self.rejects_paths:
                    one, other = saved['rejects_sizes']
                    self.rejects_sizes = (one, other)
            except (ValueError, KeyError, TypeError) as e:
                raise ValueError(f'{path}: it is not a file that --resume wrote ({e})') from None
        if not isinstance(arguments, dict) or arguments != self.arguments:
            names = [name for name in DECIDING if arguments.get(name) != self.arguments[name]]
            raise ValueError(
                f'{path}: it belongs to a run with other arguments: {", ".join(names)}'
            )

    def due(self) -> bool:
        """Is it time for another note?"""
        return self.path is not None and time.monotonic() >= self.due_at

    def start(self, number: int) -> dict[str, Any] | None:
        """Where that file is gone on with."""
        return self.checkpoints[number] if number < len(self.checkpoints) else None

    def begun(self, number: int, append: bool) -> bool:
        """Is there more to read of that file?"""
        return append or (not self.done and number >= self.file)

    def has_changed(self, number: int, path: str) -> bool:
        """Since it was read to the end?"""
        checkpoint = self.start(number)
        if checkpoint is None or checkpoint.get('size') is None:
            return False
        status = os.stat(path)
        was = checkpoint['size'], checkpoint['mtime']
        return was != (status.st_size, status.st_mtime_ns)

    def note(self, file: int, checkpoint: dict[str, Any]) -> None:
        self.checkpoints[file : file + 1] = [checkpoint]
        self.file = file

    def save(
        self, output_size: int, rejects_sizes: tuple[int, int], rejected: int, done: bool
    ) -> None:
        assert self.path is not None
        note = {
            'version': VERSION,
            'arguments': self.arguments,
            'file': self.file,
            'checkpoints': self.checkpoints,
            'output_size': output_size,
            'rejects_paths': self.rejects_paths,
            'rejects_sizes': rejects_sizes,
            'rejected': rejected,
            'done': done,
        }
        temporary = f'{self.path}.new'
        with open(temporary, 'w', encoding='utf-8') as new:
            json.dump(note, new)
            new.flush()
            os.fsync(new.fileno())
        os.replace(temporary, self.path)
        self.due_at = time.monotonic() + SECONDS
