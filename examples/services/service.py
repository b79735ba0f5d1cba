"""A small HTTP service: GET /NUMBER answers what it is for, as text.

    python examples/services/service.py WHAT [PORT]

WHAT is square, double or negate.  It prints the port on which it listens.
"""

import asyncio
import sys

ANSWERS = {'square': lambda n: n * n, 'double': lambda n: 2 * n, 'negate': lambda n: -n}


async def main(what: str, port: int = 0) -> None:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b'\r\n\r\n')
            body = str(ANSWERS[what](int(head.split()[1].lstrip(b'/')))).encode()
            await asyncio.sleep(0.002)
            writer.write(b'HTTP/1.0 200 OK\r\nContent-Length: %d\r\n\r\n' % len(body) + body)
            await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass  # the client has left
        finally:
            writer.close()

    server = await asyncio.start_server(handle, '127.0.0.1', port)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == '__main__':
    asyncio.run(main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 0))
