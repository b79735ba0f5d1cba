"""Fuzz src/core with libFuzzer: python tests/fuzz/run.py [--seconds 60] [TARGET ...]

Each target has its share of the seconds.  Seeds are the texts of ../shared/data, where they are,
and of --corpus, in which what is found stays.  An input that fails is written to the working
directory.
"""

import argparse
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
DATA = ROOT.parent / 'shared' / 'data'
TARGETS = sorted(path.stem.removesuffix('_fuzz') for path in HERE.glob('*_fuzz.c'))
CLANG = next(filter(shutil.which, ('clang', 'clang-14')), 'clang')
FLAGS = '-std=c11 -O2 -g -w -UNDEBUG -fno-sanitize-recover=all'
SANITIZED = '-fsanitize=address,undefined'
INSTRUMENTED = ['-fsanitize=fuzzer-no-link,address,undefined']
# To learn from each comparison costs more than all else, and pays where long constants count.
WITHOUT_COMPARISONS = [*INSTRUMENTED, '-fno-sanitize-coverage=trace-cmp']
LEARNS_COMPARISONS = {'number', 'utf8'}
# A target takes no longer input, or is slow at it.
LONGEST = {
    'columns': 964,
    'convert': 160,
    'fields': 304,
    'number': 200,
    'quote': 200,
    'scan': 1541,
    'schema': 604,
    'spell': 64,
    'split': 604,
}
# What the choices at the front of an input may be.
CHOICES = {
    'columns': (bytes(range(64)), bytes(range(200, 264 - 8)) + bytes(8), bytes(64)),
    'fields': (b'\1\0\7\3', b'\5\x10\1\2'),
    'schema': (b'\x0c\3\x12\1\x17', b'\x48\1\1\1\1'),
    'split': (b'\1\0\7\3', b'\5\x90\1\2'),
}
TYPED = b'''1,2024-01-01,12:30,a
2.50,2024-01-02T10:11:12Z,"12_000",true
-7,2024-01-03 10:11:12.5,NA,"say ""no"""
9223372036854775807,24.12.2024,11:59 pm,\xc3\xa9t\xc3\xa9
'''
NUMBERS = [
    '1',
    '-17',
    '1.5e-3',
    '123456789012345678',
    ' 4.9e-324',
    '2024-02-29',
    '2024-02-29T23:59:59.123456',
]
# A format of 24 bytes, and a text.
FORMATS = [
    '%d.%m.%Y %H:%M:%S.%f    1.2.2024 3:4:5.6',
    '%Y-%m-%dT%H:%M:%S%%     2024-02-29T23:59:59%',
    '%B %d, %y %I:%M %p      march 3, 24 11:59 pm',
    '%d-%b-%Y                03-MAR-2024',
]
EVENTS = [
    b'data: a\r\ndata:b\r\rid: 1\nevent: add\nretry: 10\ndata\n\n',
    b'\xef\xbb\xbf: comment\n\nid\nid: \0\ndata:  x\n\n',
]


def compile_target(name: str, folder: Path) -> Path:
    """The target with core, which is compiled once for all of its kind; only core is watched."""
    compiler = [*shlex.split(os.environ.get('FUZZ_CC', CLANG)), *FLAGS.split()]
    compiler += ['-I', str(ROOT / 'src'), '-I', str(HERE)]
    learns = name in LEARNS_COMPARISONS
    objects = folder / f'core-{learns}'
    if not objects.exists():
        objects.mkdir()
        flags = INSTRUMENTED if learns else WITHOUT_COMPARISONS
        sources = sorted((ROOT / 'src' / 'core').glob('*.c'))
        subprocess.run([*compiler, *flags, '-c', *sources], check=True, cwd=objects)
    harness, program = folder / f'{name}.o', folder / name
    source = HERE / f'{name}_fuzz.c'
    subprocess.run([*compiler, SANITIZED, '-c', source, '-o', harness], check=True)
    command = [*compiler, f'{SANITIZED},fuzzer', harness, *objects.iterdir()]
    subprocess.run([*command, '-lm', '-o', program], check=True)
    return program


def seed(name: str, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    if name == 'number':
        for i, text in enumerate(NUMBERS):
            (folder / f'seed-{i}').write_text(text)
        return
    if name == 'convert':
        for i, text in enumerate(FORMATS):
            (folder / f'seed-{i}').write_bytes(b'\3\0\7\xe8\1\2\3\4\5\6\7' + text.encode())
    if name == 'event_stream':
        for i, events in enumerate(EVENTS):
            (folder / f'seed-{i}').write_bytes(bytes(range(16)) + events)
        return
    paths = sorted(DATA.rglob('*.csv')) if DATA.is_dir() else []
    for i, text in enumerate([TYPED, *(path.read_bytes()[:300] for path in paths)]):
        for j, choices in enumerate(CHOICES.get(name, (b'',))):
            (folder / f'seed-{i}-{j}').write_bytes(choices + text)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--seconds', type=int, default=60, help='for all targets together')
    parser.add_argument('--corpus', type=Path, help='where inputs are kept')
    parser.add_argument('targets', nargs='*', metavar='TARGET', help=', '.join(TARGETS))
    options = parser.parse_args()
    targets = options.targets or TARGETS
    with tempfile.TemporaryDirectory() as temporary:
        for name in targets:
            program = compile_target(name, Path(temporary))
            corpus = (options.corpus or Path(temporary, 'corpus')) / name
            seed(name, corpus)
            share = max(1, options.seconds // len(targets))
            longest = LONGEST.get(name, 600)
            command = [program, f'-max_total_time={share}', f'-max_len={longest}']
            done = subprocess.run(
                [*command, '-print_final_stats=1', corpus],
                stderr=subprocess.PIPE,
                text=True,
                errors='replace',
            )
            if done.returncode != 0:
                sys.stderr.write(done.stderr[-5000:])
                return 1
            runs = done.stderr.rpartition('stat::number_of_executed_units:')[2].split()[0]
            print(f'{name}: {runs} inputs in {share} s, {len(list(corpus.iterdir()))} kept')
    return 0


if __name__ == '__main__':
    sys.exit(main())
