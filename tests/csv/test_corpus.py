"""Whether the files of corpus.py are there: what is not is said in one line."""

import pytest

from .corpus import ABSENT, LISTED


def test_the_corpora_are_whole() -> None:
    assert len(set(LISTED)) == 102
    if ABSENT:
        names = 'all' if len(ABSENT) == len(LISTED) else ', '.join(ABSENT)
        pytest.skip(f'of the {len(LISTED)} files in ../shared/data are absent: {names}')
