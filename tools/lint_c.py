"""Check what a compiler does not check in the C of src/.

    python tools/lint_c.py [FOLDER]

rooms      An include from a lower room to a higher one, a circle of files, a .c file without a .h
           file of its own, a function that is declared in the header of another file.
drop       A field that is replaced by a call within Py_SETREF and the like: the old value is read
           before the call runs code.  A field whose value is released before it is replaced.
teardown   The state of the module asked for from tp_clear, tp_dealloc or tp_traverse: a collection
           may have cleared the type.
forgive    An exception that is cleared although it was matched with nothing.
private    A name or layout that no release of CPython promises, outside compat.h.

It reads tokens and not types.  Macros are not expanded, but their bodies are checked and followed
as those of functions.
"""

import re
import sys
from collections import defaultdict, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

# What each room stands on; it may also include what those stand on.  A file beside the rooms is a
# room by itself.
ROOMS = {
    'core': '',
    'compat.h': 'core',
    'state.h': 'compat.h',
    'runtime': 'state.h',
    'aio': 'runtime',
    'stream': 'aio',
    'source': 'stream',
    'csv/parse': 'source',
    'csv/row': 'csv/parse',
    'csv/rows': 'csv/row',
    'csv/split': 'csv/parse',
    'csv/sniff': 'state.h',
    'csv/batches': 'csv/rows arrow',
    'csv/schema': 'csv/batches',
    'chunks': 'source',
    'sse': 'source',
    'arrow': 'source',
    'csv/write': 'csv/row chunks arrow',
    'text': 'source chunks',
    'csv/module': 'csv/rows csv/write',
    'bridge': 'source',
    'broadcast': 'stream',
    'events': 'source',
    'tasks': 'source',
    'module.c': 'csv/module csv/schema csv/split csv/sniff sse text bridge broadcast events tasks',
}
WITHOUT_HEADER = {'module.c'}

# Calls within Py_SETREF and its like that can run no code.
HARMLESS = {
    *('Py_NewRef', 'Py_XNewRef', 'sizeof', 'offsetof', 'PyTuple_GET_ITEM', 'PyList_GET_ITEM'),
    *('PyBytes_AS_STRING', 'PyBytes_GET_SIZE', 'PyTuple_GET_SIZE', 'PyList_GET_SIZE'),
}
REPLACING = {'Py_SETREF', 'Py_XSETREF'}
DROPPING = {'Py_DECREF', 'Py_XDECREF'}
DROPPED_EXCEPTION = {f'{name}(PyErr_GetRaisedException' for name in DROPPING}

TEARDOWN_SLOT = re.compile(r'(?:Py_)?(tp_(?:clear|dealloc|traverse))$')
ASKS_STATE = re.compile(
    r'generators_state_of\w*$|PyModule_GetState$|PyType_Get(ModuleState|Module|ModuleByDef)$'
)

MATCHES = {'PyErr_ExceptionMatches', 'PyErr_GivenExceptionMatches'}
# Functions of CPython that clear whatever is raised within them, and what to use.
SWALLOWS = {
    'PyObject_HasAttr': 'attributes_has()',
    'PyObject_HasAttrString': 'attributes_has()',
    'PyMapping_HasKey': 'PyObject_GetItem()',
    'PyMapping_HasKeyString': 'PyMapping_GetItemString()',
    'PyDict_GetItem': 'PyDict_GetItemWithError()',
    'PyDict_GetItemString': 'PyDict_GetItemWithError()',
}

# Documented in spite of the underscore.
DOCUMENTED = {'_PyTuple_Resize', '_PyBytes_Resize', '_Py_NoneStruct', '_Py_HashPointer'}
PRIVATE_NAME = re.compile(
    r'_Py\w+$|PyUnstable_\w+$|PyFrame_New$|PyDescr_(TYPE|NAME)$'
    r'|Py(ASCII|CompactUnicode|Unicode|BaseException|StopIteration|HeapType|Long|Dict|Set|Method'
    r'|CFunction|Function|Module|\w*Descr)Object$'
)
PRIVATE_FIELD = re.compile(
    r'(ag|gi|cr|ht|co|m_ml|ob|ma)_\w+$|coroutine_origin_tracking_depth$'
    r'|tp_(version_tag|cache|subclasses|weaklist)$'
)
PRIVATE_ATTRIBUTE = re.compile(r'"(_[a-z]\w*)"$')
DOCUMENTED_ATTRIBUTES = {
    *('_fields', '_field_defaults', '_make', '_replace', '_asdict'),  # of a named tuple
    *('_enter_task', '_leave_task'),  # of asyncio
}


