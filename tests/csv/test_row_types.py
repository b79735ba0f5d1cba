"""``into=CSVRow`` with ``types`` and ``columns``: checked when made, text when asked for."""

from __future__ import annotations

import csv
import datetime as dt
import fractions
import gc
import pickle
import sys
import threading
import uuid
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generators import CSVError, CSVRow, csv_rows

from .strategies import cut, cuts

NOT_NULL = 5  # csv.QUOTE_NOTNULL, which 3.11 lacks
DATA = b'id,name,price,day\n1,Ann,1.5,2024-01-02\n2,"B, ""C""",,2024-02-03\n'
TYPES = {'id': int, 'price': float, 'day': dt.date}
ROWS = [(1, 'Ann', 1.5, dt.date(2024, 1, 2)), (2, 'B, "C"', None, dt.date(2024, 2, 3))]


def look(row: CSVRow[Any]) -> list[Any]:
    """The same by each way of looking."""
    values = tuple(row)
    assert [row[i] for i in range(len(row))] == list(values)
    assert [row[i - len(row)] for i in range(len(row))] == list(values)
    names = row.keys()
    assert [row[name] for name in names] == list(values)
    assert dict(row) == dict(zip(names, values, strict=True))
    assert row == values == row[:]
    assert hash(row) == hash(values)
    assert pickle.loads(pickle.dumps(row)) == row
    return list(map(repr, values))


FIELDS = st.tuples(
    st.integers(-(2**70), 2**70).map(str) | st.just(''),
    st.text('aé😀", \n', max_size=9),
    st.floats(allow_nan=False).map(repr) | st.sampled_from(['', 'NA']),
    st.text('aж\r', max_size=40),
    st.dates().map(str),
)


@given(
    records=st.lists(FIELDS, max_size=6),
    chosen=st.permutations(range(5)).flatmap(lambda p: st.integers(0, 5).map(lambda n: p[:n])),
    typed=st.sets(st.sampled_from([0, 2, 4])),
    places=cuts,
    encoding=st.sampled_from(['utf-8', 'utf-16', None]),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, NOT_NULL]),
)
def test_rows_are_the_tuples_of_the_same_columns_and_types(
    records: Any, chosen: Any, typed: Any, places: Any, encoding: str | None, quoting: int
) -> None:
    lines: list[str] = []
    writer = csv.writer(type('F', (), {'write': lambda self, line: lines.append(line)})())
    writer.writerow('abcde')
    writer.writerows(records)
    text = ''.join(lines)
    arguments: dict[str, Any] = {
        'columns': ['abcde'[i] for i in chosen],
        'types': {i: t for i, t in {0: int, 2: float, 4: dt.date}.items() if i in typed},
        'null': ['NA'],
        'header': True,
        'quoting': quoting,
        'encoding': encoding or 'utf-8',
    }
    if encoding is None:
        pieces: Any = cut(text, places)
        arguments['items'] = 'chunks'
    else:
        pieces = cut(text.encode(encoding), places)
        arguments['items'] = 'chunks'
    expected = [list(map(repr, row)) for row in csv_rows(iter(pieces), into=tuple, **arguments)]
    assert [look(row) for row in csv_rows(iter(pieces), into=CSVRow, **arguments)] == expected
    kept = list(csv_rows(iter(pieces), into=CSVRow, **arguments))
    assert [look(row) for row in kept] == expected


def test_a_typed_field_is_its_value() -> None:
    row = next(csv_rows(DATA, into=CSVRow, types=TYPES))
    assert (row['id'], row['name'], row[2], row['day']) == ROWS[0]
    assert row[1:3] == ('Ann', 1.5)
    assert row['day'] is row[3]
    assert repr(row) == (
        "CSVRow({'id': 1, 'name': 'Ann', 'price': 1.5, 'day': datetime.date(2024, 1, 2)})"
    )


def test_kept_rows_of_a_reader_that_is_gone() -> None:
    rows = csv_rows([DATA[:30], DATA[30:]], into=CSVRow, types=TYPES)
    kept = list(rows)
    rows.close()
    del rows
    gc.collect()
    assert [tuple(row) for row in kept] == ROWS


