"""src/core is compiled and tested without the interpreter: one C program per machine.

Environment: CC (a compiler and its flags, `cc` if not set), CORE_CFLAGS (more flags, such as
-fsanitize=address,undefined), CORE_RUNNER (what runs the programs, such as an emulator),
CORE_TIMES (how many times as long the longest goes on; 0 is short).
"""

import os
import platform
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parent
SOURCE = HERE.parents[1] / 'src'
PROGRAMS = sorted(path.stem for path in HERE.glob('*_test.c'))
TAKES_TIMES = {'fields_test', 'split_test'}

FLAGS = shlex.split(
    '-std=c11 -O2 -g -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes'
)


@pytest.fixture(scope='module')
def compiler():
    command = shlex.split(os.environ.get('CC', '')) or ['cc']
    if shutil.which(command[0]) is None:
        pytest.skip(f'no C compiler: {command[0]} is not on PATH')
    if not SOURCE.is_dir():
        pytest.skip('the sources are not here, only the package')
    return [*command, *FLAGS, *shlex.split(os.environ.get('CORE_CFLAGS', ''))]


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True, errors='replace')
    assert done.returncode == 0, f'{shlex.join(map(str, command))}\n{done.stdout}{done.stderr}'
    return done.stdout


@pytest.fixture(scope='module')
def objects(compiler, tmp_path_factory):
    """Core, compiled once for all programs."""
    folder = tmp_path_factory.mktemp('objects')
    made = []
    for source in sorted((SOURCE / 'core').glob('*.c')):
        made.append(folder / f'{source.stem}.o')
        run(*compiler, '-I', SOURCE, '-c', source, '-o', made[-1])
    return made


def runner():
    return shlex.split(os.environ.get('CORE_RUNNER', ''))


@pytest.mark.timeout(600)
@pytest.mark.parametrize('name', PROGRAMS)
def test_machine(name, compiler, objects, tmp_path):
    program = tmp_path / name
    run(*compiler, '-I', SOURCE, '-I', HERE, HERE / f'{name}.c', *objects, '-lm', '-o', program)
    times = [os.environ.get('CORE_TIMES', '1')] if name in TAKES_TIMES else []
    printed = run(*runner(), program, *times)
    if name in ('scan_test', 'fields_test', 'split_test'):
        assert 'scalar' in printed.split()
        print(f'kernels: {printed}', end='')


LEAKS = """
#include <stdlib.h>
void *volatile held;

int
main(void)
{
    for (int i = 0; i < 100; i++) {
        held = malloc(100);
    }
    return 0;
}
"""


def test_a_leak_is_a_failure_under_the_sanitizer(compiler, tmp_path):
    if not any('address' in flag for flag in compiler):
        pytest.skip('no sanitizer was asked for')
    source = tmp_path / 'leaks.c'
    source.write_text(LEAKS)
    run(*compiler, source, '-o', tmp_path / 'leaks')
    with pytest.raises(AssertionError, match='detected memory leaks'):
        run(*runner(), tmp_path / 'leaks')


def test_avx512_in_a_model(compiler, tmp_path):
    """The AVX-512 kernels, their instructions said in plain C: few machines have them."""
    predefined = run(*compiler, '-dM', '-E', '-x', 'c', os.devnull)
    if '#define __x86_64__' not in predefined or '#define __GNUC__' not in predefined:
        pytest.skip(f'{platform.machine()} here, or not gcc or clang')
    processors = Path('/proc/cpuinfo')
    if not processors.exists():
        pytest.skip('no /proc/cpuinfo tells whether this processor has AVX2')
    if 'avx2' not in processors.read_text().split():
        pytest.skip('the model itself needs AVX2')
    program = tmp_path / 'scan_test'
    model = HERE / 'avx512_model'
    parts = ('scan', 'scan_list', 'features', 'utf8_blocks')
    sources = [HERE / 'scan_test.c', *(SOURCE / 'core' / f'{name}.c' for name in parts)]
    run(*compiler, '-I', model, '-I', SOURCE, '-I', HERE, *sources, '-o', program)
    assert {'avx512', 'avx512vbmi2'} <= set(run(*runner(), program).split())
