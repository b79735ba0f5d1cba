"""The records of CSV found by src/core, without Python, against src/core as it was, in one process.

    python benchmarks/index.py [--mb 30] [--rounds 7] [--revision 5dffe77] [--only WORD ...] [--cpu]

Both are compiled here by $CC (`cc` if not set) at -O3, the older one from `git show`.  A ratio is
the older one's median over the newer one's, by each kernel that both have; the older AVX-512 one
stands against both newer ones.  `in place`: one long block in memory, as of bytes; `in blocks`:
copied in pieces of 128 KiB, as of a file, and the copying counts.  ZSV=FOLDER, where zsv is
installed (include/zsv.h, lib/libzsv), measures that library too.
"""

from __future__ import annotations

import ctypes
import io
import os
import shlex
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path

from files import THREE, original
from measure import Row, Skipped, Suite, Work, at_least, compared, geometric_mean, medians

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
BLOCK = 128 * 1024
KERNELS = {'avx512vbmi2': 'avx512', 'avx512': 'avx512', 'avx2': 'avx2', 'sse2': 'sse2'}
KERNELS |= {'neon': 'neon', 'scalar': 'scalar'}
BARS = {'avx512vbmi2': 1.5, 'avx2': 1.5}  # in the mean
FLAGS = shlex.split('-std=c11 -O3 -DNDEBUG -fPIC -shared -fvisibility=hidden')

ZSV_DRIVER = """
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <zsv.h>

typedef struct { zsv_parser parser; uint64_t *found; } counter;
typedef struct { const char *data; size_t left; } memory;

static void count_row(void *context) {
    counter *c = context;
    size_t cells = zsv_cell_count(c->parser);
    c->found[0]++;
    for (size_t i = 0; i < cells; i++) {
        c->found[1] += zsv_get_cell(c->parser, i).str != NULL;
    }
}

static size_t read_memory(void *to, size_t size, size_t items, void *stream) {
    memory *m = stream;
    size_t count = size * items < m->left ? size * items : m->left;
    memcpy(to, m->data, count);
    m->data += count;
    m->left -= count;
    return count / size;
}

__attribute__((visibility("default"))) int
zsv_run(const char *data, size_t length, uint64_t *found) {
    memory m = {data, length};
    counter c = {NULL, found};
    struct zsv_opts options = {0};
    options.row_handler = count_row;
    options.ctx = &c;
    options.read = read_memory;
    options.stream = &m;
    c.parser = zsv_new(&options);
    if (c.parser == NULL) {
        return 1;
    }
    while (zsv_parse_more(c.parser) == zsv_status_ok) {
    }
    zsv_finish(c.parser);
    zsv_delete(c.parser);
    return 0;
}
"""

suite = Suite(__doc__, mb=30.0, rounds=7)
suite.parser.add_argument('--revision', default='5dffe77', help='of src/core as it was')
options = suite.options


# ---- what is compared ----


