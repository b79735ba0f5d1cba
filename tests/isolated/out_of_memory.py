"""The hook of out_of_memory.c, which is compiled where it is needed."""

from __future__ import annotations

import importlib.util
import os
import shlex
import subprocess
import sysconfig
import tempfile
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path
from typing import Any


def build(folder: str) -> str:
    """Compile the hook; the path of it."""
    made = os.path.join(folder, 'out_of_memory' + EXTENSION_SUFFIXES[0])
    source = Path(__file__).with_name('out_of_memory.c')
    include = {f'-I{sysconfig.get_path(name)}' for name in ('include', 'platinclude')}
    flags = ['-std=c11', '-O1', '-g', '-Wall', '-Wextra', '-Werror', '-shared', '-fPIC']
    compiler = shlex.split(os.environ.get('CC', '')) or ['cc']
    subprocess.run([*compiler, *flags, *include, str(source), '-o', made], check=True)
    return made


def load() -> Any:
    """The hook, from the path that the environment names where a test has built it."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.environ.get('OUT_OF_MEMORY') or build(folder)
        spec = importlib.util.spec_from_file_location('out_of_memory', path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    return module
