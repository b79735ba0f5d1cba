"""The command line: what the arguments mean, and what is done with the rows.

Rows come in batches.  A batch is read, made into whole lines and written; then the place
behind it may be saved for ``--resume``.  Ctrl-C is heeded while reading and put off while
writing, so that the output always ends with a whole line.
"""

from __future__ import annotations

import argparse
import csv
import datetime as dt
import decimal
import importlib.util
import json
import os
import signal
import sys
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, closing, contextmanager
from itertools import islice
from types import FrameType
from typing import Any

from native_generators import CSVError, DataError, csv_encode, csv_rows, jsonl_rows
from native_generators._columns import KINDS, Columns, sink
from native_generators._jsonl import Objects, lines_of
from native_generators._progress import opened, shown
from native_generators._resume import Saved

BATCH = 500  # rows that are read before they are written

DONE = 0
REJECTED = 1
TROUBLE = 2
INTERRUPTED = 130
BROKEN_PIPE = 141

TYPES: dict[str, type] = {
    'int': int,
    'float': float,
    'bool': bool,
    'str': str,
    'decimal': decimal.Decimal,
    'date': dt.date,
    'datetime': dt.datetime,
}

EPILOG = """\
exit status:
  0    every record was read
  1    a record could not be read: it is in the --rejects file, or ended the run
  2    wrong arguments, or a file that can't be opened, read or written
  130  stopped by Ctrl-C, after a whole line
  141  nobody reads the output any more
"""

DESCRIPTION = """\
Write the rows of CSV files or of files of JSON lines, some of their columns, typed and
filtered, as CSV, as JSON lines, or as a Parquet or Arrow file.  CSV is read as Python's csv
module reads it; all CSV files must have the same columns.
"""

# Options that only CSV has a use for, and what they are without being given.
CSV_ONLY: dict[str, Any] = {
    'types': [],
    'null': [],
    'delimiter': ',',
    'header': True,
    'part': None,
}


class Trouble(Exception):
    """What ends the run before or between rows; its text is the message."""


# ---- the arguments ----


def names_of(text: str) -> list[str]:
    """``a,"b,c"`` as the names that it holds."""
    return next(csv.reader([text]), [])


def pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition('=')
    if not name or not equals:
        raise argparse.ArgumentTypeError(f'{text!r} is not NAME=VALUE')
    return name, value


def typed_pairs(text: str) -> list[tuple[str, str]]:
    pairs = [pair(part) for part in names_of(text)]
    for name, kind in pairs:
        if kind not in TYPES:
            raise argparse.ArgumentTypeError(
                f'{name}: there is no type {kind!r}, but {", ".join(TYPES)}'
            )
    return pairs


def delimiter(text: str) -> str:
    character = {'tab': '\t', '\\t': '\t'}.get(text, text)
    if len(character) != 1:
        raise argparse.ArgumentTypeError("one character, or 'tab'")
    return character