def test_columns_choose_and_order() -> None:
    row = next(csv_rows(DATA, into=CSVRow, columns=['day', 0], types={'day': str.upper}))
    assert row.keys() == ('day', 'id')
    assert tuple(row) == ('2024-01-02', '1')
    with pytest.raises(KeyError):
        row['name']
    with pytest.raises(IndexError):
        row[2]
    assert [len(row) for row in csv_rows(DATA, into=CSVRow, columns=[])] == [0, 0]


@pytest.mark.parametrize('header', [True, False])
def test_indices_need_no_names(header: bool) -> None:
    data = b'1,2\n3,4\n'
    rows = csv_rows(data, into=CSVRow, header=header, columns=[1, 0], types={0: int})
    assert [tuple(row) for row in rows] == [('2', 1), ('4', 3)][header:]


def test_a_conversion_is_checked_when_the_row_is_made() -> None:
    rows = csv_rows(b'a,b\n1,2\n3,x\n', into=CSVRow, types={'b': int})
    assert next(rows)['b'] == 2
    with pytest.raises(CSVError) as caught:
        next(rows)
    error = caught.value
    assert (error.record, error.line, error.byte, error.column, error.text) == (3, 3, 10, 'b', 'x')
    assert isinstance(error.__cause__, ValueError)


def test_bad_records_are_skipped_or_handed_over() -> None:
    bad: list[Any] = []
    data = b'a,b\n1,2\n3,x\n4\n5,6\n'
    rows = csv_rows(
        data, into=CSVRow, types={'b': int}, on_error=lambda error, raw: bad.append(raw)
    )
    assert [dict(row) for row in rows] == [{'a': '1', 'b': 2}, {'a': '5', 'b': 6}]
    assert (bad, rows.errors) == ([b'3,x\n', b'4\n'], 2)


def test_a_callable_is_called_once_for_each_row() -> None:
    seen: list[str] = []

    def double(text: str) -> int:
        seen.append(text)
        return 2 * int(text)

    rows = list(csv_rows(b'a\n1\n2\n', into=CSVRow, types={'a': double}))
    assert [row['a'] for row in rows] == [row[0] for row in rows] == [2, 4]
    assert seen == ['1', '2']


@pytest.mark.parametrize('value', [1, 1.5, 1j, 'x', b'x', None, True, Decimal('1.0')])
def test_what_a_row_may_hold(value: Any) -> None:
    row = next(csv_rows(b'a\nx\n', into=CSVRow, types={'a': lambda text: value}))
    assert row['a'] is value
    assert CSVRow([value], ['a']) == row


@pytest.mark.parametrize('make', [list, lambda text: fractions.Fraction(1, 3), uuid.UUID])
def test_what_could_be_part_of_a_cycle_is_refused(make: Any) -> None:
    data = b'a\n12345678123456781234567812345678\n'
    with pytest.raises(CSVError, match='a CSVRow may hold'):
        list(csv_rows(data, into=CSVRow, types={'a': make}))
    with pytest.raises(CSVError, match='a CSVRow may hold'):
        list(csv_rows(data, into=CSVRow, types={'a': make}, quoting=NOT_NULL))
    with pytest.raises(TypeError):
        CSVRow([[]])


def test_null_and_empty() -> None:
    data = b'a,b,c\nNA,NA,NA\n"NA",,""\n'
    types = {'a': lambda text: text, 'b': int}
    rows = csv_rows(data, into=CSVRow, types=types, null=['NA'])
    assert [tuple(row) for row in rows] == [(None, None, 'NA'), ('NA', None, '')]


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        ({'columns': ['none']}, "no column 'none'"),
        ({'columns': [4]}, 'no column 4'),
        ({'types': {'none': int}}, "no column 'none'"),
        ({'columns': ['id', 'id']}, "the name 'id'"),
    ],
)
def test_what_the_names_rule_out(arguments: Any, message: str) -> None:
    with pytest.raises(CSVError, match=message):
        list(csv_rows(DATA, into=CSVRow, **arguments))


def test_names_that_are_not_chosen_may_be_twice_or_empty() -> None:
    rows = csv_rows(b'a,,b,b\n1,2,3,4\n', into=CSVRow, columns=['a', 0][:1])
    assert [dict(row) for row in rows] == [{'a': '1'}]


