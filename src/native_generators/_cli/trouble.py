"""What ends a run, and the exit status that says so."""

import sys

DONE = 0
REJECTED = 1
TROUBLE = 2
INTERRUPTED = 130
BROKEN_PIPE = 141

EPILOG = """\
exit status:
  0    every record was read
  1    a record could not be read: it is in the --rejects file, or ended the run
  2    wrong arguments, or a file that can't be opened, read or written
  130  stopped by Ctrl-C, after a whole line
  141  the pipe that is written to was closed
"""


class Trouble(Exception):
    """What ends the run before or between rows; its text is the message."""


def say(text: str) -> None:
    print(f'generators: {text}', file=sys.stderr)
