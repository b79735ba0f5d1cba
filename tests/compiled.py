"""C modules of the tests, compiled where they are needed."""

from __future__ import annotations

import importlib.util
import os
import shlex
import subprocess
import sysconfig
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path
from typing import Any


def build(source: Path, folder: str) -> str:
    """Compile it; the path of the module."""
    made = os.path.join(folder, source.stem + EXTENSION_SUFFIXES[0])
    include = {f'-I{sysconfig.get_path(name)}' for name in ('include', 'platinclude')}
    flags = ['-std=c11', '-O1', '-g', '-Wall', '-Wextra', '-Werror', '-shared', '-fPIC']
    compiler = shlex.split(os.environ.get('CC', '')) or ['cc']
    # No sanitizer that this process runs under looks at the compiler.
    environment = {name: value for name, value in os.environ.items() if name != 'LD_PRELOAD'}
    subprocess.run(
        [*compiler, *flags, *include, str(source), '-o', made], check=True, env=environment
    )
    return made


def load(path: str) -> Any:
    name = os.path.basename(path).split('.')[0]
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
