"""Random dialects, text that is hostile to them, and cuts of it."""

from __future__ import annotations

from typing import Any, AnyStr

from hypothesis import strategies as st

from . import oracle

# Their UTF-8 forms have one, two, three and four bytes; the last has none, and yet may occur.
DELIMITERS = [
    ',',
    ',',
    ';',
    '\t',
    '|',
    ' ',
    '\0',
    'a',
    '1',
    '.',
    'é',
    '§',
    '€',
    '\u2028',
    '😀',
    '\udc80',
]
QUOTES = ['"', '"', "'", ' ', '\0', 'b', '1', '«', '“', '𝄞']
ESCAPES = [None, None, '\\', '\\', '^', ' ', '\0', 'n', 'ß', '†', '🜚']

# Cut down to one byte, each of these is a comma, a quote, a line feed, a return or a backslash.
ALIASES = [chr(page + ord(char)) for page in (0x100, 0x2200, 0x10000) for char in ',"\n\r\\']
# What str.splitlines() takes for line ends, and csv does not.
FALSE_LINE_ENDS = ['\x0b', '\x0c', '\x1c', '\x85', '\u2028', '\u2029']
# Two-byte characters of Shift JIS whose second byte is a backslash or a bar.
FALSE_BACKSLASHES = ['ソ', '表', 'ポ']
SURROGATES = ['\ud83d', '\udc80', '\udcff']
ORDINARY = ['x', 'yz', 'é', 'ж', '€', '\ufeff', '😀', '\x80', 'ÿ']
ODD_CHARACTERS = [*ALIASES, *FALSE_LINE_ENDS, *FALSE_BACKSLASHES, *SURROGATES, *ORDINARY]
ODD_TEXT = ''.join(ODD_CHARACTERS)
NUMBERS = ['1', '-2.5', '1e3', 'nan', '-0', 'inf', '1_0', '٣', ' 7 ', '0x1']


@st.composite
def dialects(draw: st.DrawFn, **fixed: Any) -> dict[str, Any]:
    """Formatting parameters that pass 3.13's checks."""
    flag = st.booleans()
    parameters = {
        'delimiter': draw(st.sampled_from(DELIMITERS)),
        'quotechar': draw(st.sampled_from(QUOTES)),
        'escapechar': draw(st.sampled_from(ESCAPES)),
        'quoting': draw(st.sampled_from([0, 0, 1, 2, 3, 4, 5])),
        'doublequote': draw(flag),
        'skipinitialspace': draw(flag),
        'strict': draw(flag),
    } | fixed
    while not oracle.is_valid(**parameters):
        # Two of the three are the same character, or one is a skipped space: give one up.
        if parameters['escapechar'] is not None:
            parameters['escapechar'] = None
        else:
            parameters['quotechar'] = "'"
    return parameters


def pieces_for(dialect: dict[str, Any]) -> list[str]:
    """What hostile text of a dialect is made of: its own characters above all."""
    d = dialect['delimiter']
    q = dialect['quotechar'] or '"'
    e = dialect['escapechar'] or '\\'
    # Where an unquoted field must be a number most are, so that not every first row is an error.
    numeric = dialect['quoting'] in (oracle.QUOTE_NONNUMERIC, oracle.QUOTE_STRINGS)
    one, two, three = ('1', '-2.5', '3e2') if numeric else ('ab', 'é', '€uro')
    others = NUMBERS if numeric else [*NUMBERS[:2], *ODD_CHARACTERS]
    special = [d, q, '\n', e, '\r', '\r\n', ' ', '\0', q + d, d + q, q + '\n', q + q, e + '\n']
    regular = [
        one[0] * 63,
        one[0] * 64 + d,
        d * 65,
        '\n' * 66,
        '\r\n' * 33,
        ' ' * 70,
        q * 64,
        d.join([one, two, three, '4.5', '']) + '\n',
        (d.join([one, two, three]) + '\n') * 9,
        (d.join([one, '', two, three]) + '\r\n') * 12,
        (d.join([f'{q}ab{q}', f'{q}c{d}d{q}', one]) + '\n') * 8,
        (d.join([f'{q}a{q}{q}b{q}', f'{q}two\nlines{q}']) + '\n') * 5,
        q + 'long ' * 20 + d + '\n' + q + d,
        (d.join([one, three, f'{q}x{q}']) + '\n') * 7,
    ]
    return [one[0], *special * 5, *others, f'{q}{ODD_TEXT}{q}', *regular * 2]


def texts(dialect: dict[str, Any]) -> st.SearchStrategy[str]:
    short = st.lists(st.sampled_from(pieces_for(dialect))).map(''.join)
    return st.one_of(short, st.lists(short, max_size=12).map(''.join))


@st.composite
def dialects_and_texts(draw: st.DrawFn, **fixed: Any) -> tuple[dict[str, Any], str]:
    dialect = draw(dialects(**fixed))
    return dialect, draw(texts(dialect))


@st.composite
def dialects_and_items(draw: st.DrawFn) -> tuple[dict[str, Any], list[str]]:
    """Items that may hold line ends anywhere, or none."""
    dialect = draw(dialects())
    return dialect, draw(st.lists(texts(dialect), max_size=8))


@st.composite
def dialects_and_bytes(
    draw: st.DrawFn, encoding: str = 'utf-8', **fixed: Any
) -> tuple[dict[str, Any], bytes]:
    """Bytes that decode, and do not begin as a packed file does."""
    dialect, text = draw(dialects_and_texts(**fixed))
    raw = text.encode(encoding, 'ignore')
    if not encoding.startswith(('utf-16', 'utf-32')) and oracle.begins_packed(raw, encoding):
        raw = b'x' + raw
    return dialect, raw


BROKEN_UTF8 = [
    b'\xff',
    b'\x80',
    b'\xc3',
    b'\xc3\n',
    b'\xc0\x80',
    b'\xe2\x82',
    b'\xe2\x82,',
    b'\xed\xa0\x80',
    b'\xf0\x9f\x98',
    b'\xf4\x90\x80\x80',
    b'\xe0\x80\xaf',
]


@st.composite
def dialects_and_broken_bytes(
    draw: st.DrawFn, encoding: str = 'utf-8'
) -> tuple[dict[str, Any], bytes]:
    """Bytes that mostly do not decode, somewhere."""
    dialect, text = draw(dialects_and_texts())
    raw = text.encode(encoding, 'ignore')
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, 4000)) % (len(raw) + 1)
        raw = raw[:at] + draw(st.sampled_from(BROKEN_UTF8)) + raw[at:]
    # A torn byte order mark that is the whole file is dropped in silence by utf-8-sig.
    if oracle.begins_packed(raw, encoding) or raw in (b'\xef', b'\xef\xbb'):
        raw = b'x' + raw
    return dialect, raw


# Places to cut at, taken modulo the length; or one size for all pieces.
cuts = st.one_of(
    st.lists(st.integers(0, 4000), max_size=7),
    st.sampled_from([1, 2, 3, 7, 16, 31, 63, 64, 65, 127, 128]),
)


def cut(whole: AnyStr, places: list[int] | int) -> list[AnyStr]:
    """``whole`` in pieces, some of which may be empty."""
    if isinstance(places, int):
        return [whole[i : i + places] for i in range(0, len(whole), places)]
    ends = sorted(place % (len(whole) + 1) for place in places)
    return [whole[i:j] for i, j in zip([0, *ends], [*ends, len(whole)], strict=True)]
