"""How strong the tests are: change one line of C at a time and see whether a test fails.

    python tools/mutate.py FOLDER [--seed 1] [--count 300] [--jobs 1] [--python PYTHON]
                                  [--only GLOB] [--locks] [--limit SECONDS] [--quick] [--again]
    python tools/mutate.py FOLDER --summary

A mutant is one line of a function in src/ with one change: an operator, a condition, a constant or
a returned value is another, or a call, an assignment or a reference is left out.  Mutants are
chosen by lot: first the line, then its change.  The same seed gives the same ones while src/ is the
same.  FOLDER, outside the repository, gets a copy of the checkout for each job, and
`results.jsonl`: a line for each mutant.  What is in it is not run again, so a run can be stopped
and continued.  --again tries those that survived once more: after a test was added, or with all
tests after a first look.

The extension is built as a release is, without asserts, but at -O1 because that is quicker.  One
file is compiled again for each mutant.  Then tests run until the first failure:

1. for core/, the C programs of tests/core, those named like the file first;
2. the room's tests, those named like the file first, then the quick ones;
3. tests/isolated, of the room's types: the catalogue, leaks, re-entry, failing allocations;
4. the tests of other rooms that use this one.

Outcomes:

killed      a test failed, the process crashed, or it went on for too long
survived    all tests passed: write a test, or explain the mutant in tools/mutate.equivalent
equivalent  the compiler makes the same object of it, or tools/mutate.equivalent says why no test
            can tell the difference

A line that this build leaves out, as one of another CPython version, is not chosen, and what does
not compile is not counted.  --locks chooses only lines that lock or unlock: use it with a Python
without the GIL.  A test that fails without any change is left out, and named.  --limit is how long,
for the room and for the others, tests may take that are not named like the file; --quick leaves
out 3 and 4, for a first look.
"""

import argparse
import contextlib
import fnmatch
import hashlib
import json
import os
import random
import re
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[1]
LIST = ROOT / 'tools' / 'mutate.equivalent'


class Room(NamedTuple):
    """Folders of tests/ in the order in which they are tried, and public names of the room."""

    tests: str
    names: str
    others: str = ''


ROOMS = {
    'core': Room('', 'csv_rows', 'csv text sse chunks bridge'),
    'runtime': Room('stream', 'csv_rows chunked to_sync', 'chunks tasks events bridge source'),
    'aio': Room('stream', 'achunked amap drive', 'tasks chunks bridge events sse broadcast'),
    'stream': Room('stream', 'batched achunked abatched', 'chunks bridge source tasks csv sse'),
    'source': Room('source', 'csv_rows lines event_source', 'text csv sse chunks'),
    'csv/parse': Room('csv', 'csv_rows csv.reader', 'cli recipes'),
    'csv/row': Room('csv', 'csv_rows CSVRow csv.DictReader', 'cli recipes'),
    'csv/rows': Room('csv', 'csv_rows', 'cli recipes'),
    'csv/sniff': Room('csv', 'csv_sniff', 'cli'),
    'csv/split': Room('csv', 'csv_split', 'cli'),
    'csv/batches': Room('csv', 'csv_batches', 'cli recipes'),
    'csv/schema': Room('csv', 'csv_schema', 'cli'),
    'csv/write': Room('csv', 'csv_encode', 'cli recipes chunks'),
    'csv/module': Room('csv', 'csv.reader csv.writer csv.Dict'),
    'arrow': Room('csv', 'csv_batches csv_encode', 'cli'),
    'chunks': Room('chunks', 'chunked batched', 'stream'),
    'sse': Room('sse', 'event_source event_stream ServerSentEvent', 'stream'),
    'text': Room('text', 'lines jsonl', 'stream cli recipes'),
    'bridge': Room('bridge', 'to_async to_sync heartbeat', 'stream recipes'),
    'broadcast': Room('broadcast', 'Broadcast', 'stream'),
    'events': Room('events', 'Dispatcher', 'stream'),
    'tasks': Room('tasks', 'amap amerge map_threads drive task', 'stream'),
    'module.c': Room('stream', 'csv_rows', 'chunks events tasks'),
}
ISOLATED = (
    'test_catalogue',
    'test_referrers',
    'test_teardown',
    'test_no_memory',
    'test_reentry',
    'test_threads',
)
CPU, WALL = 3, 12  # how many times as long as without a change