def test_records_have_a_field_for_each_column() -> None:
    rows = csv_rows(DATA, into=CSVRow, ragged='error')
    assert [len(row) for row in rows] == [4, 4]
    for ragged in ('allow', 'pad'):
        with pytest.raises(ValueError, match='a CSVRow has a field for each column'):
            csv_rows(DATA, into=CSVRow, ragged=ragged)
    with pytest.raises(CSVError, match='2 fields expected, but 1 found'):
        list(csv_rows(b'a,b\n1\n', into=CSVRow, types={'a': int}))


def test_a_checkpoint_goes_on_with_typed_rows(tmp_path: Path) -> None:
    path = tmp_path / 'data.csv'
    path.write_bytes(DATA)
    rows = csv_rows(path, into=CSVRow, types=TYPES)
    first = next(rows)
    again = csv_rows(path, into=CSVRow, types=TYPES, start=rows.checkpoint())
    assert [tuple(row) for row in [first, *again]] == ROWS


def test_what_it_holds_goes_with_it() -> None:
    kept: list[Any] = []
    value = Decimal('1.25')
    before = sys.getrefcount(value)
    for end in (b'', b'2\n' * 50_000):
        rows = csv_rows([b'a\n1\n', end], into=CSVRow, types={'a': lambda text: value})
        kept.extend(rows)
    assert sys.getrefcount(value) == before + len(kept)
    kept.clear()
    del rows
    gc.collect()
    assert sys.getrefcount(value) <= before + 1


def test_a_kept_row_costs_only_what_was_chosen() -> None:
    data = b'a,b,c\n' + b'12345,' + b'x' * 10_000 + b',yyy\n'
    (row,) = csv_rows(data, into=CSVRow, columns=['a', 'c'], types={'a': int})
    assert tuple(row) == (12345, 'yyy')
    assert row.__sizeof__() < 150
    (row,) = csv_rows(data, into=CSVRow, columns=['b'])
    assert 10_000 < row.__sizeof__() < 10_150


def test_nothing_leaks() -> None:
    def use() -> None:
        for quoting in (csv.QUOTE_MINIMAL, NOT_NULL):
            for source in (DATA, [DATA[:20], DATA[20:]]):
                kept = list(csv_rows(source, into=CSVRow, types=TYPES, quoting=quoting))
                for row in kept:
                    look(row)
        for data in (b'id,price\n1,2\nx,3\n', b'id,price\n1,x\n', b'id,price\n1\n', b'id,id\n'):
            with pytest.raises(CSVError):
                list(csv_rows(data, into=CSVRow, types={'id': int, 'price': float}))
        with pytest.raises(CSVError):
            list(csv_rows(DATA, into=CSVRow, types={'id': int, 'name': list}))

    def blocks() -> int:
        gc.collect()
        return sys.getallocatedblocks()

    # What the interpreter keeps for itself grows at first, and what leaks for ever.
    grown: list[int] = []
    for _ in range(5):
        before = blocks()
        for _ in range(100):
            use()
        grown.append(blocks() - before)
    assert min(grown) < 60


def test_threads_read_typed_rows_while_another_goes_on(tmp_path: Path) -> None:
    path = tmp_path / 'data.csv'
    path.write_text('id,text,half\n' + ''.join(f'{i},text {i},{i / 2}\n' for i in range(10_000)))
    kept: list[Any] = []
    failures: list[BaseException] = []
    done = threading.Event()

    def read() -> None:
        try:
            at = 0
            while not done.is_set() or at < len(kept):
                for row in kept[at : at + 50]:
                    i = row['id']
                    assert tuple(row) == (i, f'text {i}', i / 2)
                at = min(at + 50, len(kept))
        except BaseException as error:
            failures.append(error)

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    threads = [threading.Thread(target=read) for _ in range(3)]
    try:
        for thread in threads:
            thread.start()
        for row in csv_rows(path, into=CSVRow, types={'id': int, 'half': float}):
            kept.append(row)
    finally:
        done.set()
        for thread in threads:
            thread.join()
        sys.setswitchinterval(interval)
    assert failures == []
    assert len(kept) == 10_000