class Token(NamedTuple):
    text: str
    line: int


class Finding(NamedTuple):
    file: str
    line: int
    rule: str
    message: str


@dataclass
class Function:
    file: str
    name: str
    line: int
    static: bool
    body: list[Token]
    macro: bool = False


class Value(NamedTuple):
    """A function that a member of a structure points to."""

    type: str  # '' where it is not known
    member: str  # or its position
    function: str


@dataclass
class File:
    name: str
    includes: list[Token] = field(default_factory=list)  # "..." or <...>
    tokens: list[Token] = field(default_factory=list)
    functions: list[Function] = field(default_factory=list)  # and macros
    declared: list[Token] = field(default_factory=list)
    members: dict[str, list[str]] = field(default_factory=dict)  # of the structures defined here
    values: list[Value] = field(default_factory=list)
    slots: list[tuple[str, Token]] = field(default_factory=list)  # of teardown: slot, function

    @property
    def unit(self) -> str:
        """A .c file and its header are one."""
        return self.name.removesuffix('.c').removesuffix('.h')


# ---- reading C ----

TOKEN = re.compile(
    r"""(?P<space>(?:[ \t\r\f]|/\*.*?\*/|//[^\n]*|\\\n)+|\n)
    |(?P<directive>(?<![^\n])[ \t]*\#(?:\\\n|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|[^\n])*)
    |"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])+'|[A-Za-z_]\w*|\.?\d(?:[eEpP][+-]|[\w.])*
    |->|\+\+|--|&&|\|\||<<=?|>>=?|[<>=!+\-*/%&|^]=|\.\.\.|.""",
    re.DOTALL | re.VERBOSE,
)
WORD = re.compile(r'[A-Za-z_]\w*$')
KEYWORDS = {
    *(
        'if',
        'else',
        'for',
        'while',
        'do',
        'switch',
        'case',
        'default',
        'return',
        'break',
        'continue',
    ),
    *(
        'goto',
        'sizeof',
        'typedef',
        'struct',
        'union',
        'enum',
        'static',
        'extern',
        'inline',
        'const',
    ),
    *('volatile', 'register', 'void', 'char', 'short', 'int', 'long', 'float', 'double', 'signed'),
    *('unsigned', 'bool', '_Bool', '_Alignof', '_Static_assert', 'defined'),
}
JUMPS = {'return', 'goto', 'break', 'continue'}
OPEN = {'(': ')', '[': ']', '{': '}'}
CLOSE = set(OPEN.values())


def is_word(text: str) -> bool:
    return WORD.match(text) is not None and text not in KEYWORDS


def tokenized(text: str, line: int = 1) -> Iterator[Token]:
    for match in TOKEN.finditer(text):
        if match['space'] is None:
            yield Token(match[0].lstrip(), line)
        line += match[0].count('\n')


def depth_of(token: Token) -> int:
    return (token.text in OPEN) - (token.text in CLOSE)


def closing(tokens: list[Token], start: int) -> int:
    """Where what opens at `start` closes; the end, if it does not."""
    depth = 0
    for i in range(start, len(tokens)):
        depth += depth_of(tokens[i])
        if depth == 0:
            return i
    return len(tokens)


def split(tokens: list[Token], separator: str, most: int = -1) -> list[list[Token]]:
    parts: list[list[Token]] = [[]]
    depth = 0
    for token in tokens:
        depth += depth_of(token)
        if token.text == separator and depth == 0 and most != 0:
            parts.append([])
            most -= 1
        else:
            parts[-1].append(token)
    return parts


def words_of(tokens: list[Token]) -> list[str]:
    return [token.text for token in tokens if is_word(token.text)]


def read_file(name: str, text: str) -> File:
    file = File(name)
    file.tokens = preprocessed(file, text)
    read_top(file)
    read_slots(file)
    return file


