"""csv_schema finds what the plain statement of tests.csv.schema finds, on any values."""

import csv
import io
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generators import CSVError, csv_batches, csv_rows, csv_schema
from tests.csv.schema import expected, found

INTS = ['0', '1', '-1', '+7', '007', ' 5 ', '12', '1230', '20200101', '20201301', '9' * 18]
INTS += ['9223372036854775807', '-9223372036854775808', '9223372036854775808', '1_000', '٣', '-0']
FLOATS = ['1.5', '-0.25', '.5', '5.', '1e5', '1E-3', '0.1', '123456789.123456', '1.50', '-0.0']
FLOATS += ['0.30000000000000004', '0.10000000000000001', '12345678901234567', '1e22', '1.5e300']
FLOATS += ['nan', 'inf', '-Infinity', 'NaN', '1_0.5', '123456789012345.678', '4.9e-324', '1e-320']
FLOATS += ['1234567890.1234567890123', '1e400', '999999999999999.99', '0.000000000000000000001']
DECIMALS = ['sNaN', 'NaN12', '12345678901234567890.12', '1e9999', '0e-400', '1E+30', '1e1234567']
BOOLS = ['true', 'False', 'T', 'f', 'YES', 'no', '1', '0']
DATES = [
    '2020-02-29',
    '2021-02-29',
    '0001-01-01',
    '9999-12-31',
    '20200229',
    '2020-W01-1',
    '2020W011',
]
TIMES = ['12:30', '23:59:59', '00:00:00.123', '12:30:15.123456', '24:00', '12', '1230', 'T10:00']
TIMES += ['123015', '12:30Z', '12:30:15.1', '99']
MOMENTS = ['2020-01-01T00:00', '2020-01-01 10:11:12', '2020-01-01T10:11:12.123456']
MOMENTS += ['2020-01-01T10:00:00.123456789', '20200101T101112', '2020010112345']
ZONED = ['2020-01-01T00:00Z', '2020-01-01T00:00:00+02:00', '2020-01-01 00:00-05:30']
ZONED += ['2020-01-01T00:00:00+00:00:01', '1969-12-31T23:59:59.999999+00:00']
TEXTS = ['abc', 'ä', '😀' * 3, 'a"b', 'a,b', 'a\nb', '-', '.', '+', 'e5', 'x' * 70, 'Zoë' * 30, ' ']
POOLS = [INTS, FLOATS, DECIMALS, BOOLS, DATES, TIMES, MOMENTS, ZONED, TEXTS]
ALL = [value for pool in POOLS for value in pool]
KINDS = [[''], *POOLS, INTS + FLOATS, FLOATS + DECIMALS, DATES + MOMENTS, DATES + ZONED]


@st.composite
def files(draw: st.DrawFn) -> tuple[str, int]:
    """A table whose columns are mostly of one kind, and its width."""
    width = draw(st.integers(1, 3))
    height = draw(st.integers(0, 12))
    columns = []
    for _ in range(width):
        pool = st.sampled_from(draw(st.sampled_from(KINDS)))
        some = st.sampled_from(draw(st.lists(pool, min_size=1, max_size=4)))
        cell = draw(st.sampled_from([some, some, pool, pool | st.just('')]))
        odd = st.sampled_from(ALL)
        values = draw(st.lists(cell, min_size=height, max_size=height))
        if height and draw(st.integers(0, 3)) == 0:
            values[-1] = draw(odd)
        columns.append(values)
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow([f'c{i}' for i in range(width)])
    writer.writerows(zip(*columns, strict=True))
    return text.getvalue(), width


def check(text: str, width: int) -> None:
    data = text.encode()
    schema = csv_schema(data, distinct=100_000)
    assert found(schema) == expected(data, width)
    assert schema.rows == len(list(csv_rows(data, header=True, into=tuple)))
    for _ in csv_rows(data, header=True, types=schema.types):
        pass
    types = {name: kind for name, kind in schema.types.items() if kind is not Decimal}
    for _ in csv_batches(data, types=types):
        pass


@pytest.mark.hypothesis
@given(files())
def test_columns_of_any_values(file: tuple[str, int]) -> None:
    check(*file)


@pytest.mark.parametrize('value', ALL)
def test_one_value(value: str) -> None:
    check(f'c0\n"{value.replace(chr(34), chr(34) * 2)}"\n', 1)


@pytest.mark.parametrize('first', ALL[::5])
def test_one_odd_value_at_the_end(first: str) -> None:
    def quoted(value: str) -> str:
        return '"' + value.replace('"', '""') + '"'

    for last in ALL:
        check('c0\n' + f'{quoted(first)}\n' * 3 + f'{quoted(last)}\n', 1)


DATA = Path(__file__).resolve().parents[3] / 'shared' / 'data'
NAMES = sorted(str(path.relative_to(DATA)) for path in DATA.rglob('*.csv')) if DATA.exists() else []


@pytest.mark.skipif(not NAMES, reason='no ../shared/data beside the repository')
@pytest.mark.parametrize('name', NAMES)
@pytest.mark.parametrize('threads', [1, 2])
def test_shared_files(name: str, threads: int) -> None:
    data = (DATA / name).read_bytes()[:2_000_000]
    try:
        schema = csv_schema(data, distinct=100_000, threads=threads, encoding='latin-1')
        first = next(csv_rows(data, encoding='latin-1', header=False), [])
    except CSVError:
        pytest.skip('not CSV')
    if not first:
        pytest.skip('no header')
    results = zip(found(schema), expected(data, len(first), encoding='latin-1'), strict=True)
    for got, wanted in results:
        if got['counts'] is None:  # more than 64 KiB of text
            got['counts'] = wanted['counts']
        assert got == wanted
