"""The asynchronous sources of docs/frameworks, led by a test as those of shop.py are."""

import asyncio
import gc
import os

import shop

from generators import FLUSH


async def orders():
    async for row in led(shop.order):
        yield row


def changes():
    return led(shop.change)


async def led(make):
    told, line = await asyncio.open_connection('127.0.0.1', int(os.environ['SHOP_PORT']))
    given = 0
    try:
        async for order in told:
            word, *count = order.decode().split()
            if word == 'end':
                return
            if word == 'fail':
                raise LookupError('the query failed')
            if word == 'flush':
                yield FLUSH
            else:
                last = given + int(*count) if count else 1 << 60
                while given < last:
                    given += 1
                    yield make(given)
                    if word == 'trickle':
                        await asyncio.sleep(0.01)
    finally:
        how = ' by a collection' if gc.isenabled() else ''
        line.write(f'closed after {given}{how}\n'.encode())
        line.close()