def preprocessed(file: File, text: str) -> list[Token]:
    """Of #if and #else, all branches are kept if each closes what it opens, or else the first."""
    kept: list[Token] = []
    stack: list[tuple[list[Token], list[list[Token]]]] = []
    for token in tokenized(text):
        directive = re.match(r'#\s*(\w*)', token.text)
        if directive is None:
            kept.append(token)
        elif directive[1] in ('if', 'ifdef', 'ifndef'):
            stack.append((kept, []))
            kept = []
        elif directive[1] in ('else', 'elif') and stack:
            stack[-1][1].append(kept)
            kept = []
        elif directive[1] == 'endif' and stack:
            before, branches = stack.pop()
            branches.append(kept)
            if any(sum(map(depth_of, branch)) for branch in branches):
                branches = branches[:1]
            kept = before + [token for branch in branches for token in branch]
        else:
            read_directive(file, token)
    return kept


def read_directive(file: File, token: Token) -> None:
    include = re.match(r'#\s*include\s*("[^"]*"|<[^>]*>)', token.text)
    if include:
        file.includes.append(Token(include[1], token.line))
    macro = re.match(r'#\s*define\s+(\w+)(\([^)]*\))?', token.text)
    if macro:
        line = token.line + macro[0].count('\n')
        body = list(tokenized(token.text[macro.end() :], line))
        file.functions.append(Function(file.name, macro[1], token.line, True, body, True))


def read_top(file: File) -> None:
    """What stands outside of functions."""
    tokens = file.tokens
    start = i = 0  # of the declaration, and in it
    while i < len(tokens):
        text = tokens[i].text
        if text == '(':
            end = closing(tokens, i)
            after = tokens[end + 1].text if end + 1 < len(tokens) else ''
            named = i > start and is_word(tokens[i - 1].text)
            if named and after == '{':
                start = i = read_function(file, start, i - 1, end + 1)
                continue
            if named and after == ';' and i - 1 > start and tokens[start].text != 'typedef':
                file.declared.append(tokens[i - 1])
            i = end
        elif text == '{':
            end = closing(tokens, i)
            read_aggregate(file, tokens[start:i], tokens[i + 1 : end], tokens[end + 1 : end + 2])
            i = end
        elif text == ';':
            start = i + 1
        i += 1


def read_function(file: File, start: int, name: int, opening: int) -> int:
    tokens = file.tokens
    end = closing(tokens, opening)
    static = any(token.text == 'static' for token in tokens[start:name])
    body = tokens[opening + 1 : end]
    file.functions.append(Function(file.name, *tokens[name], static, body))
    for i in range(len(body) - 4):  # self->member = function;
        before, member, assign, function, after = (token.text for token in body[i : i + 5])
        if before in ('->', '.') and assign == '=' and after == ';' and is_word(function):
            file.values.append(Value('', member, function))
    return end + 1


def read_aggregate(file: File, head: list[Token], body: list[Token], after: list[Token]) -> None:
    texts = [token.text for token in head]
    if '=' in texts:
        declared = split(split(head, '=')[0], '[')[0]
        names = words_of(declared)
        if len(names) >= 2:
            read_initializer(file, names[-2], body)
    elif 'struct' in texts:
        members = [name for part in split(body, ';') for name in members_of(part)]
        for name in words_of(head[-1:] + after):
            file.members[name] = members


def members_of(declaration: list[Token]) -> list[str]:
    for i, token in enumerate(declaration[:-1]):
        if token.text == '(' and declaration[i + 1].text == '*':
            return words_of(declaration[i + 2 : i + 3])
    names = []
    for one in split(declaration, ','):
        depth = 0
        words = []
        for token in one:
            depth += depth_of(token)
            if token.text == ':':
                break
            if depth == 0 and is_word(token.text):
                words.append(token.text)
        names += words[-1:]
    return names


def read_initializer(file: File, type_: str, body: list[Token]) -> None:
    for position, item in enumerate(split(body, ',')):
        words = words_of(item)
        if item and item[0].text == '{':
            read_initializer(file, type_, item[1:-1])
        elif words:
            member = words[0] if item[0].text == '.' else str(position)
            file.values.append(Value(type_, member, words[-1]))


