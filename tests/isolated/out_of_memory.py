"""The hook of out_of_memory.c, which is compiled where it is needed."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

from tests import compiled


def build(folder: str) -> str:
    """Compile the hook; the path of it."""
    return compiled.build(Path(__file__).with_suffix('.c'), folder)


def load() -> Any:
    """The hook, from the path that the environment names where a test has built it."""
    with tempfile.TemporaryDirectory() as folder:
        return compiled.load(os.environ.get('OUT_OF_MEMORY') or build(folder))
