"""tools/lint_c.py finds what it is for, and nothing where there is nothing."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

PATH = Path(__file__).parents[1] / 'tools' / 'lint_c.py'


@pytest.fixture(scope='module')
def tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location('lint_c', PATH)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules['lint_c'] = module  # where its dataclasses look
    spec.loader.exec_module(module)
    return module


class Folder:
    """A folder of C files, and what the tool says of one rule in it."""

    def __init__(self, tool: ModuleType, path: Path) -> None:
        self.tool = tool
        self.path = path

    def write(self, name: str, text: str) -> None:
        file = self.path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, 'utf-8')

    def found(self, rule: str) -> list[tuple[str, int, str]]:
        findings = self.tool.lint(self.path)
        return [(file, line, text) for file, line, found, text in findings if found == rule]

    def places(self, rule: str) -> list[tuple[str, int]]:
        return [(file, line) for file, line, _ in self.found(rule)]

    def body(self, rule: str, *lines: str) -> list[int]:
        """The lines of a function's body, counted from 1, with a finding."""
        self.write('aio/a.h', '')
        text = '\n'.join(['static int', 'f(a *self)', '{', *lines, '}', ''])
        self.write('aio/a.c', '#include "aio/a.h"\n' + text)
        return [line - 4 for _, line in self.places(rule)]


@pytest.fixture
def folder(tool: ModuleType, tmp_path: Path) -> Folder:
    return Folder(tool, tmp_path)