def read_slots(file: File) -> None:
    """{Py_tp_clear, function} and .tp_clear = function"""
    tokens = file.tokens
    for i in range(1, len(tokens) - 2):
        slot = TEARDOWN_SLOT.match(tokens[i].text)
        if slot and tokens[i - 1].text == '{':
            item = tokens[i + 1 : closing(tokens, i - 1)]
            file.slots.append((slot[1], [t for t in item if is_word(t.text)][-1]))
        elif slot and tokens[i - 1].text == '.' and tokens[i + 1].text == '=':
            file.slots.append((slot[1], tokens[i + 2]))


# ---- all files ----


class Source:
    """The files of a folder, what is found in them, and what a name means in each."""

    def __init__(self, folder: Path) -> None:
        self.findings: list[Finding] = []
        self.files: dict[str, File] = {}
        for path in sorted(folder.rglob('*.[ch]')):
            name = path.relative_to(folder).as_posix()
            self.files[name] = read_file(name, path.read_text('utf-8'))
        self.reach = {name: self.reached_from(name) for name in self.files}
        self.defined: dict[str, list[Function]] = defaultdict(list)
        for file in self.files.values():
            for function in file.functions:
                self.defined[function.name].append(function)
        self.values = self.values_of_members()

    def tell(self, file: str, line: int, rule: str, message: str) -> None:
        self.findings.append(Finding(file, line, rule, message))

    def resolved(self, file: str, include: str) -> str | None:
        """The file of ours that is meant."""
        name = include[1:-1]
        beside = (Path(file).parent / name).as_posix()
        return next((one for one in (name, beside) if one in self.files), None)

    def reached_from(self, name: str) -> set[str]:
        """The file, and what it includes, directly or not."""
        seen = {name}
        waiting = [name]
        while waiting:
            current = waiting.pop()
            for include in self.files[current].includes:
                target = self.resolved(current, include.text)
                if target is not None and target not in seen:
                    seen.add(target)
                    waiting.append(target)
        return seen

    def values_of_members(self) -> dict[str, list[tuple[str, str, str]]]:
        """By member: the file of the structure ('' for any), the file that sets it, a function."""
        places = {name: file for file in self.files.values() for name in file.members}
        values: dict[str, list[tuple[str, str, str]]] = defaultdict(list)
        for file in self.files.values():
            for type_, member, function in file.values:
                place = places.get(type_)
                if place is not None:
                    names = place.members[type_]
                    if member.isdigit() and int(member) < len(names):
                        member = names[int(member)]
                    values[member].append((place.name, file.name, function))
                elif not type_:
                    values[member].append(('', file.name, function))
        return values

    def found(self, file: str, name: str) -> list[Function]:
        """What functions or macros that name means there."""
        functions = self.defined.get(name, [])
        here = [function for function in functions if function.file == file]
        included = [function for function in functions if function.file in self.reach[file]]
        return here or included or [function for function in functions if not function.static]

    # -- rooms --

    def check_rooms(self) -> None:
        below = {room: below_room(room) for room in ROOMS}
        edges: dict[str, dict[str, Token]] = defaultdict(dict)  # between units: file and line
        for file in self.files.values():
            room = room_of(file.name)
            if room is None:
                self.tell(file.name, 1, 'rooms', 'in no room: add it to ROOMS in tools/lint_c.py')
                continue
            for include in file.includes:
                target = self.resolved(file.name, include.text)
                if target is None:
                    self.check_foreign(file.name, room, include)
                    continue
                other = room_of(target)
                if other is not None and other != room and other not in below[room]:
                    message = f'{room} may not include {target}: {other} is not below it'
                    self.tell(
                        file.name,
                        include.line,
                        'rooms',
                        f'{message}; move what both need into a lower room',
                    )
                unit = self.files[target].unit
                if unit != file.unit:
                    edges[file.unit].setdefault(unit, Token(file.name, include.line))
            self.check_header(file)
        self.check_circles(edges)

    def check_foreign(self, name: str, room: str, include: Token) -> None:
        if include.text.startswith('"'):
            self.tell(name, include.line, 'rooms', f'no file {include.text} in src: write <...>')
        elif room == 'core' and include.text == '<Python.h>':
            self.tell(name, include.line, 'rooms', 'core is plain C, without Python.h')

    def check_header(self, file: File) -> None:
        header = file.unit + '.h'
        if header not in self.files and file.name not in WITHOUT_HEADER:
            message = f'no {header} with what others may use of it, and that alone'
            self.tell(file.name, 1, 'rooms', message)
        for name, line in file.declared:
            others = [f.file for f in self.defined.get(name, []) if not f.static]
            units = {self.files[other].unit for other in others}
            if units and file.unit not in units:
                message = f'{name}() is of {min(others)}: declare it in {min(units)}.h'
                self.tell(file.name, line, 'rooms', message)

    def check_circles(self, edges: dict[str, dict[str, Token]]) -> None:
        told: set[frozenset[str]] = set()
        for unit in sorted(edges):
            circle = shortest_circle(edges, unit)
            if circle is None or frozenset(circle) in told:
                continue
            told.add(frozenset(circle))
            first = edges[circle[0]][circle[1]]
            arrows = [(*edges[a][b], b) for a, b in pairwise(circle)]
            told_arrows = ', '.join(f'{file}:{line} includes {b}' for file, line, b in arrows)
            message = f'a circle of files: {told_arrows}; move what both need into a third'
            self.tell(first.text, first.line, 'rooms', message)

    # -- functions --

    def check_functions(self) -> None:
        for file in self.files.values():
            for function in file.functions:
                self.check_drops(function)
                self.check_forgiving(function)

    def check_drops(self, function: Function) -> None:
        for i, token in enumerate(function.body[:-1]):
            if function.body[i + 1].text != '(':
                continue
            inside = function.body[i + 2 : closing(function.body, i + 1)]
            if token.text in REPLACING:
                target = split(inside, ',')[0]
                calls = calls_in(inside)
                if calls and is_field(target):
                    message = (
                        f'{calls[0]}() within {token.text}({spelled(target)}, ...): the old value '
                        f'is read before the call runs code; make the new value first'
                    )
                    self.tell(function.file, token.line, 'drop', message)
            elif token.text == 'Py_CLEAR':
                calls = calls_in(inside)
                if calls:
                    message = f'{calls[0]}() within Py_CLEAR(): call it before, into a variable'
                    self.tell(function.file, token.line, 'drop', message)
            elif token.text in DROPPING and is_field(inside):
                self.check_dropped(function, i, inside)

    def check_dropped(self, function: Function, i: int, target: list[Token]) -> None:
        """Whether the same block goes on to replace what is dropped there."""
        body = function.body
        texts = [token.text for token in target]
        depth = 0
        for k in range(i + len(target) + 3, len(body) - len(target)):
            depth += depth_of(body[k])
            if depth < 0:
                return
            assigned = body[k + len(target)].text == '='
            if assigned and [token.text for token in body[k : k + len(target)]] == texts:
                message = (
                    f'{spelled(target)} is released before it is replaced in line '
                    f'{body[k].line}: read it, replace it, then release the old value'
                )
                self.tell(function.file, body[i].line, 'drop', message)
                return

    def check_forgiving(self, function: Function) -> None:
        body = function.body
        for i, token in enumerate(body[:-1]):
            if body[i + 1].text != '(':
                continue
            if token.text in SWALLOWS:
                message = f'{token.text}() clears any exception: use {SWALLOWS[token.text]}'
                self.tell(function.file, token.line, 'forgive', message)
            elif spelled(body[i : i + 3]) in DROPPED_EXCEPTION:
                message = 'an exception is dropped unmatched: use raising_forgive(type)'
                self.tell(function.file, token.line, 'forgive', message)
        for token in bare_clears(body):
            message = (
                'PyErr_Clear() of an exception that was matched with nothing: use '
                'raising_forgive(type), or raising_forgive_answer()'
            )
            self.tell(function.file, token.line, 'forgive', message)

    # -- teardown --

    def check_teardown(self) -> None:
        """Each place where the state is asked for is told once, by the shortest way to it."""
        waiting: deque[tuple[Function, list[str]]] = deque()
        seen: set[int] = set()
        for file in self.files.values():
            for slot, token in file.slots:
                for function in self.found(file.name, token.text):
                    if id(function) not in seen:
                        seen.add(id(function))
                        waiting.append((function, [f'{slot} {function.name}()']))
        while waiting:
            function, path = waiting.popleft()
            for name, line, targets in self.calls(function):
                if ASKS_STATE.match(name):
                    message = (
                        f'{name}() is reached from {" -> ".join(path)}, when a collection may have '
                        f'cleared the type; hold in the object what is needed then'
                    )
                    self.tell(function.file, line, 'teardown', message)
                    continue
                for target in targets:
                    if id(target) not in seen:
                        seen.add(id(target))
                        waiting.append((target, [*path, f'{target.name}() in {target.file}']))

    def calls(self, function: Function) -> Iterator[tuple[str, int, list[Function]]]:
        """What it calls, by name or by a member, and what it gives to others to call."""
        body = function.body
        for i, (text, line) in enumerate(body):
            if not is_word(text):
                continue
            called = i + 1 < len(body) and body[i + 1].text == '('
            before = body[i - 1].text if i else ''
            if before in ('->', '.'):
                if called:
                    yield text, line, self.members_called(function.file, text)
            elif called:
                yield text, line, self.found(function.file, text)
            elif before in ('(', ','):
                given = self.found(function.file, text)
                yield text, line, [one for one in given if not one.macro]

    def members_called(self, file: str, member: str) -> list[Function]:
        return [
            function
            for place, setter, name in self.values.get(member, [])
            if not place or place in self.reach[file]
            for function in self.found(setter, name)
        ]

    # -- private names --

    def check_private(self) -> None:
        ours = {name for file in self.files.values() for name in named_in_tables(file.tokens)}
        for file in self.files.values():
            if file.name == 'compat.h':
                continue
            bodies = [function.body for function in file.functions if function.macro]
            for tokens in (file.tokens, *bodies):
                for i, token in enumerate(tokens):
                    is_member = i > 0 and tokens[i - 1].text in ('->', '.')
                    if is_private(token.text, is_member) and token.text not in ours:
                        message = (
                            f'{token.text} is promised by no release of CPython: use it in '
                            f'compat.h alone, with a public way beside it'
                        )
                        self.tell(file.name, token.line, 'private', message)


