"""A plugin of pytest that takes away what Windows has not, to see that tests then skip.

    python -m pytest -p tests.without_posix -o timeout_method=thread

/proc is still there: tests that look at it say so with `skipif`.
"""

import os
import signal
import sys

MISSING = {
    os: ['fork', 'forkpty', 'register_at_fork', 'geteuid', 'mkfifo', 'openpty'],
    signal: [
        *('setitimer', 'getitimer', 'alarm', 'pause', 'pthread_kill', 'pthread_sigmask'),
        *('siginterrupt', 'SIGALRM', 'SIGUSR1', 'SIGUSR2', 'SIGHUP', 'ITIMER_REAL'),
    ],
}

for module, names in MISSING.items():
    for name in names:
        if hasattr(module, name):
            delattr(module, name)
for name in ('resource', 'pty', 'fcntl', 'termios', 'grp', 'pwd', 'uvloop'):
    sys.modules[name] = None  # type: ignore[assignment]
