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

VERSION = 1
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
)


class Saved:
    """What the file says, or the start of a run where there is none."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.path: str | None = options.resume
        self.arguments = json.loads(json.dumps({name: getattr(options, name) for name in DECIDING}))
        self.rejects_path: str | None = options.rejects
        self.file = 0  # number of the input file
        self.checkpoint: dict[str, Any] | None = None  # in it; None for its start
        self.output_size: int | None = None  # None where nothing was written yet
        self.rejects_size: int | None = None
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
                arguments = {'from': 'csv', 'part': None, **saved['arguments']}
                self.file = int(saved['file'])
                self.checkpoint = saved['checkpoint']
                self.output_size = int(saved['output_size'])
                self.rejected = int(saved['rejected'])
                self.done = bool(saved['done'])
                if saved['rejects_path'] == self.rejects_path is not None:
                    self.rejects_size = int(saved['rejects_size'])
            except (ValueError, KeyError, TypeError) as e:
                raise ValueError(f'{path}: it is not what --resume writes ({e})') from None
        if arguments != self.arguments:
            names = [name for name in DECIDING if arguments.get(name) != self.arguments[name]]
            raise ValueError(f'{path}: it is of a run with other arguments: {", ".join(names)}')

    def due(self) -> bool:
        """Is it time for another note?"""
        return self.path is not None and time.monotonic() >= self.due_at

    def save(
        self,
        file: int,
        checkpoint: dict[str, Any] | None,
        output_size: int,
        rejects_size: int,
        rejected: int,
        done: bool,
    ) -> None:
        assert self.path is not None
        note = {
            'version': VERSION,
            'arguments': self.arguments,
            'file': file,
            'checkpoint': checkpoint,
            'output_size': output_size,
            'rejects_path': self.rejects_path,
            'rejects_size': rejects_size,
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