# ---- mutants ----


@dataclass(frozen=True)
class Mutant:
    file: str
    function: str
    line: int
    before: str
    after: str

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What stays the same when lines move."""
        return self.file, self.function, self.before.strip(), self.after.strip()


COMMENT_OR_TEXT = re.compile(
    r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.DOTALL
)
DIRECTIVE = re.compile(r'^[ \t]*#(?:[^\n]*\\\n)*[^\n]*', re.MULTILINE)


def blank(found: re.Match[str]) -> str:
    return re.sub(r'[^\n]', ' ', found[0])


def blank_text(found: re.Match[str]) -> str:
    """Comments go, texts become names, so that an operator in one is none."""
    return re.sub(r'[^\n]', '_', found[0]) if found[0][0] in '"\'' else blank(found)


def code_of(text: str) -> list[str]:
    """The lines of a C file without comments, texts and directives; each as long as before."""
    text = COMMENT_OR_TEXT.sub(blank_text, text)
    return DIRECTIVE.sub(blank, text).split('\n')


def functions_of(code: list[str]) -> Iterator[tuple[int, str, str]]:
    """Each line within a function: its index, the function's name and type.

    As clang-format leaves it: the type and the name begin a line, as do both braces.
    """
    name = kind = ''
    inside = False
    for index, line in enumerate(code):
        if inside:
            inside = not line.startswith('}')
            if inside:
                yield index, name, kind
        elif found := re.match(r'(\w+)\(', line):
            name, kind = found[1], code[index - 1].strip() if index else ''
        elif line.startswith('{'):
            inside = bool(name)
        elif line.startswith(('}', 'struct', 'typedef', 'enum', 'union')) or '=' in line[:60]:
            name = ''


OPERATORS = {
    ' < ': ' <= ',
    ' <= ': ' < ',
    ' > ': ' >= ',
    ' >= ': ' > ',
    ' == ': ' != ',
    ' != ': ' == ',
    ' && ': ' || ',
    ' || ': ' && ',
    ' + ': ' - ',
    ' - ': ' + ',
    ' * ': ' / ',
    ' / ': ' * ',
    ' % ': ' / ',
    ' & ': ' | ',
    ' | ': ' & ',
    ' << ': ' >> ',
    ' >> ': ' << ',
    ' += ': ' -= ',
    ' -= ': ' += ',
    ' |= ': ' &= ',
    ' &= ': ' |= ',
    '++': '--',
    '--': '++',
}
OPERATOR = re.compile('|'.join(map(re.escape, sorted(OPERATORS, key=len, reverse=True))))
CONSTANT = re.compile(r'(?<![\w.])\d+(?=[uUlL]*(?![\w.]))')
TRUTH = re.compile(r'\b(?:true|false)\b')
CONDITION = re.compile(r'(\bif|\bwhile|\} while) \((.+)\)( \{|;)$')
REFERENCE = re.compile(r'\bPy_X?NewRef(?=\()')
CALL = re.compile(r'\s+(\w+)\(.*\);$')
ASSIGNMENT = re.compile(r'\s+[\w.*>\[\]-]+ = [^{]*;$')
REFERENCES = re.compile(r'\bPy_(X?(NewRef|INCREF|DECREF|SETREF)|CLEAR|VISIT)\b')
BEGIN_LOCK = re.compile(r'Py_BEGIN_CRITICAL_SECTION\((.+)\);$')
LOCKING = re.compile(
    r'Py_BEGIN_CRITICAL_SECTION|generators_lock_(take|leave)\(|PyThread_(acquire|release)_lock'
    r'|PyMutex_(Lock|Unlock)|pthread_mutex_|threads_(un)?lock'
)
OTHER_RETURNS = {
    '0': ('1', '-1'),
    '1': ('0',),
    '-1': ('0',),
    'NULL': ('Py_NewRef(Py_None)',),
}
NEVER = re.compile(r'\b(assert|static_assert|_Static_assert|Py_UNREACHABLE|ISOLATED_ONLY)\(')
UNMATCHED_MACROS = ('Py_BEGIN_', 'Py_END_', 'assert')


def is_balanced(text: str) -> bool:
    depth = 0
    for character in text:
        depth += (character == '(') - (character == ')')
        if depth < 0:
            return False
    return depth == 0


def left_out(line: str, code: str) -> Iterator[str]:
    indent = line[: len(line) - len(line.lstrip())]
    call = CALL.match(code)
    is_whole = code.rstrip().endswith(';') and is_balanced(code)
    if call and is_whole and not call[1].startswith(UNMATCHED_MACROS) and call[1] != 'return':
        yield f'{indent};'
    if ASSIGNMENT.match(code) and is_whole:
        yield f'{indent};'
    if code.strip() in ('break;', 'continue;'):
        yield f'{indent};'
    if section := BEGIN_LOCK.search(code):  # the lock of an object that nobody else has
        yield line.replace(line[slice(*section.span(1))], '&(PyObject){0}')
    for found in REFERENCE.finditer(code):
        yield line[: found.start()] + line[found.end() :]


def changes(line: str, code: str, kind: str) -> Iterator[str]:
    """The line with each change that can be made to it; `kind` is what the function returns."""
    if not code.strip() or NEVER.search(code):
        return
    yield from left_out(line, code)
    for found in OPERATOR.finditer(code):
        yield line[: found.start()] + OPERATORS[found[0]] + line[found.end() :]
    for found in re.finditer(r'!(?!=)', code):
        yield line[: found.start()] + line[found.end() :]
    for found in TRUTH.finditer(code):
        other = 'false' if found[0] == 'true' else 'true'
        yield line[: found.start()] + other + line[found.end() :]
    for found in CONSTANT.finditer(code):
        before = code[: found.start()]
        if before.endswith(('return ', '-')):  # -1 is as good as -2
            continue
        yield line[: found.start()] + str(int(found[0]) + 1) + line[found.end() :]
    if (condition := CONDITION.search(code)) and is_balanced(condition[2]):
        start, stop = condition.span(2)
        yield f'{line[:start]}!({line[start:stop]}){line[stop:]}'
    if returned := re.search(r'\breturn (-?\w+);$', code):
        others = OTHER_RETURNS.get(returned[1], ())
        if returned[1] == 'NULL' and 'PyObject *' not in kind:
            others = ()
        for other in others:
            yield line[: returned.start(1)] + other + line[returned.end(1) :]


def mutants_of(file: str, text: str) -> Iterator[Mutant]:
    lines = text.split('\n')
    code = code_of(text)
    for index, function, kind in functions_of(code):
        made = dict.fromkeys(changes(lines[index], code[index].rstrip(), kind))
        for after in made:
            if after != lines[index]:
                yield Mutant(file, function, index + 1, lines[index], after)


def by_lot(mutants: list[Mutant], seed: int) -> Iterator[Mutant]:
    """Lines in an order that depends on the seed alone, a change of each."""
    lines: dict[tuple[str, int], list[Mutant]] = defaultdict(list)
    for mutant in mutants:
        lines[mutant.file, mutant.line].append(mutant)
    lot = random.Random(seed)
    order = sorted(lines)
    lot.shuffle(order)
    for place in order:
        yield lot.choice(lines[place])


def explained(text: str) -> dict[tuple[str, str, str, str], str]:
    """tools/mutate.equivalent: reasons of mutants that no test can tell from the original."""
    reasons = {}
    for paragraph in re.split(r'\n{2,}', text):
        lines = [line for line in paragraph.splitlines() if not line.startswith('#')]
        if not lines:
            continue
        place, before, after, *reason = lines
        file, _, function = place.partition(' ')
        if not (before.startswith('- ') and after.startswith('+ ') and reason):
            raise ValueError(f'not a mutant with its reason: {place}')
        key = file, function, before[2:].strip(), after[2:].strip()
        reasons[key] = ' '.join(map(str.strip, reason))
    return reasons


# ---- building ----


class Build:
    """How the interpreter's extensions are compiled, and the objects of what is not changed."""

    def __init__(self, python: str, folder: Path) -> None:
        self.python = python
        program = (
            'import json, sysconfig as s; print(json.dumps([s.get_path("include"),'
            ' s.get_config_var("EXT_SUFFIX")]))'
        )
        include, self.suffix = json.loads(subprocess.check_output([python, '-c', program]))
        self.compiler = ['ccache', 'cc'] if shutil.which('ccache') else ['cc']
        flags = ['-std=c11', '-O1', '-g0', '-w', '-DNDEBUG', '-fPIC', '-fvisibility=hidden']
        self.core_flags = ['-std=c11', '-O1', '-g0', '-w', '-Isrc', '-Itests/core']
        memory = ['-DCORE_REALLOC=PyMem_RawRealloc', '-DCORE_FREE=PyMem_RawFree']
        self.flags = [*flags, *memory, '-Isrc', f'-I{include}']
        self.objects = folder / 'objects'
        self.conditional: dict[str, set[int]] = {}

    def compile(self, tree: Path, source: str, output: Path, *, core: bool = False) -> bool:
        flags = self.core_flags if core else self.flags
        command = [*self.compiler, *flags, '-c', source, '-o', str(output)]
        return run_quietly(command, tree) == 0

    def object_of(self, source: str, *, core: bool = False) -> Path:
        return self.objects / ('core' if core else '') / (source.replace('/', '.') + '.o')

    def all(self, tree: Path, jobs: int) -> None:
        """Compile all that is not changed."""
        (self.objects / 'core').mkdir(parents=True, exist_ok=True)
        sources = sources_of(tree)
        work = [(source, False) for source in sources]
        programs = sorted(f'tests/core/{path.name}' for path in tree.glob('tests/core/*_test.c'))
        core = [source for source in sources if source.startswith('src/core/')]
        work += [(source, True) for source in [*core, *programs]]
        self.sources = sources
        self.core_sources = core
        self.programs = programs
        stamp = self.objects / 'stamp'
        now = self.stamp(tree)
        if stamp.exists() and stamp.read_text('utf-8') == now:
            return
        with ThreadPoolExecutor(jobs) as pool:
            done = pool.map(
                lambda of: self.compile(tree, of[0], self.object_of(of[0], core=of[1]), core=of[1]),
                work,
            )
            if not all(done):
                raise SystemExit('the checkout does not compile')
        stamp.write_text(now, 'utf-8')

    def stamp(self, tree: Path) -> str:
        """What the objects are made of."""
        digest = hashlib.sha256(repr((self.python, self.flags, self.core_flags)).encode())
        for folder in ('src', 'tests/core'):
            for path in sorted((tree / folder).rglob('*.[ch]')):
                digest.update(f'{path.relative_to(tree)}'.encode() + path.read_bytes())
        return digest.hexdigest()

    def link(self, tree: Path, changed: str = '', mutant: Path | None = None) -> bool:
        objects = [mutant if name == changed else self.object_of(name) for name in self.sources]
        output = tree / f'src/native_generators/_native{self.suffix}'
        output.unlink(missing_ok=True)
        command = ['cc', '-shared', *map(str, objects), '-o', str(output), '-lm']
        return run_quietly(command, tree) == 0

    def link_program(self, tree: Path, program: str, changed: str, mutant: Path) -> bool:
        objects = [
            mutant if name == changed else self.object_of(name, core=True)
            for name in self.core_sources
        ]
        objects.append(self.object_of(program, core=True))
        command = ['cc', *map(str, objects), '-lm', '-o', str(tree / 'program')]
        return run_quietly(command, tree) == 0

    def has_line(self, tree: Path, source: str, line: int) -> bool:
        """Whether no #if leaves it out."""
        if source not in self.conditional:
            lines = conditional(ROOT.joinpath(source).read_text('utf-8'))
            self.conditional[source] = lines - self.lines_built(tree, source) if lines else set()
        return line not in self.conditional[source]

    def lines_built(self, tree: Path, source: str) -> set[int]:
        """The lines that the preprocessor leaves in."""
        command = ['cc', *self.flags, '-E', source]
        output = subprocess.run(command, cwd=tree, capture_output=True, text=True).stdout
        built = set()
        file, line = '', 0
        for text in output.splitlines():
            if found := re.match(r'# (\d+) "([^"]*)"', text):
                line, file = int(found[1]), found[2]
                continue
            if file == source and text.strip():
                built.add(line)
            line += 1
        return built