def compiled(name: str, *arguments: object) -> ctypes.CDLL:
    compiler = shlex.split(os.environ.get('CC', 'cc'))
    library = suite.folder / f'{name}.so'
    command = [*compiler, *FLAGS, '-o', str(library), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Skipped(f'{name} does not compile: {done.stderr[-300:]}')
    return ctypes.CDLL(str(library))


def machine(name: str, source: Path) -> ctypes.CDLL:
    core = sorted((source / 'core').glob('*.c'))
    return compiled(name, '-I', source, HERE / 'index_driver.c', *core, '-lm')


def as_it_was() -> ctypes.CDLL:
    folder = suite.folder / 'was'
    if not folder.exists():
        command = ['git', '-C', str(ROOT), 'archive', options.revision, 'src/core']
        done = subprocess.run(command, capture_output=True, check=False)
        if done.returncode != 0:
            raise Skipped(f'git has no {options.revision}')
        with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
            archive.extractall(folder, filter='data')
    return machine('was', folder / 'src')


def zsv() -> ctypes.CDLL:
    installed = os.environ.get('ZSV')
    if not installed:
        raise Skipped('ZSV does not say where zsv is installed')
    driver = suite.folder / 'zsv_driver.c'
    driver.write_text(ZSV_DRIVER)
    library = Path(installed, 'lib')
    return compiled('zsv', '-I', Path(installed, 'include'), driver, *library.glob('libzsv*.a'))


def long(data: bytes) -> bytes:
    return data * (int(options.mb * 1e6) // len(data) + 1)


Found = tuple[int, int]
Run = Callable[[], Found]


def run(library: ctypes.CDLL, kernel: str, data: bytes, copied: bool) -> Run:
    def work() -> Found:
        found = (ctypes.c_uint64 * 2)()
        size = ctypes.c_size_t
        arguments = kernel.encode(), data, size(len(data)), size(BLOCK), int(copied), found
        if library.index_run(*arguments) != 0:
            raise RuntimeError('not all could be read')
        return found[0], found[1]

    return work


def speed(data: bytes, seconds: float) -> str:
    return f'{len(data) / seconds / 1e6:.0f} MB/s'


def in_speed(row: Row, data: bytes, theirs: float, ours: float) -> Row:
    row.theirs, row.ours = speed(data, theirs), speed(data, ours)
    return row


def kernels(was: ctypes.CDLL, now: ctypes.CDLL) -> Iterator[tuple[str, str]]:
    for kernel, former in KERNELS.items():
        if now.index_has(kernel.encode()) and was.index_has(former.encode()):
            yield kernel, former


def against_the_past(datas: dict[str, bytes], copied: bool, bars: bool) -> Iterator[Row]:
    was, now = as_it_was(), machine('now', ROOT / 'src')
    way = 'in blocks' if copied else 'in place'
    for kernel, former in kernels(was, now):
        ratios = []
        for name, data in datas.items():
            works = [run(was, former, data, copied), run(now, kernel, data, copied)]
            if works[0]() != works[1]():
                raise RuntimeError(f'{name}, {kernel}: they find different records')
            theirs, ours = medians(list[Work](works), options.rounds)
            ratios.append(theirs / ours)
            row = compared(f'{name}, {way}, {kernel}', options.revision, theirs, ours)
            yield in_speed(row, data, theirs, ours)
        mean = geometric_mean(ratios)
        bar = BARS.get(kernel) if bars else None
        title = f'mean, {way}, {kernel}'
        yield Row(title, options.revision, ratio=f'{mean:.2f}', bar=at_least(bar, mean))


# ---- what is measured ----


@suite.measurement
def in_place() -> Iterator[Row]:
    yield from against_the_past({name: long(original(name)) for name in THREE}, False, True)


@suite.measurement
def in_blocks() -> Iterator[Row]:
    yield from against_the_past({name: long(original(name)) for name in THREE}, True, False)


@suite.measurement
def shapes() -> Iterator[Row]:
    """Input of other kinds, which must not become slower."""
    lorem = b'lorem ipsum dolor sit amet\n' * 12
    datas = {
        'tiny fields': b'a,b,c,d,,f,,h\n',
        'empty fields': b',' * 20 + b'\n',
        'huge fields': b'x' * 100_000 + b',' + b'y' * 90_000 + b'\n',
        'wide records': b','.join(b'%d' % i for i in range(5000)) + b'\n',
        'many quotes': b'"abc","de""f","g,h","i\nj",k\n',
        'text of many lines': b'a,"' + lorem + b'",b\n',
        'CRLF': original('nfl').replace(b'\n', b'\r\n'),
        'one column': b'abcdef\n',
        'blank lines': b'\n',
        'never regular': b'abc,de"f,ghi,jklmnop,qrstuvwxyz\n',
    }
    yield from against_the_past({name: long(data) for name, data in datas.items()}, True, False)


@suite.measurement
def against_zsv() -> Iterator[Row]:
    peer, now = zsv(), machine('now', ROOT / 'src')
    kernel = next(name for name in KERNELS if now.index_has(name.encode()))
    ratios = []
    for name in THREE:
        data = long(original(name))
        found = (ctypes.c_uint64 * 2)()
        ours = run(now, kernel, data, True)

        def theirs(data: bytes = data, found: ctypes.Array[ctypes.c_uint64] = found) -> None:
            found[0] = found[1] = 0
            if peer.zsv_run(data, ctypes.c_size_t(len(data)), found) != 0:
                raise RuntimeError('zsv has no memory')

        theirs()
        if tuple(found) != ours():
            raise RuntimeError(f'{name}: zsv finds {tuple(found)}, not {ours()}')
        peers, own = medians([theirs, ours], options.rounds)
        ratios.append(peers / own)
        yield in_speed(
            compared(f'{name}, in blocks, {kernel}', 'zsv', peers, own), data, peers, own
        )
    mean = geometric_mean(ratios)
    yield Row(f'mean, in blocks, {kernel}', 'zsv', ratio=f'{mean:.2f}', bar=at_least(3, mean))


if __name__ == '__main__':
    sys.exit(suite.main())
