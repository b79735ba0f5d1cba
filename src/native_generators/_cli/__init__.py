"""The command line: `generators FILE...`, and the commands that have a name.

``arguments`` says what the options are; ``selection`` (CSV) and ``objects`` (JSON lines) what is
read and kept; ``write`` what is written; ``run`` and ``columns`` (Parquet and Arrow) do it.
"""

from __future__ import annotations

import sys
import zlib
from contextlib import closing

from native_generators import DataError
from native_generators._cli.arguments import COLUMNS, check, complete, parser
from native_generators._cli.columns import run_columns
from native_generators._cli.commands import COMMANDS
from native_generators._cli.interrupts import Interrupts
from native_generators._cli.run import Run
from native_generators._cli.trouble import (
    BROKEN_PIPE,
    INTERRUPTED,
    REJECTED,
    TROUBLE,
    Trouble,
    say,
)


def run(arguments: list[str]) -> int:
    if arguments and arguments[0] in COMMANDS:
        return COMMANDS[arguments[0]](arguments[1:])
    options = parser().parse_args(arguments)
    complete(options)
    check(options)
    if options.to in COLUMNS:
        return run_columns(options)
    with Interrupts() as interrupts:
        try:
            job = Run(options, interrupts)
        except ValueError as e:
            raise Trouble(str(e)) from None
        with closing(job):
            return job.all()


def main(arguments: list[str] | None = None) -> int:
    try:
        return run(sys.argv[1:] if arguments is None else arguments)
    except DataError as e:
        say(str(e))
        return REJECTED
    except BrokenPipeError:
        return BROKEN_PIPE
    except KeyboardInterrupt:
        return INTERRUPTED
    except (Trouble, OSError, EOFError, zlib.error, ValueError, LookupError) as e:
        say(str(e))
        return TROUBLE