def test_the_command_says_nothing_of_what_is_right(
    tool: ModuleType, folder: Folder, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    folder.write('core/a.h', '')
    monkeypatch.setattr(sys, 'argv', ['lint_c.py', str(folder.path)])
    assert tool.main() == 0
    assert capsys.readouterr().out == ''


def test_the_command_says_where_and_fails(
    tool: ModuleType, folder: Folder, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    folder.write('core/a.c', '')
    monkeypatch.setattr(sys, 'argv', ['lint_c.py', str(folder.path)])
    assert tool.main() == 1
    assert f'{folder.path.name}/core/a.c:1: rooms: ' in capsys.readouterr().out


# ---- rooms ----


def test_the_table_of_rooms_has_no_circle(tool: ModuleType) -> None:
    for room in tool.ROOMS:
        assert room not in tool.below_room(room)


def test_a_file_may_include_its_own_room_and_lower_ones(folder: Folder) -> None:
    folder.write('core/a.h', '')
    folder.write('csv/row/b.h', '')
    folder.write(
        'csv/row/c.h', '#include "csv/row/b.h"\n#include "core/a.h"\n#include <Python.h>\n'
    )
    assert folder.found('rooms') == []


def test_a_file_may_not_include_a_higher_room(folder: Folder) -> None:
    folder.write('tasks/a.h', '')
    folder.write('aio/b.h', '/* two\nlines */\n#include "tasks/a.h"\n')
    ((file, line, message),) = folder.found('rooms')
    assert (file, line) == ('aio/b.h', 3)
    assert 'aio may not include tasks/a.h' in message


def test_a_file_may_not_include_a_room_beside_its_own(folder: Folder) -> None:
    folder.write('tasks/a.h', '')
    folder.write('events/b.h', '#include "tasks/a.h"\n')
    assert folder.places('rooms') == [('events/b.h', 1)]


def test_an_include_within_a_comment_is_none(folder: Folder) -> None:
    folder.write('tasks/a.h', '')
    folder.write('aio/b.h', '/*\n#include "tasks/a.h"\n*/\n// #include "tasks/a.h"\n')
    assert folder.found('rooms') == []


def test_core_is_plain_c(folder: Folder) -> None:
    folder.write('core/a.h', '#include <stddef.h>\n#include <Python.h>\n')
    assert folder.places('rooms') == [('core/a.h', 2)]


def test_a_circle_of_files_is_told_once_with_its_arrows(folder: Folder) -> None:
    folder.write('aio/a.h', '#include "aio/b.h"\n')
    folder.write('aio/b.h', '#include "aio/c.h"\n')
    folder.write('aio/c.h', '\n#include "aio/a.h"\n')
    ((_, _, message),) = folder.found('rooms')
    for arrow in ('aio/a.h:1 includes aio/b', 'aio/c.h:2 includes aio/a'):
        assert arrow in message


def test_a_c_file_and_its_header_are_one_in_a_circle(folder: Folder) -> None:
    folder.write('aio/a.h', '')
    folder.write('aio/a.c', '#include "aio/a.h"\n#include "aio/b.h"\n')
    folder.write('aio/b.h', '#include "aio/a.h"\n')
    assert len(folder.found('rooms')) == 1


def test_files_that_both_include_a_third_are_no_circle(folder: Folder) -> None:
    folder.write('aio/a.h', '#include "aio/c.h"\n')
    folder.write('aio/b.h', '#include "aio/c.h"\n#include "aio/a.h"\n')
    folder.write('aio/c.h', '')
    assert folder.found('rooms') == []


def test_each_c_file_has_a_header_but_the_module(folder: Folder) -> None:
    folder.write('aio/a.c', '')
    folder.write('aio/b.c', '')
    folder.write('aio/b.h', '')
    folder.write('module.c', '')
    assert folder.places('rooms') == [('aio/a.c', 1)]


def test_a_function_is_declared_in_the_header_of_its_own_file(folder: Folder) -> None:
    folder.write('aio/a.h', 'int a_of(int (*how)(int x));\nint b_of(void);\nDECLARES(b_of);\n')
    folder.write('aio/a.c', 'int\na_of(int (*how)(int x))\n{\n    return how(1);\n}\n')
    folder.write('aio/b.h', '')
    folder.write('aio/b.c', 'int\nb_of(void)\n{\n    return 1;\n}\n')
    assert folder.places('rooms') == [('aio/a.h', 2)]


def test_a_file_outside_of_every_room_is_told(folder: Folder) -> None:
    folder.write('attic/a.h', '')
    assert folder.places('rooms') == [('attic/a.h', 1)]


# ---- drop ----


@pytest.mark.parametrize(
    'line',
    [
        'Py_XSETREF(self->gate, loop_future(loop));',
        'Py_SETREF(self->items[0], other(self, 1));',
        'Py_XSETREF(self->gate, (PyObject *)(is ? NULL : make(loop)));',
        'Py_SETREF(of(self)->gate, value);',
        'Py_CLEAR(of(self)->gate);',
    ],
)
def test_a_call_within_a_replaced_field_is_found(folder: Folder, line: str) -> None:
    assert folder.body('drop', 'int x = 1;', line) == [2]


@pytest.mark.parametrize(
    'line',
    [
        'Py_XSETREF(self->gate, gate);',
        'Py_XSETREF(self->gate, (gate *)Py_NewRef((PyObject *)gate));',
        'Py_SETREF(local, made(local));',
        'Py_SETREF(*local, made(*local));',
        'Py_CLEAR(self->gate);',
        '/* Py_XSETREF(self->gate, loop_future(loop)); */',
        'say("Py_XSETREF(self->gate, loop_future(loop))");',
    ],
)
def test_what_runs_no_code_within_it_is_not(folder: Folder, line: str) -> None:
    assert folder.body('drop', line) == []


def test_a_macro_is_looked_at_as_a_function_is(folder: Folder) -> None:
    folder.write('aio/a.h', '#define REPLACE(self, x) \\\n    Py_SETREF((self)->value, made(x))\n')
    assert folder.places('drop') == [('aio/a.h', 2)]


@pytest.mark.parametrize('drop', ['Py_DECREF(self->gate);', 'Py_XDECREF(self->gate);'])
def test_a_field_that_is_released_before_it_is_replaced_is_found(folder: Folder, drop: str) -> None:
    lines = ['if (self->gate != NULL) {', drop, '}', drop, 'f(self);', 'self->gate = NULL;']
    assert folder.body('drop', *lines) == [4]


def test_a_field_that_is_released_last_is_not(folder: Folder) -> None:
    lines = [
        'old = self->gate;',
        'self->gate = NULL;',
        'Py_DECREF(old);',
        'Py_DECREF(self->other);',
        'self->other_one = self->gate == NULL;',
        'if (x) { Py_DECREF(self->rest); }',
        'else { self->rest = NULL; }',
    ]
    assert folder.body('drop', *lines) == []


# ---- teardown ----


def teardown(folder: Folder, slot: str, body: str) -> list[tuple[str, int, str]]:
    folder.write('state.h', 'static inline state *\ngenerators_state_of(PyObject *op)\n{\n}\n')
    folder.write('aio/a.h', '#include "state.h"\n')
    slots = f'static PyType_Slot slots[] = {{\n    {{{slot}, (void *)gone}},\n}};\n'
    folder.write('aio/a.c', f'#include "aio/a.h"\n{body}{slots}')
    return folder.found('teardown')


ASKS = 'static int\ndrops(a *self)\n{\n    return generators_state_of(self)->x;\n}\n'
CALLS = 'static int\ngone(PyObject *op)\n{\n    return drops((a *)op);\n}\n'


@pytest.mark.parametrize('slot', ['Py_tp_clear', 'Py_tp_dealloc', 'Py_tp_traverse'])
def test_the_state_that_teardown_asks_for_is_found_with_the_way_there(
    folder: Folder, slot: str
) -> None:
    ((file, line, message),) = teardown(folder, slot, ASKS + CALLS)
    assert (file, line) == ('aio/a.c', 5)
    assert f'{slot.removeprefix("Py_")} gone() -> drops() in aio/a.c' in message


def test_the_state_that_others_ask_for_is_not(folder: Folder) -> None:
    assert teardown(folder, 'Py_tp_iternext', ASKS + CALLS) == []
    assert teardown(folder, 'Py_tp_clear', ASKS + CALLS.replace('drops', 'other')) == []


def test_a_static_function_of_another_file_is_not_meant(folder: Folder) -> None:
    folder.write('aio/b.h', '')
    folder.write('aio/b.c', ASKS)
    assert teardown(folder, 'Py_tp_clear', CALLS) == []


def test_a_function_of_another_file_is_followed(folder: Folder) -> None:
    folder.write('aio/b.h', 'int drops(a *self);\n')
    folder.write('aio/b.c', ASKS.replace('static ', ''))
    assert [file for file, _, _ in teardown(folder, 'Py_tp_clear', CALLS)] == ['aio/b.c']


KIND = """typedef struct {
    int flags, other[2];
    int (*step)(a *self);
    drop *release;
} kind;
"""
BY_KIND = 'static int\ngone(PyObject *op)\n{\n    return ((a *)op)->kind->release((a *)op);\n}\n'


@pytest.mark.parametrize('initializer', ['1, {1, 2}, NULL, drops', '.release = drops'])
def test_what_a_kind_points_to_is_followed(folder: Folder, initializer: str) -> None:
    kind = f'static const kind of_a = {{{initializer}}};\n'
    ((_, _, message),) = teardown(folder, 'Py_tp_clear', KIND + ASKS + BY_KIND + kind)
    assert 'gone() -> drops()' in message


def test_another_member_of_a_kind_is_not(folder: Folder) -> None:
    kind = 'static const kind of_a = {1, {1, 2}, drops, NULL};\n'
    assert teardown(folder, 'Py_tp_clear', KIND + ASKS + BY_KIND + kind) == []


def test_a_function_that_is_given_to_another_is_followed(folder: Folder) -> None:
    body = ASKS + CALLS.replace('drops((a *)op)', 'stream_run(op, drops)')
    assert len(teardown(folder, 'Py_tp_clear', body)) == 1


def test_a_module_may_ask_for_its_own_state(folder: Folder) -> None:
    body = 'static int\nmodule_clear(PyObject *m)\n{\n    return PyModule_GetState(m) != NULL;\n}\n'
    folder.write('module.c', body + 'PyModuleDef generators_module = {.m_clear = module_clear};\n')
    assert folder.found('teardown') == []


# ---- forgive ----


@pytest.mark.parametrize(
    'lines',
    [
        ['PyErr_Clear(); /* it says nothing */'],
        ['if (x == NULL) {', 'PyErr_Clear();', '}'],
        ['if (PyErr_ExceptionMatches(T)) {', 'return 1;', '}', 'PyErr_Clear();'],
        ['if (PyErr_ExceptionMatches(T)) {', 'f();', '}', 'else {', 'PyErr_Clear();', '}'],
        ['if (!PyErr_ExceptionMatches(T)) {', 'PyErr_Clear();', '}'],
        ['if (!PyErr_ExceptionMatches(T)) {', 'f();', '}', 'PyErr_Clear();'],
        ['if (!PyErr_ExceptionMatches(T)) { return; }', 'PyErr_Clear();', 'f();', 'PyErr_Clear();'],
        ['Py_XDECREF(PyErr_GetRaisedException());'],
        ['if (PyObject_HasAttrString(op, "x")) {', '}'],
    ],
)
def test_an_exception_that_is_cleared_unmatched_is_found(folder: Folder, lines: list[str]) -> None:
    assert len(folder.body('forgive', *lines)) == 1


@pytest.mark.parametrize(
    'lines',
    [
        ['if (PyErr_ExceptionMatches(T)) {', 'f();', 'PyErr_Clear();', '}'],
        ['if (x && PyErr_ExceptionMatches(T)) {', 'if (y) {', 'PyErr_Clear();', '}', '}'],
        ['if (!PyErr_ExceptionMatches(T)) {', 'return -1;', '}', 'PyErr_Clear();'],
        ['if (x == NULL || !PyErr_ExceptionMatches(T)) goto end;', 'PyErr_Clear();'],
        [
            'if (PyErr_ExceptionMatches(S) || !PyErr_ExceptionMatches(T)) { return; }',
            'PyErr_Clear();',
        ],
        ['if (!PyErr_ExceptionMatches(T)) {', 'f();', '}', 'else {', 'PyErr_Clear();', '}'],
        ['bool is = PyErr_ExceptionMatches(T);', 'if (is) {', 'PyErr_Clear();', '}'],
        ['for (int i = 0; i < 9 && PyErr_ExceptionMatches(T); i++) {', 'PyErr_Clear();', '}'],
        ['raising_forgive(T);'],
    ],
)
def test_one_that_was_matched_is_not(folder: Folder, lines: list[str]) -> None:
    assert folder.body('forgive', *lines) == []


# ---- private ----


@pytest.mark.parametrize(
    'line',
    [
        '_PyType_Lookup(type, name);',
        'PyUnstable_Object_IsUniquelyReferenced(op);',
        'return ((PyHeapTypeObject *)type)->x;',
        'return frame->ag_frame_state;',
        'return type->tp_version_tag;',
        'PyObject_GetAttrString(future, "_asyncio_future_blocking");',
        'flags = code->co_flags;',
    ],
)
def test_what_no_release_promises_is_found(folder: Folder, line: str) -> None:
    assert folder.body('private', line) == [1]


@pytest.mark.parametrize(
    'line',
    [
        '_PyTuple_Resize(&tuple, 1);',
        'PyObject_GetAttrString(type, "_fields");',
        'return type->tp_iternext;',
        'bool ag_closed = is_closed(self);',
        'PyObject_GetAttrString(op, "ag_frame");',
        '/* _PyType_Lookup() would do. */',
    ],
)
def test_what_is_documented_is_not(folder: Folder, line: str) -> None:
    assert folder.body('private', line) == []


def test_an_attribute_of_our_own_types_may_have_an_underscore(folder: Folder) -> None:
    folder.write('aio/a.h', '')
    folder.write('aio/a.c', 'PyMethodDef m[] = {\n    {"_woken", woken, METH_O, NULL},\n};\n')
    folder.write('aio/b.h', '#define WOKEN(op) PyObject_GetAttrString(op, "_woken")\n')
    assert folder.found('private') == []


def test_compat_h_may_use_all_of_it(folder: Folder) -> None:
    folder.write('compat.h', '#define NEW _Py_NewReference\n#define NAME "_get_running_loop"\n')
    folder.write('state.h', '#define NEW _Py_NewReference\n')
    assert folder.places('private') == [('state.h', 1)]


# ---- reading C ----


def test_what_either_branch_of_an_if_holds_is_read(folder: Folder) -> None:
    lines = ['#if A', 'PyErr_Clear();', '#elif B', 'f();', '#else', 'PyErr_Clear();', '#endif']
    assert folder.body('forgive', *lines) == [2, 6]


def test_branches_that_open_differently_are_read_as_the_first(folder: Folder) -> None:
    lines = ['#if A', 'if (x) {', '#else', 'if (y) {', '#endif', 'PyErr_Clear();', '}']
    assert folder.body('forgive', *lines, 'PyErr_Clear();') == [6, 8]