def conditional(text: str) -> set[int]:
    """The lines within an #if."""
    depth = 0
    lines = set()
    for number, line in enumerate(text.split('\n'), 1):
        if found := re.match(r'\s*#\s*(if|endif)', line):
            depth += 1 if found[1] == 'if' else -1
        elif depth:
            lines.add(number)
    return lines


def sources_of(tree: Path) -> list[str]:
    return sorted(str(path.relative_to(tree)) for path in tree.glob('src/**/*.c'))


def run_quietly(command: list[str], folder: Path) -> int:
    return subprocess.run(
        command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ).returncode


def copy_checkout(tree: Path) -> None:
    """What is known to git and what is new, as it stands now."""
    command = ['git', 'ls-files', '-co', '--exclude-standard', '-z']
    names = subprocess.check_output(command, cwd=ROOT, text=True).split('\0')
    for old in tree.glob('src/**/*.[ch]'):
        old.unlink()
    for name in filter(None, names):
        source, target = ROOT / name, tree / name
        if source.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)


# ---- tests ----


TOO_LONG = -1000


class Run(NamedTuple):
    code: int  # of the process, or TOO_LONG
    output: str
    seconds: float


class Tests:
    """Which tests are tried; what is learned of them while mutants run.

    `seconds` is how long a file took, the first time that it passed.  `sound` says of each test
    that killed a mutant whether it passes without a change.
    """

    UNKNOWN = 3.0

    def __init__(self, folder: Path, limit: float, quick: bool, again: bool) -> None:
        self.path = folder / 'tests.json'
        self.limit = limit
        self.quick = quick
        self.again = again
        self.lock = threading.Lock()
        self.seconds: dict[str, float] = {}
        self.sound: dict[str, bool] = {}
        if self.path.exists():
            self.seconds, self.sound = json.loads(self.path.read_text('utf-8'))

    def save(self) -> None:
        self.path.write_text(json.dumps([self.seconds, self.sound], indent=1), 'utf-8')

    def learn(self, names: list[str], output: str) -> None:
        """From what pytest prints by --durations."""
        took: dict[str, float] = defaultdict(float)
        for seconds, name in re.findall(r'^([\d.]+)s \w+ +([^:\s]+)::', output, re.MULTILINE):
            took[name] += float(seconds)
        with self.lock:
            for name in names:
                self.seconds.setdefault(name, round(took[name] + 0.1, 2))
            self.save()

    def unsound(self) -> list[str]:
        return [f'--deselect={name}' for name, passes in self.sound.items() if not passes]

    def expected(self, name: str) -> float:
        return self.seconds.get(name, self.UNKNOWN)

    def files(self, tree: Path, folders: str) -> list[str]:
        found = [path for name in folders.split() for path in tree.glob(f'tests/{name}/test_*.py')]
        return sorted(str(path.relative_to(tree)) for path in found)

    def ordered(self, names: list[str], stem: str) -> list[str]:
        """Those named like the file, then the others, the quick ones first, up to the limit."""
        total = 0.0
        chosen: list[str] = []
        for name in sorted(names, key=lambda name: (not is_named(name, stem), self.expected(name))):
            total += self.expected(name)
            if total > self.limit and chosen:
                break
            chosen.append(name)
        return chosen


