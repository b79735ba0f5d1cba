"""A run: rows come in batches, which are read, made into whole lines, and written.

Behind a batch the place may be saved for ``--resume``.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from typing import Any

from native_generators import CSVError, DataError
from native_generators._cli.arguments import TEXT, read_part, reads_jsonl
from native_generators._cli.interrupts import BATCH, Interrupts
from native_generators._cli.objects import Objects, texts_of
from native_generators._cli.progress import Source, opened, shown
from native_generators._cli.resume import Saved
from native_generators._cli.selection import Selection
from native_generators._cli.trouble import DONE, REJECTED, Trouble, say
from native_generators._cli.write import (
    JSONArray,
    Lines,
    Output,
    Rejects,
    csv_lines,
    json_lines,
    json_texts,
)

Keep = Callable[[Iterable[Any]], list[Any]]
Texts = Callable[[Iterable[Any]], list[str]]


class Run:
    def __init__(self, options: argparse.Namespace, interrupts: Interrupts) -> None:
        self.options = options
        self.interrupts = interrupts
        self.selection: Selection | Objects = (
            Objects(options) if reads_jsonl(options) else Selection(options)
        )
        self.saved = Saved(options)
        self.part = read_part(options.part)
        self.due = False  # something was written that is not noted yet
        self.names: tuple[str, ...] | None = None
        self.lines: Lines | None = None
        self.left = options.head
        self.output = Output(options.output, self.saved.output_size, compresses=True)
        rejects, reasons = self.saved.rejects_sizes
        self.rejects = Rejects(options.rejects, rejects, options.reject_reasons, reasons)
        self.rejects.count = self.saved.rejected
        self.look_again()

    def all(self) -> int:
        append = self.options.changed == 'append'
        for number, name in enumerate(self.options.files):
            if self.saved.begun(number, append) and self.left != 0:
                self.one(number)
            elif self.saved.has_changed(number, name):
                raise Trouble(
                    f'{name}: it has changed since the run that {self.saved.path} notes had read '
                    'it; if it has only grown, --changed append reads what was added'
                )
        self.output.begin()
        if isinstance(self.lines, JSONArray):
            self.output.write(self.lines.end())
        elif self.options.to == 'json':
            self.output.write(b'[]\n')
        self.saved.done = True
        self.due = True
        return status_of(self.rejects)

    def look_again(self) -> None:
        """In a run that goes on: what earlier files, and the part that was read, began with."""
        if isinstance(self.selection, Objects) and self.saved.output_size is not None:
            for name in self.options.files[: self.saved.file + 1]:
                with self.interrupts.heeded(), opened(name) as source:
                    if self.selection.look_again(source.rest()):
                        return

    def one(self, number: int) -> None:
        name = self.options.files[number]
        start = self.saved.start(number) or self.part
        with ExitStack() as stack:
            with self.interrupts.heeded():
                source = stack.enter_context(opened(name, self.saved.path is not None))
            try:
                with self.interrupts.heeded():
                    rows, keep = self.begin(source, start)
            except DataError as e:
                if isinstance(e, CSVError) or e.line is None:  # none of its lines is bad: all is
                    raise Trouble(f'{name}: {e}') from None
                raise
            except Trouble as e:
                raise Trouble(f'{name}: {e}') from None
            except (ValueError, LookupError, TypeError) as e:
                raise Trouble(f'{name}: {e}') from None
            self.output.begin()
            self.rejects.begin(source.name)
            progress = stack.enter_context(shown(source, rows, self.options.progress))
            self.rest(number, rows, keep, progress)

    def rest(self, number: int, rows: Any, keep: Keep, progress: Callable[[], None]) -> None:
        """Read a file to its end, or until there are rows enough."""
        name = self.options.files[number]
        more = True
        while more:
            batch, failure = self.interrupts.read(rows, BATCH)
            self.rejects.write()
            self.write(name, keep(batch))
            progress()
            if self.saved.path is not None:
                self.saved.note(number, rows.checkpoint())
                self.due = True
                if self.saved.due():
                    self.save()
            if failure is not None:
                raise failure
            more = len(batch) == BATCH and self.left != 0

    def write(self, name: str, rows: list[Any]) -> None:
        if self.lines is None:
            return
        if self.left is not None:
            rows = rows[: self.left]
            self.left -= len(rows)
        try:
            data = self.lines(rows)
        except (ValueError, TypeError, RecursionError) as e:
            raise Trouble(f'{name}: {e}') from None
        self.output.write(data)

    def begin(self, source: Source, start: Any) -> tuple[Any, Keep]:
        """The rows of a file, and which of them are kept."""
        selection, changed = self.selection, self.options.changed
        if isinstance(selection, Objects):
            values = selection.open(source.rest(), start, changed, self.rejects.take)
            header = selection.header(values)
            if header != ():
                self.prepare(header, lambda: texts_of)
            return values, selection.keep
        chosen = selection.of(source.name, source.first)
        if chosen is None:
            return selection.empty(source.name, source.rest()), list
        rows = chosen.open(source.rest(), start, changed, self.rejects.take)
        self.prepare(chosen.names, lambda: json_texts(chosen.names, len(chosen.labels)))
        return rows, chosen.keep

    def prepare(self, names: tuple[str, ...] | None, texts_for: Callable[[], Texts]) -> None:
        """Before the first row of a file.  `texts_for` gives what makes JSON of rows."""
        if self.lines is not None:
            if names != self.names:
                raise ValueError(f'its columns are {names!r}, and not {self.names!r}')
            return
        self.names = names
        to = self.options.to
        if to in TEXT:
            delimiter = self.options.out_delimiter or (',' if to == 'csv' else '\t')
            self.lines = csv_lines(delimiter)
            if names is not None and not self.saved.output_size:
                self.output.begin()
                self.output.write(self.lines([names]))
            return
        texts = texts_for()
        self.lines = JSONArray(texts) if to == 'json' else json_lines(texts)

    def save(self) -> None:
        """Note the place, if there is a new one, and what was written up to it."""
        if self.saved.path is None or not self.due:
            return
        self.saved.save(
            output_size=self.output.size(),
            rejects_sizes=self.rejects.sizes(),
            rejected=self.rejects.count_written,
            done=self.saved.done,
        )
        self.due = False

    def close(self) -> None:
        try:
            self.save()
        finally:
            self.output.close()
            self.rejects.close()


def status_of(rejects: Rejects) -> int:
    count = rejects.count
    if count:
        say(
            f'{count} record{"s" * (count > 1)} rejected, the first: '
            f'{rejects.first or "in an earlier run"}'
        )
    return REJECTED if count else DONE
