"""A gateway: the rows of a CSV file, each joined with what three services say, as CSV.

    python examples/services/gateway.py FILE SQUARE_PORT DOUBLE_PORT NEGATE_PORT

It prints the port on which it listens.  Twenty rows are asked for at a time; a row of which a
service does not answer is reported in the column `error`, and the others go on.
"""

import asyncio
import sys
from collections.abc import AsyncIterator, Sequence

from generators import acsv_encode, amap, csv_rows

COLUMNS = ('number', 'square', 'double', 'negate', 'error')


async def get(port: int, path: str) -> str:
    reader, writer = await asyncio.open_connection('127.0.0.1', port)
    try:
        writer.write(f'GET /{path} HTTP/1.0\r\n\r\n'.encode())
        head, found, body = (await reader.read()).partition(b'\r\n\r\n')
        if not found or b' 200 ' not in head:
            raise ConnectionError('the service hung up')
        return body.decode()
    finally:
        writer.close()


async def get_again(port: int, path: str) -> str:
    """A service that is being restarted has a second and a half to come back."""
    for pause in (0.05, 0.1, 0.2, 0.4, 0.8):
        try:
            return await get(port, path)
        except OSError:
            await asyncio.sleep(pause)
    return await get(port, path)


def joined(path: str, ports: Sequence[int]) -> AsyncIterator[bytes]:
    async def call(row: tuple[str, ...]) -> tuple[str, ...]:
        try:
            answers = await asyncio.gather(*(get_again(port, row[0]) for port in ports))
        except OSError as error:
            return (row[0], '', '', '', str(error))
        return (row[0], *answers, '')

    rows = csv_rows(path, header=True, into=tuple)
    return acsv_encode(
        amap(call, rows, concurrency=20), header=COLUMNS, size=4096, close_with_task=True
    )


async def main(path: str, *ports: int) -> None:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b'\r\n\r\n')
            writer.write(b'HTTP/1.0 200 OK\r\nContent-Type: text/csv\r\n\r\n')
            async for chunk in joined(path, ports):
                writer.write(chunk)
                await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass  # the client has left
        finally:
            writer.close()

    server = await asyncio.start_server(handle, '127.0.0.1', 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == '__main__':
    asyncio.run(main(sys.argv[1], *map(int, sys.argv[2:])))