def is_named(test: str, stem: str) -> bool:
    name = Path(test).stem.removeprefix('test_')
    stem = stem.removeprefix('a') if len(stem) > 4 else stem
    return stem in name or (len(name) > 3 and name in stem)


def room_of(file: str) -> str:
    name = file.removeprefix('src/')
    return next(room for room in ROOMS if name == room or name.rpartition('/')[0] == room)


def cpu_of_session(leader: int) -> float:
    """Seconds of its processes so far.  A limit of the system's would make its clock a coarse one,
    and tests of the time fail.
    """
    ticks = 0
    for path in Path('/proc').glob('[0-9]*/stat'):
        with contextlib.suppress(OSError):
            fields = path.read_text('utf-8', 'replace').rpartition(') ')[2].split()
            if fields[3] == str(leader):
                ticks += sum(map(int, fields[11:15]))
    return ticks / os.sysconf('SC_CLK_TCK')


class Copy:
    """One copy of the checkout, in which one mutant at a time is built and tried."""

    def __init__(self, tree: Path, build: Build, tests: Tests) -> None:
        self.tree = tree
        self.build = build
        self.tests = tests
        self.temporary = tree.with_name(tree.name + '-tmp')

    def command(self, command: list[str], cpu: float, wall: float) -> Run:
        """Run a program in a session of its own, which ends with it."""
        shutil.rmtree(self.temporary, ignore_errors=True)
        self.temporary.mkdir()
        environment = {
            **os.environ,
            'PYTHONPATH': f'{self.tree / "src"}{os.pathsep}{self.tree}',
            'PYTHONDONTWRITEBYTECODE': '',
            'GENERATORS_TESTS': 'short',
            'CORE_TIMES': '0',
            'TMPDIR': str(self.temporary),
        }

        def limited() -> None:
            # Who starts this in the background may have it ignored.
            signal.signal(signal.SIGINT, signal.default_int_handler)
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 31, 1 << 31))

        output = self.temporary.with_suffix('.txt')
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        with output.open('wb') as file:
            process = subprocess.Popen(
                command,
                cwd=self.tree,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=limited,
            )
            end = time.monotonic() + wall
            code = None
            try:
                while code is None:
                    with contextlib.suppress(subprocess.TimeoutExpired):
                        code = process.wait(1)
                        break
                    if time.monotonic() > end or cpu_of_session(process.pid) > cpu:
                        code = TOO_LONG
            finally:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        return Run(code, output.read_text('utf-8', 'replace'), seconds)

    def pytest(self, arguments: list[str], cpu: float, wall: float) -> Run:
        options = ['-x', '-q', '-p', 'no:cacheprovider', '-p', 'no:xdist', '-o', 'timeout=90']
        options += ['--tb=line', '-rfE', '--durations=0', *self.tests.unsound()]
        return self.command(
            [self.build.python, '-X', 'faulthandler', '-m', 'pytest', *options, *arguments],
            cpu,
            wall,
        )

    def try_core(self, mutant: Mutant) -> str:
        """What kills a mutant of core/ among its C programs."""
        compiled = self.tree / 'mutant-core.o'
        if not self.build.compile(self.tree, mutant.file, compiled, core=True):
            return ''
        stem = Path(mutant.file).stem
        family = stem.partition('_')[0]

        def order(program: str) -> tuple[bool, bool]:
            name = Path(program).stem.removesuffix('_test')
            return name != stem, not name.startswith(family)

        for program in sorted(self.build.programs, key=order):
            if self.build.link_program(self.tree, program, mutant.file, compiled):
                run = self.command([str(self.tree / 'program'), '0'], 30, 300)
                if run.code != 0:
                    return f'{program}{how(run)}'
        return ''

    def try_tests(self, names: list[str]) -> str:
        if not names:
            return ''
        expected = sum(map(self.tests.expected, names))
        run = self.pytest(names, CPU * expected + 20, WALL * expected + 120)
        if run.code == 0:
            self.tests.learn(names, run.output)
        return killer(run)

    def try_isolated(self, room: Room) -> str:
        names = room.names.split()
        words = ' or '.join({name.partition('.')[2] or name for name in names})
        for name in ISOLATED:
            run = self.pytest([f'tests/isolated/{name}.py', '-k', words], 240, 1200)
            if run.code != 5 and (killed := killer(run)):  # 5: no test has such a name
                return killed
        program = (
            'import sys; from tests.isolated import leaks\n'
            'names = sys.argv[1].split()\n'
            'leaks.main([n for n in leaks.RECIPES if any(m in n for m in names)])'
        )
        run = self.command([self.build.python, '-c', program, room.names], 240, 1200)
        return f'tests/isolated/leaks.py{how(run)}' if run.code else ''

    def try_all(self, mutant: Mutant) -> str:
        """What kills it; nothing if all pass."""
        room = ROOMS[room_of(mutant.file)]
        stem = Path(mutant.file).stem
        tests, others = (
            self.tests.ordered(self.tests.files(self.tree, folders), stem)
            for folders in (room.tests, room.others)
        )
        named = [name for name in tests if is_named(name, stem)]
        rest = [name for name in tests if name not in named]
        is_core = mutant.file.startswith('src/core/')
        stages: list[Callable[[], str]] = [
            lambda: self.try_core(mutant) if is_core else '',
            lambda: self.try_tests(named),
            lambda: self.try_tests(rest),
            lambda: self.try_isolated(room),
            lambda: self.try_tests(others),
        ]
        if self.tests.quick:
            stages = stages[:3] if room.tests else [stages[0], stages[4]]
        elif self.tests.again or REFERENCES.search(mutant.before):
            stages[2:4] = stages[3:1:-1]
        elif is_core:
            stages[3:5] = stages[4:2:-1]
        return next(filter(None, (stage() for stage in stages)), '')

    def is_sound(self, killer: str) -> bool:
        """Whether the test that killed a mutant passes without a change; each is tried once."""
        name = killer.partition(': ')[0]
        if '.py' not in name or '/leaks.py' in name:
            return True
        if name not in self.tests.sound:
            self.build.link(self.tree)
            run = self.pytest([name], 300, 1200)
            with self.tests.lock:
                self.tests.sound[name] = run.code == 0
                self.tests.save()
            if run.code != 0:
                print(f'{name} fails without a change\n{run.output[-2000:]}', flush=True)
        return self.tests.sound[name]

    def outcome(self, mutant: Mutant) -> tuple[str, str]:
        """killed, survived, equivalent or `invalid`, and by what."""
        path = self.tree / mutant.file
        original = path.read_text('utf-8')
        lines = original.split('\n')
        assert lines[mutant.line - 1] == mutant.before
        lines[mutant.line - 1] = mutant.after
        compiled = self.tree / 'mutant.o'
        path.write_text('\n'.join(lines), 'utf-8')
        try:
            if not self.build.compile(self.tree, mutant.file, compiled):
                return 'invalid', ''
            if compiled.read_bytes() == self.build.object_of(mutant.file).read_bytes():
                return 'equivalent', 'the same object'
            while True:
                if not self.build.link(self.tree, mutant.file, compiled):
                    return 'invalid', ''
                killed = self.try_all(mutant)
                if not killed:
                    return 'survived', ''
                if self.is_sound(killed):
                    return 'killed', killed
        finally:
            path.write_text(original, 'utf-8')