# ---- parts of the rules ----


def room_of(name: str) -> str | None:
    if '/' not in name:
        return name if name in ROOMS else None
    folder = name.rpartition('/')[0]
    while folder and folder not in ROOMS:
        folder = folder.rpartition('/')[0]
    return folder or None


def below_room(room: str) -> set[str]:
    direct = set(ROOMS[room].split())
    return direct.union(*map(below_room, direct))


def shortest_circle(edges: dict[str, dict[str, Token]], start: str) -> list[str] | None:
    waiting = deque([[start]])
    seen: set[str] = set()
    while waiting:
        path = waiting.popleft()
        for unit in sorted(edges.get(path[-1], {})):
            if unit == start:
                return [*path, start]
            if unit not in seen:
                seen.add(unit)
                waiting.append([*path, unit])
    return None


def spelled(tokens: list[Token]) -> str:
    return ''.join(token.text for token in tokens)


def is_field(target: list[Token]) -> bool:
    """Whether others can reach the place.  What *name is, is most often a caller's variable."""
    return any(token.text in ('->', '[') for token in target)


def calls_in(tokens: list[Token]) -> list[str]:
    return [
        name.text
        for name, after in pairwise(tokens)
        if after.text == '(' and is_word(name.text) and name.text not in HARMLESS
    ]


