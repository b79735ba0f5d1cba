"""tools/mutate.py changes lines of C, one at a time, and nothing that is no code."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

PATH = Path(__file__).parents[1] / 'tools' / 'mutate.py'

WITH_SOURCES = pytest.mark.skipif(
    not PATH.parents[1].joinpath('src', 'core').is_dir(), reason='only the package is here'
)


@pytest.fixture(scope='module')
def tool() -> ModuleType:
    pytest.importorskip('resource', reason='the tool limits its processes as Unix does')
    spec = importlib.util.spec_from_file_location('mutate', PATH)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules['mutate'] = module  # where its dataclasses look
    spec.loader.exec_module(module)
    return module


def changed(tool: ModuleType, line: str, kind: str = 'static int') -> list[str]:
    """What a line of a function's body is changed to."""
    text = f'{kind}\nf(a *self)\n{{\n    {line}\n}}\n'
    return [mutant.after.strip() for mutant in tool.mutants_of('src/a.c', text)]


@pytest.mark.parametrize(
    ('line', 'others'),
    [
        ('Py_CLEAR(self->item);', [';']),
        ('Py_VISIT(self->item);', [';']),
        ('generators_lock_take(self);', [';']),
        ('int x = a + b;', ['int x = a - b;']),
        ('self->x = y;', [';']),
        ('self->count++;', ['self->count--;']),
        ('return a <= b;', ['return a < b;']),
        ('return a && !b;', ['return a || !b;', 'return a && b;']),
        ('return 0;', ['return 1;', 'return -1;']),
        ('return -1;', ['return 0;']),
        ('return false;', ['return true;']),
        ('return NULL;', []),
        ('return Py_NewRef(x);', ['return (x);']),
        ('if (self->ended) {', ['if (!(self->ended)) {']),
        ('while (f(a)) {', ['while (!(f(a))) {']),
        ('if (a && b) {', ['if (a || b) {', 'if (!(a && b)) {']),
        ('read(self, 3);', [';', 'read(self, 4);']),
        ('break;', [';']),
        ('Py_BEGIN_CRITICAL_SECTION(op);', ['Py_BEGIN_CRITICAL_SECTION(&(PyObject){0});']),
        ('Py_END_CRITICAL_SECTION();', []),
        ('assert(a == b);', []),
        ('PyObject *x;', []),
        ('const char *text = "a && b + 1";', []),
        ("return byte == 'a';", ["return byte != 'a';"]),
        ('/* a && b, and 1 + 1 */', []),
    ],
)
def test_the_changes_of_a_line(tool: ModuleType, line: str, others: list[str]) -> None:
    assert sorted(changed(tool, line)) == sorted(others)


def test_null_is_none_where_an_object_is_returned(tool: ModuleType) -> None:
    assert changed(tool, 'return NULL;', 'static PyObject *') == ['return Py_NewRef(Py_None);']


WITHOUT_FUNCTIONS = """\
#include "a.h"

#define TWICE(x) \\
    ((x) + (x))

/* A comment with a
   call(); and 1 + 1 < 3 */
typedef struct {
    int count[1 + 1];
} a;

static const int table[] = {
    1 + 1,
};

PyDoc_STRVAR(doc, "f(a, b=1)\\n--\\n\\n"
                  "a && b; f();");

static PyMethodDef methods[] = {
    {"f", f, METH_O, doc},
    {NULL},
};
"""


def test_only_functions_are_changed(tool: ModuleType) -> None:
    assert list(tool.mutants_of('src/a.c', WITHOUT_FUNCTIONS)) == []


def test_a_mutant_is_named_by_its_function_and_not_by_its_line(tool: ModuleType) -> None:
    text = 'static int\nf(void)\n{\n    g();\n}\n\nint\nh(void)\n{\n    return x + y;\n}\n'
    keys = [mutant.key for mutant in tool.mutants_of('src/a.c', text)]
    assert keys == [
        ('src/a.c', 'f', 'g();', ';'),
        ('src/a.c', 'h', 'return x + y;', 'return x - y;'),
    ]
    moved = tool.mutants_of('src/a.c', '/* more */\n\n' + text)
    assert [mutant.key for mutant in moved] == keys