def how(run: Run) -> str:
    if run.code == TOO_LONG:
        return ': too long'
    return f': signal {-run.code}' if run.code < 0 else ''


def killer(run: Run) -> str:
    """The test that failed; nothing if all passed."""
    if run.code == 0:
        return ''
    found = re.search(r'^(?:FAILED|ERROR) (tests/.+?)(?: - .*)?$', run.output, re.MULTILINE)
    place = re.search(r'File "[^"]*(tests/[^"]*)", line (\d+) in (test_\w+)', run.output)
    name = found[1] if found else f'{place[1]}::{place[3]}' if place else 'pytest'
    return name.partition('[')[0] + how(run)


# ---- the run ----


def key_of(row: dict[str, Any]) -> tuple[str, ...]:
    """The key of the mutant that a line of the results is of."""
    return tuple(str(row[name]).strip() for name in ('file', 'function', 'before', 'after'))


class Results:
    def __init__(self, folder: Path) -> None:
        self.path = folder / 'results.jsonl'
        self.lock = threading.Lock()
        self.rows: list[dict[str, Any]] = []
        if self.path.exists():
            # The last line of a mutant counts.
            rows = map(json.loads, self.path.read_text('utf-8').splitlines())
            self.rows = [*{key_of(row): row for row in rows}.values()]

    def known(self) -> set[tuple[str, ...]]:
        return {*map(key_of, self.rows)}

    def survivors(self, tree: Path) -> list[Mutant]:
        """Those that are still a change of the checkout."""
        lines = {key_of(row): row['line'] for row in self.rows if row['outcome'] == 'survived'}
        found: dict[tuple[str, ...], Mutant] = {}
        for file in sorted({key[0] for key in lines}):
            for mutant in mutants_of(file, (tree / file).read_text('utf-8')):
                if mutant.key in lines:
                    # Of several alike, the one that has moved least.
                    other = found.setdefault(mutant.key, mutant)
                    line = lines[mutant.key]
                    found[mutant.key] = min(mutant, other, key=lambda m: abs(m.line - line))
        return list(found.values())

    def add(self, mutant: Mutant, outcome: str, by: str, seconds: float) -> None:
        row = {**asdict(mutant), 'outcome': outcome, 'by': by, 'seconds': round(seconds, 1)}
        with self.lock:
            self.rows = [one for one in self.rows if key_of(one) != mutant.key]
            self.rows.append(row)
            with self.path.open('a', encoding='utf-8') as file:
                file.write(json.dumps(row) + '\n')