def named_in_tables(tokens: list[Token]) -> Iterator[str]:
    """Attributes of our own types that begin with an underscore: {"_name", ...}."""
    for i in range(1, len(tokens) - 1):
        in_table = tokens[i - 1].text == '{' and tokens[i + 1].text == ','
        if in_table and PRIVATE_ATTRIBUTE.match(tokens[i].text):
            yield tokens[i].text


def is_private(text: str, is_member: bool) -> bool:
    attribute = PRIVATE_ATTRIBUTE.match(text)
    if attribute:
        return attribute[1] not in DOCUMENTED_ATTRIBUTES
    if is_member:
        return PRIVATE_FIELD.match(text) is not None
    return PRIVATE_NAME.match(text) is not None and text not in DOCUMENTED


@dataclass
class Block:
    head: list[Token]
    matched: bool = False  # what is no match has left it
    jumps: bool = False  # its last statement leaves it
    last: list[Token] = field(default_factory=list)  # the head of the block in it that closed last


def bare_clears(body: list[Token]) -> Iterator[Token]:
    """Each PyErr_Clear() that neither is in an `if` that there is a match, nor comes after one
    that leaves if there is none.
    """
    names = MATCHES | matched_names(body)
    blocks = [Block([])]
    start = depth = 0  # of the statement, and in its parentheses
    for i, token in enumerate(body):
        statement = body[start:i]
        block = blocks[-1]
        depth += (token.text == '(') - (token.text == ')')
        if token.text == '{':
            blocks.append(Block(condition(block, statement)))
            start = i + 1
        elif token.text == '}' and len(blocks) > 1:
            blocks.pop()
            outer = blocks[-1]
            outer.matched |= block.jumps and 'not' in asked(block.head, names)
            outer.last = block.head
            outer.jumps = False
            start = i + 1
        elif token.text == ';' and depth == 0:
            block.jumps = any(t.text in JUMPS for t in statement)
            if statement and statement[0].text == 'if' and block.jumps:
                block.matched |= 'not' in asked(statement, names)
                block.jumps = False
            start = i + 1
        elif token.text == 'PyErr_Clear':
            heads = [statement, *(block.head for block in blocks)]
            is_matched = any('is' in asked(head, names) for head in heads) or any(
                block.matched for block in blocks
            )
            for block in blocks:
                block.matched = False
            if not is_matched:
                yield token


