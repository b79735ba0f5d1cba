"""What the applications of docs/frameworks read: sources that a test leads.

A source calls the test and does what it is told, line by line: ``items 3``, ``endless``,
``trickle``, ``flush``, ``fail``, ``end``.  When it is closed it says how many items it has given.
No cyclic garbage is collected in this process, unless somebody enables that.
"""

import gc
import os
import socket
import time

from generators import FLUSH

gc.disable()


def order(n):
    return n, f'Größe {n % 7}, "neu"', n / 4


def change(n):
    return str(n)


def orders():
    return led(order)


def changes():
    return led(change)


def led(make):
    with (
        socket.create_connection(('127.0.0.1', int(os.environ['SHOP_PORT'])), 60) as line,
        line.makefile('r') as told,
    ):
        given = 0
        try:
            for word, *count in map(str.split, told):
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
                            time.sleep(0.01)
        finally:
            how = ' by a collection' if gc.isenabled() else ''
            line.sendall(f'closed after {given}{how}\n'.encode())
