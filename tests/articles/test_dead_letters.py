"""Records that cannot be read, kept with the reason: examples/dead_letters.py."""

import runpy
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(__file__).parents[2] / 'examples' / 'dead_letters.py'


@pytest.fixture(scope='module')
def example():
    return runpy.run_path(str(PROGRAM))


def test_as_a_program():
    done = subprocess.run(
        [sys.executable, PROGRAM], capture_output=True, text=True, check=True, timeout=100
    )
    first, *letters = done.stdout.splitlines()
    assert first == '2 orders of 10.75 in all'
    assert [letter.partition(':')[0] for letter in letters] == [
        'line 4, day',
        'line 5, amount',
        'line 6, the record',
    ]


def test_mended_records_are_those_of_the_source(example, tmp_path):
    source, target = tmp_path / 'orders.csv', tmp_path / 'dead.csv'
    source.write_text(example['ORDERS'], 'utf-8')
    with example['DeadLetters'](target) as dead:
        orders = list(example['read_orders'](source, dead))
    assert [order.id for order in orders] == [1, 5]
    assert dead.count == 3
    bad = [line + '\n' for line in example['ORDERS'].split('\n') if line[:2] in ('2,', '3,', '4,')]
    assert example['mended'](target) == ''.join(bad)


def test_bytes_that_are_no_text(example, tmp_path):
    source, target = tmp_path / 'orders.csv', tmp_path / 'dead.csv'
    source.write_bytes(b'id,day,amount,note\n1,2024-01-01,1,\xff\n2,2024-01-01,1,x\n')
    with example['DeadLetters'](target) as dead:
        assert [order.id for order in example['read_orders'](source, dead)] == [2]
    assert example['mended'](target) == '1,2024-01-01,1,\\xff\n'