def test_the_lot_gives_each_line_once_and_depends_on_its_seed(tool: ModuleType) -> None:
    body = ''.join(f'    x{i} = a + b - c;\n' for i in range(50))
    mutants = list(tool.mutants_of('src/a.c', f'int\nf(void)\n{{\n{body}}}\n'))
    assert len(mutants) == 150
    first, again, other = ([*tool.by_lot(mutants, seed)] for seed in (1, 1, 2))
    assert first == again
    assert first != other
    assert len({mutant.line for mutant in first}) == len(first) == 50


def test_lines_within_an_if_of_the_preprocessor(tool: ModuleType) -> None:
    text = 'a\n#if X\nb\n#ifdef Y\nc\n#endif\n#else\nd\n#endif\ne\n'
    assert tool.conditional(text) == {3, 5, 7, 8}


@WITH_SOURCES
def test_the_list_of_equivalent_mutants_is_in_order(tool: ModuleType) -> None:
    """Each has a reason, and is a change that the tool makes to what stands in src/."""
    for (file, function, before, after), reason in tool.explained(tool.LIST.read_text()).items():
        text = (tool.ROOT / file).read_text('utf-8')
        made = {mutant.key for mutant in tool.mutants_of(file, text)}
        assert (file, function, before, after) in made, f'{file} {function}: {before}'
        assert reason


def test_a_mutant_without_a_reason_is_refused(tool: ModuleType) -> None:
    good = '# note\n\nsrc/a.c f\n- x = 1;\n+ x = 2;\nIt is set\nagain.\n'
    assert tool.explained(good) == {('src/a.c', 'f', 'x = 1;', 'x = 2;'): 'It is set again.'}
    with pytest.raises(ValueError, match='not a mutant with its reason'):
        tool.explained('src/a.c f\n- x = 1;\n+ x = 2;\n')


@WITH_SOURCES
def test_every_room_has_tests_and_names(tool: ModuleType) -> None:
    rooms = {tool.room_of(name) for name in tool.sources_of(tool.ROOT)}
    assert rooms == set(tool.ROOMS)
    for room in tool.ROOMS.values():
        for name in f'{room.tests} {room.others}'.split():
            assert (tool.ROOT / 'tests' / name).is_dir(), name
        assert room.names


def test_what_failed_is_read_from_pytest(tool: ModuleType) -> None:
    output = 'x\nFAILED tests/a/test_b.py::test_c[d e] - assert 1\n1 failed\n'
    assert tool.killer(tool.Run(1, output, 0.1)) == 'tests/a/test_b.py::test_c'
    assert tool.killer(tool.Run(0, '', 0.1)) == ''
    crash = 'Current thread:\n  File "/x/tests/a/test_b.py", line 9 in test_c\n'
    assert tool.killer(tool.Run(-11, crash, 0.1)) == 'tests/a/test_b.py::test_c: signal 11'
    assert tool.killer(tool.Run(tool.TOO_LONG, '', 0.1)) == 'pytest: too long'


def test_the_summary_counts_by_room(tool: ModuleType) -> None:
    row = {'file': 'src/core/a.c', 'function': 'f', 'line': 7, 'before': 'a', 'after': 'b'}
    rows = [
        {**row, 'outcome': 'killed'},
        {**row, 'outcome': 'survived'},
        {**row, 'outcome': 'equivalent'},
        {**row, 'outcome': 'survived', 'after': 'c'},
        {**row, 'outcome': 'killed', 'file': 'src/csv/row/b.c'},
    ]
    told = tool.summary(rows, {('src/core/a.c', 'f', 'a', 'c'): 'why'}).splitlines()
    assert told[1].split() == ['core', '1', '1', '2', '50', '%']
    assert told[2].split() == ['csv/row', '1', '0', '0', '100', '%']
    assert told[3].split() == ['all', '2', '1', '2', '67', '%']
    assert told[5:] == ['src/core/a.c:7 f', '- a', '+ b']