def summary(rows: list[dict[str, Any]], reasons: dict[tuple[str, str, str, str], str]) -> str:
    """Killed, survived and equivalent by room; then the survivors."""
    rooms: dict[str, Counter[str]] = defaultdict(Counter)
    survivors = []
    for row in rows:
        file, function, before, after = key_of(row)
        outcome = row['outcome']
        if outcome == 'survived' and (file, function, before, after) in reasons:
            outcome = 'equivalent'
        if outcome == 'survived':
            survivors.append(f'{file}:{row["line"]} {function}\n- {before}\n+ {after}\n')
        rooms[room_of(file)][outcome] += 1
        rooms['all'][outcome] += 1
    rooms['all'] = rooms.pop('all', Counter())
    lines = [f'{"room":12} killed survived equivalent   ratio']
    for room, counts in rooms.items():
        killed, survived = counts['killed'], counts['survived']
        ratio = f'{100 * killed / (killed + survived):.0f} %' if killed + survived else '-'
        lines.append(f'{room:12} {killed:6} {survived:8} {counts["equivalent"]:10} {ratio:>7}')
    return '\n'.join([*lines, '', *survivors])


def candidates(build: Build, tree: Path, only: str, locks: bool, seed: int) -> Iterator[Mutant]:
    """The mutants of lines that this build has, in the order of the lot."""
    made = [
        mutant
        for source in build.sources
        if fnmatch.fnmatch(source, only)
        for mutant in mutants_of(source, (tree / source).read_text('utf-8'))
        if not locks
        or (LOCKING.search(mutant.before) and not LOCKING.search(mutant.after))
        or '(PyObject){0}' in mutant.after
    ]
    for mutant in by_lot(made, seed):
        if build.has_line(tree, mutant.file, mutant.line):
            yield mutant