def parser() -> argparse.ArgumentParser:
    result = argparse.ArgumentParser(
        prog='python -m generators',
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = result.add_argument
    add('files', nargs='+', metavar='FILE', help="a file, a .gz of one, or '-' for stdin")
    add('--from', choices=('csv', 'jsonl'), default='csv', help='what is read (csv)')
    add(
        '--columns',
        type=names_of,
        action='extend',
        metavar='NAME,...',
        help='only these, in this order; in JSON lines, the names of objects',
    )
    add(
        '--types',
        type=typed_pairs,
        action='extend',
        default=[],
        metavar='NAME=TYPE,...',
        help=f'what columns hold: {", ".join(TYPES)}; an empty field is then no value',
    )
    add(
        '--null',
        action='append',
        default=[],
        metavar='TEXT',
        help='a spelling of no value in typed columns, such as NA; may be repeated',
    )
    add(
        '--where',
        type=pair,
        action='append',
        default=[],
        metavar='NAME=VALUE',
        help='only rows that have this value, of the type of the column, or in JSON lines this '
        'text or JSON value; repeated with the same name: one of these values; with other names: '
        'all of them',
    )
    add(
        '--to',
        choices=('csv', 'jsonl', *KINDS),
        default='csv',
        help='what is written (csv); parquet and arrow, a file of Arrow IPC, need pyarrow',
    )
    add('--output', metavar='FILE', help='where it is written, in place of stdout')
    add('--rejects', metavar='FILE', help='keep records that cannot be read, as they stood')
    add(
        '--resume',
        metavar='FILE',
        help='note there how far the run came; run again with the same arguments, it goes on',
    )
    add(
        '--part',
        metavar='FILE',
        help='read one part of the file alone: FILE holds it as JSON, from '
        'csv_split(FILE, header=True)',
    )
    add('--delimiter', type=delimiter, default=',', metavar='CHAR', help="(,) or 'tab'")
    add('--encoding', default='utf-8', help='of the files read (utf-8); what is written is UTF-8')
    add(
        '--no-header',
        dest='header',
        action='store_false',
        help='the files have no names: columns are called 0, 1 and so on',
    )
    add(
        '--progress',
        action=argparse.BooleanOptionalAction,
        help='show how far it is, on stderr; by default if that is a terminal',
    )
    return result


def check(options: argparse.Namespace) -> None:
    """What argparse can't tell."""
    if reads_jsonl(options):
        for name, default in CSV_ONLY.items():
            if getattr(options, name) != default:
                option = 'no-header' if name == 'header' else name
                raise Trouble(f'--{option} is for CSV, and --from jsonl reads JSON lines')
    if options.to in KINDS:
        check_columns(options)
    if options.resume:
        if not options.output:
            raise Trouble('--resume needs --output: what was written must be found again')
        if '-' in options.files:
            raise Trouble('--resume cannot read stdin again')
    if options.part and (len(options.files) > 1 or '-' in options.files):
        raise Trouble('--part is of one file, and not of stdin')
    if options.files.count('-') > 1:
        raise Trouble('stdin can be read once')
    written = [path for path in (options.output, options.rejects, options.resume) if path]
    for i, path in enumerate(written):
        for other in [*options.files, *written[:i]]:
            if same_file(path, other):
                raise Trouble(f'{path}: it is another file of this run too')


def check_columns(options: argparse.Namespace) -> None:
    if reads_jsonl(options):
        raise Trouble(f'--to {options.to} is for CSV, and --from jsonl reads JSON lines')
    if options.resume:
        raise Trouble(f'--to {options.to} cannot go on in a file that ends: --resume is for lines')
    if options.output is None and sys.stdout is not None and sys.stdout.isatty():
        raise Trouble(f'--to {options.to} writes no text: name a file with --output')
    for name, kind in options.types:
        if kind == 'decimal':
            raise Trouble(f'--types {name}=decimal: columns need a precision, which it has not')
    if importlib.util.find_spec('pyarrow') is None:
        raise Trouble(f"--to {options.to} needs pyarrow: pip install 'native-generators[columns]'")


def reads_jsonl(options: argparse.Namespace) -> bool:
    return bool(getattr(options, 'from') == 'jsonl')


def same_file(one: str, other: str) -> bool:
    try:
        return os.path.samefile(one, other)
    except OSError:
        return os.path.abspath(one) == os.path.abspath(other)


def read_part(path: str | None) -> Any:
    """What ``--part`` names."""
    if path is None:
        return None
    with open(path, encoding='utf-8') as file:
        try:
            part = json.load(file)
        except ValueError as e:
            raise Trouble(f'{path}: it is not JSON ({e})') from None
    if not isinstance(part, dict) or 'end' not in part:
        raise Trouble(f'{path}: it is no part of csv_split()')
    return part


# ---- what is read ----


class Selection:
    """Which columns are read, as what, which rows are kept, and which columns written."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.key: Callable[[str], str | int] = str if options.header else index
        self.types = {self.key(name): TYPES[kind] for name, kind in options.types}
        self.wanted: dict[str | int, list[Any]] = {}
        for name, value in options.where:
            key = self.key(name)
            self.wanted.setdefault(key, []).append(self.converted(key, value))
        self.columns: list[str | int] | None = None
        self.written: int | None = None  # columns written, the first ones of those read
        if options.columns is not None:
            self.columns = [self.key(name) for name in options.columns]
            self.written = len(self.columns)
            self.columns += [key for key in self.wanted if key not in self.columns]

    def converted(self, key: str | int, value: str) -> Any:
        kind = self.types.get(key, str)
        if kind is str:
            return value
        line = ''.join(csv.writer(_Lines()).writerow([value]) or ())
        try:
            return next(csv_rows([line], types={0: kind}, null=self.options.null))[0]
        except CSVError as e:
            raise Trouble(f'--where {key}={value}: {e.__cause__ or e}') from None

    def open(self, source: Any, start: Any, on_error: Any) -> csv_rows[tuple[Any, ...]]:
        options = self.options
        return csv_rows(
            source,
            into=tuple,
            header=options.header,
            columns=self.columns,
            types=self.types,
            null=options.null,
            ragged='error',
            delimiter=options.delimiter,
            encoding=options.encoding,
            on_error=on_error if options.rejects else 'raise',
            start=start,
        )

    def header(self, rows: csv_rows[tuple[Any, ...]]) -> tuple[str, ...] | None:
        header = rows.header
        for key in self.wanted:
            if header and key not in header:
                raise ValueError(f'there is no column {key!r} among {header!r}')
        return header

    def filter(self, header: tuple[str, ...] | None) -> Callable[[Iterable[Any]], list[Any]]:
        """Rows as they are read -> those that are written."""
        columns = header if self.columns is None else self.columns
        tests: list[tuple[Any, list[Any]]] = [
            (key if columns is None else columns.index(key), values)
            for key, values in self.wanted.items()
        ]
        written = self.written

        def keep(rows: Iterable[Any]) -> list[Any]:
            kept = [row for row in rows if row]  # a blank line is no row
            for at, values in tests:
                kept = [row for row in kept if row[at] in values]
            return [row[:written] for row in kept] if self.wanted and written is not None else kept

        return keep

    def names(self, header: tuple[str, ...] | None) -> tuple[str, ...] | None:
        """Those of what is written."""
        if header is None or self.columns is None:
            return header
        return tuple(str(column) for column in self.columns[: self.written])

    def lines(self, names: tuple[str, ...] | None) -> Callable[[list[Any]], bytes]:
        """Rows that are kept -> what is written of them."""
        return jsonl_lines(names)


class _Lines:
    def write(self, line: str) -> str:
        return line


def index(text: str) -> int:
    if not text.isdecimal():
        raise Trouble(f'without names a column is a number, 0 the first: not {text!r}')
    return int(text)


# ---- what is written ----


def csv_lines(rows: list[Any]) -> bytes:
    return b''.join(csv_encode(rows, lineterminator='\n', size=1 << 20, max_delay=None))


def jsonl_lines(names: tuple[str, ...] | None) -> Callable[[list[Any]], bytes]:
    for i, name in enumerate(names or ()):
        if name in (names or ())[:i]:
            raise ValueError(f'two columns are named {name!r}: choose with --columns')

    def lines(rows: list[Any]) -> bytes:
        if names is None:
            return lines_of(rows)
        return lines_of([dict(zip(names, row, strict=True)) for row in rows])

    return lines


class Output:
    """Whole lines, written at once."""

    def __init__(self, path: str | None, resumed_at: int | None) -> None:
        self.path = path
        self.written = resumed_at or 0
        if path is None:
            if sys.stdout is None:
                raise Trouble('stdout is closed')
            self.descriptor = sys.stdout.fileno()
            return
        flags = os.O_RDWR | os.O_CREAT | getattr(os, 'O_BINARY', 0)
        self.descriptor = os.open(path, flags, 0o666)
        size = os.fstat(self.descriptor).st_size
        if resumed_at is not None and size < resumed_at:
            raise Trouble(f'{path}: it is shorter than when the run stopped')
        try:
            os.ftruncate(self.descriptor, resumed_at or 0)
        except OSError:
            if resumed_at is not None:
                raise  # a pipe or a device has no length, and needs none
        if resumed_at:
            os.lseek(self.descriptor, resumed_at, os.SEEK_SET)

    def write(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            view = view[os.write(self.descriptor, view) :]
        self.written += len(data)

    def size(self) -> int:
        """Of what is safely there."""
        os.fsync(self.descriptor)
        return self.written

    def close(self) -> None:
        if self.path is not None:
            os.close(self.descriptor)


class Rejects:
    """Records that can't be read, as they stood in the file."""

    def __init__(self, path: str | None, resumed_at: int | None) -> None:
        self.file = None if path is None else Output(path, resumed_at)
        self.path = path
        self.count = 0
        self.count_written = 0
        self.first = ''
        self.pending: list[bytes] = []

    def take(self, error: DataError, raw: bytes) -> None:
        self.first = self.first or str(error)
        self.count += 1
        self.pending.append(raw if raw.endswith((b'\n', b'\r')) else raw + b'\n')

    def write(self) -> None:
        if self.file is not None and self.pending:
            self.file.write(b''.join(self.pending))
        self.pending = []
        self.count_written = self.count

    def size(self) -> int:
        return 0 if self.file is None else self.file.size()

    def close(self) -> None:
        if self.file is not None:
            self.file.close()


# ---- Ctrl-C ----


class Interrupts:
    """Ctrl-C raises KeyboardInterrupt while rows are read; otherwise it waits for that.

    Its handler stays: what comes when the run is over finds the process ending.
    """

    def __init__(self) -> None:
        self.reading = False
        self.pending = False
        self.over = False

    def __enter__(self) -> Interrupts:
        signal.signal(signal.SIGINT, self.handle)
        return self

    def __exit__(self, *_: object) -> None:
        self.over = True

    def handle(self, _number: int, _frame: FrameType | None) -> None:
        if self.over:
            return
        if self.reading or self.pending:  # the second one does not wait
            raise KeyboardInterrupt
        self.pending = True

    def read(self, rows: Iterator[Any]) -> tuple[list[Any], BaseException | None]:
        """Some rows, and what ended them before there were BATCH of them."""
        batch: list[Any] = []
        try:
            with self.heeded():
                batch.extend(islice(rows, BATCH))  # rows before a failure stay in it
        except BaseException as e:
            return batch, e
        return batch, None

    @contextmanager
    def heeded(self) -> Iterator[None]:
        self.reading = True
        try:
            if self.pending:
                raise KeyboardInterrupt
            yield
        finally:
            self.reading = False


# ---- the run ----


class Run:
    def __init__(self, options: argparse.Namespace, interrupts: Interrupts) -> None:
        self.options = options
        self.interrupts = interrupts
        self.selection: Selection | Objects = (
            Objects(options) if reads_jsonl(options) else Selection(options)
        )
        self.saved = Saved(options)
        self.part = read_part(options.part)
        self.place: tuple[int, Any] | None = None  # behind what was written, not saved yet
        self.names: tuple[str, ...] | None = None
        self.lines: Callable[[list[Any]], bytes] | None = None
        self.output = Output(options.output, self.saved.output_size)
        self.rejects = Rejects(options.rejects, self.saved.rejects_size)
        self.rejects.count = self.saved.rejected
        self.look_again()
        self.shows = sys.stderr.isatty() if options.progress is None else options.progress

    def all(self) -> int:
        if not self.saved.done:
            for number in range(self.saved.file, len(self.options.files)):
                self.one(number)
            self.place = (len(self.options.files), None)
        return status_of(self.rejects)

    def look_again(self) -> None:
        """In a run that goes on: what earlier files, and the part that was read, began with."""
        if isinstance(self.selection, Objects) and self.saved.output_size is not None:
            for name in self.options.files[: self.saved.file + 1]:
                with self.interrupts.heeded(), opened(name) as source:
                    if self.selection.look_again(source.file):
                        return

    def one(self, number: int) -> None:
        name = self.options.files[number]
        start = self.saved.checkpoint if number == self.saved.file else None
        if start is None:
            start = self.part
        with ExitStack() as stack:
            with self.interrupts.heeded():
                source = stack.enter_context(opened(name))
            progress = stack.enter_context(shown(source, self.shows))
            try:
                rows, keep = self.begin(source.file, start)
            except DataError as e:
                if isinstance(e, CSVError) or e.line is None:  # none of its lines is bad: all is
                    raise Trouble(f'{name}: {e}') from None
                raise
            except (ValueError, LookupError, TypeError) as e:
                raise Trouble(f'{name}: {e}') from None
            more = True
            while more:
                batch, failure = self.interrupts.read(rows)
                self.rejects.write()
                self.write(name, keep(batch))
                progress()
                if self.saved.path is not None:
                    self.place = (number, rows.checkpoint())
                    if self.saved.due():
                        self.save()
                if failure is not None:
                    raise failure
                more = len(batch) == BATCH

    def write(self, name: str, rows: list[Any]) -> None:
        if self.lines is None:
            return
        try:
            data = self.lines(rows)
        except (ValueError, TypeError, RecursionError) as e:
            raise Trouble(f'{name}: {e}') from None
        self.output.write(data)

    def begin(
        self, file: Any, start: dict[str, Any] | None
    ) -> tuple[csv_rows[Any] | jsonl_rows[Any], Callable[[Iterable[Any]], list[Any]]]:
        """The rows of a file, and which of them are kept."""
        selection = self.selection
        if isinstance(selection, Objects):
            values = selection.open(file, start, self.rejects.take)
            with self.interrupts.heeded():
                header = selection.header(values)
            return values, self.prepare(header)
        rows = selection.open(file, start, self.rejects.take)
        with self.interrupts.heeded():
            header = selection.header(rows)
        return rows, self.prepare(header)

    def prepare(self, header: tuple[str, ...] | None) -> Callable[[Iterable[Any]], list[Any]]:
        """Before the first row of a file."""
        names = self.selection.names(header) if header != () else ()
        if names == ():
            return list  # an empty file
        if self.lines is None:
            self.names = names
            self.lines = csv_lines if self.options.to == 'csv' else self.selection.lines(names)
            if self.options.to == 'csv' and names is not None and not self.saved.output_size:
                self.output.write(self.lines([names]))
        elif names != self.names:
            raise ValueError(f'its columns are {names!r}, and not {self.names!r}')
        return self.selection.filter(header)

    def save(self) -> None:
        """Note the place, if there is a new one, and what was written up to it."""
        if self.saved.path is None or self.place is None:
            return
        file, checkpoint = self.place
        self.saved.save(
            file=file,
            checkpoint=checkpoint,
            output_size=self.output.size(),
            rejects_size=self.rejects.size(),
            rejected=self.rejects.count_written,
            done=file == len(self.options.files),
        )
        self.place = None

    def close(self) -> None:
        try:
            self.save()
        finally:
            self.output.close()
            self.rejects.close()


def run_columns(options: argparse.Namespace) -> int:
    selection = Selection(options)
    rejects = Rejects(options.rejects, None)
    with closing(rejects), sink(options.output) as out:
        columns = Columns(options, selection, out)
        for name in options.files:
            try:
                columns.read(name, rejects.take if options.rejects else None, rejects.write)
            except DataError:
                raise
            except (ValueError, LookupError, TypeError) as e:
                raise Trouble(f'{name}: {e}') from None
        columns.finish()
    return status_of(rejects)


def status_of(rejects: Rejects) -> int:
    count = rejects.count
    if count:
        say(
            f'{count} record{"s" * (count > 1)} rejected, the first: '
            f'{rejects.first or "in an earlier run"}'
        )
    return REJECTED if count else DONE


def run(options: argparse.Namespace) -> int:
    check(options)
    if options.to in KINDS:
        return run_columns(options)
    with Interrupts() as interrupts:
        try:
            job = Run(options, interrupts)
        except ValueError as e:
            raise Trouble(str(e)) from None
        with closing(job):
            return job.all()


def say(text: str) -> None:
    print(f'generators: {text}', file=sys.stderr)


def main(arguments: list[str] | None = None) -> int:
    options = parser().parse_args(arguments)
    try:
        return run(options)
    except DataError as e:
        say(str(e))
        return REJECTED
    except BrokenPipeError:
        return BROKEN_PIPE
    except KeyboardInterrupt:
        return INTERRUPTED
    except (Trouble, OSError, EOFError, zlib.error) as e:
        say(str(e))
        return TROUBLE