def condition(outer: Block, head: list[Token]) -> list[Token]:
    """What holds within a block; within that of an `else`, what the `if` asked does not."""
    if [token.text for token in head] == ['else'] and 'not' in asked(outer.last, MATCHES):
        return [token for token in outer.last if token.text != '!']
    return head


def matched_names(body: list[Token]) -> set[str]:
    """Variables that say whether there was a match."""
    names = set()
    for i, token in enumerate(body):
        if token.text == '=' and i and is_word(body[i - 1].text):
            end = next((k for k in range(i, len(body)) if body[k].text == ';'), len(body))
            if 'is' in asked(body[i:end], MATCHES):
                names.add(body[i - 1].text)
    return names


def asked(tokens: list[Token], names: set[str]) -> set[str]:
    """Of 'is' and 'not': whether it asks for a match, and whether it asks for none."""
    return {
        'not' if i and tokens[i - 1].text == '!' else 'is'
        for i, token in enumerate(tokens)
        if token.text in names
    }


def lint(folder: Path) -> list[Finding]:
    source = Source(folder)
    source.check_rooms()
    source.check_functions()
    source.check_teardown()
    source.check_private()
    return sorted(set(source.findings))


OPEN_FINDINGS = Path(__file__).with_suffix('.open')


def name_of(folder: Path, finding: Finding) -> str:
    """A finding without its lines, which move."""
    file, _, rule, message = finding
    return re.sub(r':\d+', '', f'{folder.name}/{file}: {rule}: {message}')


def main() -> int:
    """Print what is found, but for what lint_c.open lists: findings of before this tool, which are
    taken out of there as they are mended.  One that is listed and mended is a failure, too.
    """
    given = sys.argv[1:]
    folder = Path(given[0]) if given else Path(__file__).resolve().parents[1] / 'src'
    known = set() if given else set(OPEN_FINDINGS.read_text().splitlines())
    findings = lint(folder)
    new = [finding for finding in findings if name_of(folder, finding) not in known]
    mended = known - {name_of(folder, finding) for finding in findings}
    for file, line, rule, message in new:
        print(f'{folder.name}/{file}:{line}: {rule}: {message}')
    for name in sorted(mended):
        print(f'mended, take it out of {OPEN_FINDINGS.name}: {name}')
    if new or mended:
        print(f'{len(new)} findings, {len(mended)} mended')
    return 1 if new or mended else 0


if __name__ == '__main__':
    sys.exit(main())
