"""The extension and its switches; everything else is in pyproject.toml.

DEBUG=1             no optimisation, debug symbols, asserts
SANITIZE=A,B        gcc's and clang's sanitizers, as address,undefined
COVERAGE=1          gcov's counters
WERROR=1            every warning is an error
PORTABLE=1          only what CPython documents: see src/compat.h
"""

import os
import subprocess
import sys
import tempfile
from glob import glob
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext
from setuptools.errors import CCompilerError, ExecError, PlatformError

SWITCHES = ('DEBUG', 'SANITIZE', 'COVERAGE', 'WERROR', 'PORTABLE')


def switch(name: str) -> str:
    value = os.environ.get(name, '')
    return '' if value == '0' else value


def unix_flags() -> tuple[list[str], list[str]]:
    compile_args = ['-std=c11', '-fvisibility=hidden']
    link_args = []
    sanitizers = switch('SANITIZE')
    if switch('DEBUG') or switch('COVERAGE'):
        compile_args += ['-O0', '-g', '-UNDEBUG']
    else:
        compile_args += ['-O1' if sanitizers else '-O3']
    if sanitizers:
        flag = f'-fsanitize={sanitizers}'
        compile_args += [flag, '-fno-sanitize-recover=all', '-fno-omit-frame-pointer']
        compile_args += ['-g', '-UNDEBUG']
        link_args += [flag]
    if switch('COVERAGE'):
        # An assertion has a branch that no test can take.
        compile_args += ['--coverage', '-DNDEBUG', '-DGENERATORS_COVERAGE']
        link_args += ['--coverage']
    if switch('WERROR'):
        compile_args += ['-Wall', '-Wextra', '-Werror', '-Wshadow', '-Wstrict-prototypes']
        compile_args += ['-Wold-style-definition', '-Wpointer-arith']
        compile_args += ['-Wformat=2', '-Wvla', '-Wimplicit-fallthrough']
    return compile_args, link_args


def msvc_flags() -> tuple[list[str], list[str]]:
    compile_args = ['/std:c11', '/utf-8']
    compile_args += ['/Od', '/Zi', '/UNDEBUG'] if switch('DEBUG') else ['/O2']
    if switch('WERROR'):
        compile_args += ['/W4', '/WX']
    return compile_args, ['/DEBUG'] if switch('DEBUG') else []


class Build(build_ext):
    """Chooses flags by compiler, builds anew when the switches changed, and writes the stub."""

    def run(self) -> None:
        super().run()
        if not self.inplace:
            self.write_stub()

    def write_stub(self) -> None:
        """Copy the docstrings into the stub, which the wheel then has; see tools/stub.py."""
        folder = Path(self.build_lib).resolve()
        stub = Path('src/native_generators/_native.pyi').resolve()
        output = folder / 'native_generators' / '_native.pyi'
        if not output.exists():  # build_ext alone
            return
        command = [sys.executable, 'tools/stub.py', str(stub), str(output)]
        environment = {**os.environ, 'PYTHONPATH': str(folder)}
        if subprocess.run(command, env=environment, check=False).returncode != 0:
            # For another machine, or with a sanitizer that must be loaded first.
            self.warn('the extension cannot be imported here: its stub has no docstrings')

    def build_extensions(self) -> None:
        msvc = self.compiler.compiler_type == 'msvc'
        for extension in self.extensions:
            flags = msvc_flags() if msvc else unix_flags()
            extension.extra_compile_args, extension.extra_link_args = flags
        stamp = Path(self.build_temp, 'switches')
        switches = ' '.join(f'{name}={switch(name)}' for name in SWITCHES)
        if not stamp.exists() or stamp.read_text() != switches:
            self.force = True
        try:
            super().build_extensions()
        except (CCompilerError, ExecError, PlatformError) as error:
            reason = self.reason()
            if reason is None:
                raise
            raise type(error)(f'{error}\n\n{reason}  See CONTRIBUTING.md.') from None
        stamp.parent.mkdir(parents=True, exist_ok=True)
        stamp.write_text(switches)

    def reason(self) -> str | None:
        """Why nothing can be compiled here; None if it can, and a file is at fault."""
        for text, reason in PROBES.items():
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder, 'probe.c')
                path.write_text(text, 'ascii')
                flags = self.extensions[0].extra_compile_args
                try:
                    self.compiler.compile([str(path)], output_dir=folder, extra_postargs=flags)
                except (CCompilerError, ExecError, PlatformError):
                    return reason
        return None


# What a build needs, and what is said where it is missing.
PROBES = {
    '_Static_assert(sizeof(int) > 1, "C11");\n': (
        'There is no C compiler that knows C11, which native-generators is written in. On Debian '
        'and Ubuntu: apt install gcc libc6-dev. On macOS: xcode-select --install. On Windows: the '
        'Build Tools for Visual Studio 2019 or later.'
    ),
    '#include <Python.h>\n': (
        'There is no Python.h: Python was installed without what extensions are compiled with. On '
        'Debian and Ubuntu: apt install python3-dev.'
    ),
}

macros: list[tuple[str, str | None]] = [
    ('CORE_REALLOC', 'PyMem_RawRealloc'),
    ('CORE_FREE', 'PyMem_RawFree'),
]
if switch('PORTABLE'):
    macros.append(('GENERATORS_PORTABLE', None))

setup(
    ext_modules=[
        Extension(
            'native_generators._native',
            sources=sorted(glob('src/**/*.c', recursive=True)),
            depends=sorted(glob('src/**/*.h', recursive=True)),
            include_dirs=['src'],
            define_macros=macros,
        )
    ],
    cmdclass={'build_ext': Build},
)
