"""A PostgreSQL of its own in a folder, on a socket there, as it comes with Debian's package."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

SECONDS = 60


def find_programs() -> Path | None:
    """The folder of `initdb` and `postgres`; Debian has none of them among the commands."""
    for name in ('initdb', 'postgres'):
        found = shutil.which(name)
        if found is not None:
            return Path(found).resolve().parent
    folders = sorted(Path('/usr/lib/postgresql').glob('*/bin'), key=lambda path: path.parent.name)
    return folders[-1] if folders else None


def someone_else() -> dict[str, Any]:
    """PostgreSQL refuses to run as root: arguments of Popen for another user."""
    if os.name != 'posix' or os.geteuid() != 0:
        return {}
    import pwd

    for name in ('postgres', 'nobody'):
        try:
            user = pwd.getpwnam(name)
        except KeyError:
            continue
        return {'user': user.pw_uid, 'group': user.pw_gid, 'extra_groups': []}
    return {}


class PostgresServer:
    """Started by `with`, and stopped and removed at its end. `conninfo` is for psycopg."""

    def __init__(self, programs: Path) -> None:
        self.programs = programs
        # Not below a folder of the user's, which another one could not enter; and a short path.
        self.folder = Path(tempfile.mkdtemp(prefix='pg-', dir='/tmp'))
        self.identity = someone_else()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def conninfo(self) -> str:
        return f'host={self.folder} user=tests dbname=postgres connect_timeout=10'

    def _run(self, program: str, *arguments: str) -> subprocess.Popen[bytes]:
        with open(self.folder.with_suffix('.log'), 'ab') as log:
            return subprocess.Popen(
                [self.programs / program, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                env={**os.environ, 'LC_ALL': 'C', 'TZ': 'UTC'},
                **self.identity,
            )

    def log(self) -> str:
        return self.folder.with_suffix('.log').read_text('utf-8', 'replace')

    def __enter__(self) -> PostgresServer:
        try:
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _start(self) -> None:
        if self.identity:
            os.chown(self.folder, self.identity['user'], self.identity['group'])
        data = str(self.folder / 'data')
        options = ['-A', 'trust', '-U', 'tests', '-E', 'UTF8', '--locale=C', '--no-sync']
        made = self._run('initdb', '-D', data, *options)
        if made.wait(SECONDS) != 0:
            raise RuntimeError(self.log())
        settings = {
            'listen_addresses': '',
            'unix_socket_directories': str(self.folder),
            'fsync': 'off',
            'timezone': 'UTC',
        }
        given = [word for item in settings.items() for word in ('-c', '='.join(item))]
        self._process = self._run('postgres', '-D', data, *given)
        self._wait_until_it_answers()

    def _wait_until_it_answers(self) -> None:
        import psycopg

        assert self._process is not None
        deadline = time.monotonic() + SECONDS
        while True:
            try:
                psycopg.connect(self.conninfo).close()
            except psycopg.OperationalError:
                if self._process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(self.log()) from None
                time.sleep(0.05)
            else:
                return

    def __exit__(self, *exception: object) -> None:
        process = self._process
        if process is not None and process.poll() is None:
            process.send_signal(signal.SIGINT)  # it ends all connections, and then itself
            try:
                process.wait(SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.with_suffix('.log').unlink(missing_ok=True)


def reason_for_none() -> str:
    """Why there can be no server here; nothing if there can be one."""
    if sys.platform == 'win32':
        return 'the server is started on a socket in a folder, which Windows does not have'
    if find_programs() is None:
        return 'PostgreSQL is not installed (Debian: postgresql)'
    return ''
