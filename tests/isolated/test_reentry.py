"""The search for re-entry, a subject a test: see reentry.py."""

import os

import pytest

from tests.isolated import reentry
from tests.isolated.catalogue import public_names
from tests.isolated.reentry_subjects import SUBJECTS

TESTS = os.environ.get('GENERATORS_TESTS', '')
# Of each subject; 0 is all.
SAMPLE = {'short': 100, 'long': 0}.get(TESTS, reentry.SAMPLE)


def test_every_public_name_is_attacked() -> None:
    covered = {name for subject in SUBJECTS.values() for name in subject.covers}
    assert covered == public_names()


@pytest.mark.timeout(3600 if TESTS == 'long' else 300)
@pytest.mark.parametrize('name', SUBJECTS)
def test_no_code_of_the_users_breaks_what_runs_it(name: str) -> None:
    assert reentry.search(name, SAMPLE) == []
