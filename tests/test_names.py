"""One package by two names: ``native_generators``, and ``generators`` for short."""

import importlib
import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest

import generators
import native_generators
from native_generators import _native

PUBLIC = sorted(native_generators.__all__)
FOLDERS = [str(Path(package.__file__).parents[1]) for package in (generators, native_generators)]


def run(code: str, folder: Path, **more: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, 'PYTHONPATH': os.pathsep.join(FOLDERS), **more}
    command = [sys.executable, '-c', code]
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=60
    )


@pytest.mark.parametrize('name', [*PUBLIC, '__version__'])
def test_both_names_have_the_same_objects(name: str) -> None:
    assert getattr(generators, name) is getattr(native_generators, name)


def test_both_names_export_the_same() -> None:
    assert generators.__all__ == native_generators.__all__


@pytest.mark.parametrize('name', sorted(native_generators.SUBMODULES))
@pytest.mark.parametrize('first', ['generators', 'native_generators'])
def test_a_submodule_is_one_module(name: str, first: str, tmp_path: Path) -> None:
    other = {'generators', 'native_generators'} - {first}
    code = (
        f'import {first}; one = {first}.{name}\n'
        f'import {other.pop()} as other; assert other.{name} is one\n'
        f'import generators.{name}, native_generators.{name}\n'
        f'assert generators.{name} is native_generators.{name} is one\n'
        f'from generators import {name}; assert {name} is one\n'
    )
    done = run(code, tmp_path)
    assert (done.returncode, done.stderr) == (0, '')


@pytest.mark.parametrize('package', [generators, native_generators])
def test_a_name_that_is_not_there(package: object) -> None:
    with pytest.raises(AttributeError, match=r"module '\w*generators' has no attribute 'nothing'"):
        package.nothing  # type: ignore[attr-defined]  # noqa: B018


def test_submodules_are_not_loaded_before_they_are_used(tmp_path: Path) -> None:
    code = 'import generators, sys; print([n for n in sys.modules if n.endswith(".csv")])'
    assert run(code, tmp_path).stdout == '[]\n'


def test_importing_it_loads_no_module_that_takes_long(tmp_path: Path) -> None:
    slow = 'asyncio csv dataclasses datetime decimal inspect json re threading typing'
    # Coverage of a child begins before, with modules of its own.
    code = 'import sys; before = set(sys.modules); import generators; '
    code += f'print(sorted((set(sys.modules) - before) & set({slow!r}.split())))'
    done = run(code, tmp_path, PYTHONSAFEPATH='1')
    assert done.stdout == '[]\n'


@pytest.mark.parametrize('package', ['generators', 'native_generators'])
def test_names_that_are_loaded_late_are_listed(package: str, tmp_path: Path) -> None:
    code = f'import {package} as p; print(set(p.__all__) <= set(dir(p)), "csv" in dir(p))'
    code += f'\nfrom {package} import *; print(csv_split is p.csv_split, csv_split.__name__)'
    assert run(code, tmp_path).stdout == 'True True\nTrue csv_split\n'


def test_types_name_the_package_that_always_imports() -> None:
    for name, value in vars(_native).items():
        if isinstance(value, type):
            module = importlib.import_module(value.__module__)
            assert module.__name__.split('.')[0] == 'native_generators', name
            if not value.__name__.startswith('_'):
                assert getattr(module, value.__name__) is value


@pytest.mark.parametrize('package', ['generators', 'native_generators'])
def test_pickles_of_either_name_load(package: str) -> None:
    (row,) = generators.csv_rows([b'a\n1\n'], into=generators.CSVRow)
    pickled = pickle.dumps(row, protocol=0).replace(b'native_generators', package.encode())
    assert pickle.loads(pickled) == row


def test_a_module_of_the_programs_own_leaves_the_long_name(tmp_path: Path) -> None:
    (tmp_path / 'generators.py').write_text('mine = True\n')
    code = 'import generators, native_generators; print(generators.mine, native_generators.lines)'
    done = run(code, tmp_path)
    assert (done.stdout.split()[0], done.stderr) == ('True', '')


@pytest.mark.parametrize('package', ['generators', 'native_generators'])
def test_what_is_not_installed_is_said(package: str, tmp_path: Path) -> None:
    source = Path(importlib.import_module(package).__file__ or '').parent
    copy = tmp_path / package
    copy.mkdir()
    (copy / '__init__.py').write_text((source / '__init__.py').read_text('utf-8'), 'utf-8')
    command = [sys.executable, '-S', '-c', f'import {package}']
    environment = {k: v for k, v in os.environ.items() if k != 'PYTHONPATH'}
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 1
    assert 'pip install' in done.stderr.splitlines()[-1]
