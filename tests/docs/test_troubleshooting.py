"""docs/troubleshooting.md has an entry for each message that the tests of errors cause."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from generators import CSVError, csv_rows
from tests.csv.test_errors_table import TABLE
from tests.docs import causes
from tests.source.test_refused import BEGINNINGS
from tests.stream import test_refusals as refusals

PAGE = Path(__file__).parents[2] / 'docs' / 'troubleshooting.md'
if not PAGE.exists():
    pytest.skip('docs/ is not beside the tests', allow_module_level=True)
TITLES = re.findall(r'^### (?:``(.*)``|`(.*)`)$', PAGE.read_text('utf-8'), re.M)
PATTERNS = ['.*'.join(map(re.escape, (one or two).strip().split('…'))) for one, two in TITLES]
# Behind the message of an error of data, in round brackets.
PLACE = re.compile(r' \((?:(?:record|line|byte) \d+, )*(?:record|line|byte) \d+.*\)$', re.S)


def has_entry(message: str) -> bool:
    message = PLACE.sub('', message)
    return any(re.fullmatch(pattern, message, re.S) for pattern in PATTERNS)


def message_of(call: Callable[[], object]) -> str:
    with pytest.raises((ValueError, TypeError)) as caught:
        call()
    return str(caught.value)


@pytest.mark.parametrize('mistake', TABLE)
def test_a_mistake_in_reading_has_an_entry(mistake: str) -> None:
    message = message_of(TABLE[mistake][0])
    assert has_entry(message), message


@pytest.mark.parametrize('data', BEGINNINGS)
def test_a_file_that_is_no_text_has_an_entry(data: bytes) -> None:
    with pytest.raises(CSVError) as caught:
        list(csv_rows(data))
    assert has_entry(str(caught.value)), str(caught.value)


REFUSED: list[Any] = refusals.test_what_else_is_refused.pytestmark[0].args[1]  # type: ignore[attr-defined]


@pytest.mark.parametrize('refused', [call for call, _ in REFUSED])
def test_an_argument_that_is_refused_has_an_entry(refused: Callable[[], object]) -> None:
    message = message_of(refused)
    assert has_entry(message), message


@pytest.mark.parametrize('name', [*refusals.SYNC, *refusals.ASYNC])
def test_a_source_of_the_other_kind_has_an_entry(name: str) -> None:
    source = refusals.items() if name in refusals.SYNC else refusals.rows()
    message = message_of(lambda: refusals.make(name, source))
    assert has_entry(message), message


@pytest.mark.parametrize('call', causes.CALLS, ids=causes.NAMES)
def test_a_mistake_with_events_has_an_entry(call: Callable[[], object]) -> None:
    with pytest.raises(Exception) as caught:
        call()
    assert has_entry(str(caught.value)), repr(caught.value)


@pytest.mark.parametrize('arguments', causes.COMMANDS, ids=' '.join)
def test_what_the_command_line_refuses_has_an_entry(arguments: list[str], tmp_path: Path) -> None:
    message = causes.said_by(arguments, tmp_path)
    assert has_entry(message), message


def test_what_is_no_message_has_none() -> None:
    assert not has_entry('nothing that is ever said')


def test_each_entry_says_something() -> None:
    parts = re.split(r'(?:^### .*\n\n)+', PAGE.read_text('utf-8'), flags=re.M)[1:]
    assert len(parts) > 30
    assert all(len(part.split('\n')[0]) > 15 for part in parts)
