"""The article's services, and a gateway before three real ones."""

import csv
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / 'examples'
COUNT = 600


def test_the_services_of_the_article() -> None:
    command = [sys.executable, str(EXAMPLES / 'article_004_services.py')]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True)
    lines = done.stdout.splitlines()
    assert lines[:5] == ['0', '1', '4', '9', '16']
    assert sorted(lines[5:]) == [f'Service {s}: {i}' for s in (1, 2) for i in range(3)]


@contextmanager
def started(*command: object) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A process that prints its port."""
    arguments = [sys.executable, *map(str, command)]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process, int(process.stdout.readline())
        finally:
            process.kill()


@pytest.mark.skipif(sys.platform == 'win32', reason='a port is taken again at once')
def test_a_service_that_is_killed_and_restarted_loses_no_row(tmp_path: Path) -> None:
    path = tmp_path / 'numbers.csv'
    path.write_text('number\n' + ''.join(f'{i}\n' for i in range(COUNT)))
    service = EXAMPLES / 'services' / 'service.py'
    with (
        started(service, 'square') as (_, square),
        started(service, 'negate') as (_, negate),
        started(service, 'double') as (killed, double),
        started(EXAMPLES / 'services' / 'gateway.py', path, square, double, negate) as (_, port),
    ):
        response = urllib.request.urlopen(f'http://127.0.0.1:{port}/', timeout=30)
        lines = [response.readline() for _ in range(100)]
        killed.kill()
        killed.wait(10)
        with response, started(service, 'double', double):
            lines += response.readlines()
    rows = list(csv.DictReader(line.decode() for line in lines))
    assert [row['number'] for row in rows] == [str(i) for i in range(COUNT)]
    assert not rows[-1]['error']
    for row in rows:
        n = int(row['number'])
        answers = (row['square'], row['double'], row['negate'])
        assert row['error'] or answers == (str(n * n), str(2 * n), str(-n))