def main() -> None:
    parser = argparse.ArgumentParser(description='See the top of this file.')
    parser.add_argument('folder', type=Path)
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--count', type=int, default=300)
    parser.add_argument('--jobs', type=int, default=1)
    parser.add_argument('--python', default=sys.executable)
    parser.add_argument('--only', default='*')
    parser.add_argument('--locks', action='store_true')
    parser.add_argument('--limit', type=float, default=300)
    parser.add_argument('--quick', action='store_true')
    parser.add_argument('--again', action='store_true')
    parser.add_argument('--summary', action='store_true')
    options = parser.parse_args()
    folder = options.folder.resolve()
    if folder.is_relative_to(ROOT):
        parser.error('FOLDER is within the checkout')
    folder.mkdir(parents=True, exist_ok=True)
    reasons = explained(LIST.read_text('utf-8'))
    results = Results(folder)
    if options.summary:
        print(summary(results.rows, reasons))
        return
    build = Build(options.python, folder)
    tests = Tests(folder, options.limit, options.quick, options.again)
    copies = [Copy(folder / f'copy-{number}', build, tests) for number in range(options.jobs)]
    for copy in copies:
        copy_checkout(copy.tree)
    build.all(copies[0].tree, options.jobs)
    mutants = candidates(build, copies[0].tree, options.only, options.locks, options.seed)
    if options.again:
        found = results.survivors(copies[0].tree)
        random.Random(options.seed).shuffle(found)
        chosen = [mutant for mutant in found if fnmatch.fnmatch(mutant.file, options.only)]
        mutants = iter([mutant for mutant in chosen if mutant.key not in reasons])
        known: set[tuple[str, ...]] = set()
    else:
        known = results.known()
    counted = 0
    lock = threading.Lock()

    def work(copy: Copy) -> None:
        nonlocal counted
        while True:
            with lock:
                mutant = next(mutants, None) if counted < options.count else None
                if mutant is None:
                    return
                counted += 1
            if mutant.key in known:
                continue
            start = time.monotonic()
            if mutant.key in reasons:
                outcome, by = 'equivalent', 'explained'
            else:
                outcome, by = copy.outcome(mutant)
            if outcome == 'invalid':
                with lock:
                    counted -= 1
            results.add(mutant, outcome, by, time.monotonic() - start)
            print(f'{outcome:10} {mutant.file}:{mutant.line} {by}', flush=True)

    with ThreadPoolExecutor(options.jobs) as pool:
        for done in [pool.submit(work, copy) for copy in copies]:
            done.result()
    print(summary(results.rows, reasons))


if __name__ == '__main__':
    main()
