"""Several server processes joined into one chat by Redis publish and subscribe.

Each process publishes what its own clients said, and delivers what it hears, its own lines among
them: all processes deliver in one order.  While Redis is away, lines wait to be published; when it
is back, each process catches up on what the history file got meanwhile.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable
from contextlib import aclosing, asynccontextmanager

from redis.asyncio import Redis

from generators import Dispatcher

from .handlers import Delivery
from .history import replayed
from .posts import Post

CHANNEL = 'chat'
PATIENCE = 5.0  # seconds, for Redis to answer at the start and at the end
RETRY = 0.5  # seconds
MAX_BATCH = 500  # lines published together
MAX_OUTBOX = 10_000  # lines that wait to be published

log = logging.getLogger('chat')


def redis_events(events: Dispatcher, path: str, subscribed: asyncio.Event) -> Dispatcher:
    """For what a subscription yields: ``{'type': 'message', 'data': b'...', ...}``."""
    heard = Dispatcher()

    @heard.on('subscribe')
    async def catch_up(_: object) -> None:
        for post in await asyncio.to_thread(replayed, path):
            await events.aemit('delivery', Delivery(post, post.to_json()))
        subscribed.set()

    @heard.on('message')
    async def deliver(data: bytes) -> None:
        post = Post.from_json(data)
        await events.aemit('delivery', Delivery(post, post.to_json()))

    @heard.on('error')
    def handle_errors():
        while True:
            failure = yield
            log.error('a line from Redis is left out', exc_info=failure.exception)

    return heard


async def listen(redis: Redis, heard: Dispatcher, subscribed: asyncio.Event) -> None:
    while True:
        try:
            async with redis.pubsub() as subscription:
                await subscription.subscribe(CHANNEL)
                await heard.arun(subscription.listen())
        except Exception as e:
            log.warning('the subscription to Redis broke off: %s', e)
        subscribed.clear()
        await asyncio.sleep(RETRY)


async def publish(redis: Redis, outbox: asyncio.Queue[Delivery], subscribed: asyncio.Event) -> None:
    while True:
        batch = [await outbox.get()]
        while not outbox.empty() and len(batch) < MAX_BATCH:
            batch.append(outbox.get_nowait())
        # Lines that got through before a failure go out again: known ones are not delivered.
        await subscribed.wait()  # to hear them too
        while not await publish_batch(redis, batch):
            await asyncio.sleep(RETRY)
        for _ in batch:
            outbox.task_done()


async def publish_batch(redis: Redis, batch: list[Delivery]) -> bool:
    try:
        async with redis.pipeline(transaction=False) as pipeline:
            for delivery in batch:
                pipeline.publish(CHANNEL, delivery.line)
            await pipeline.execute()
    except Exception as e:
        log.warning('Redis took no lines: %s', e)
        return False
    return True


async def settled(awaitable: Awaitable[object], otherwise: str) -> None:
    try:
        async with asyncio.timeout(PATIENCE):
            await awaitable
    except TimeoutError:
        log.warning(otherwise)


@asynccontextmanager
async def linked(
    url: str, outbox: asyncio.Queue[Delivery], events: Dispatcher, path: str
) -> AsyncIterator[None]:
    subscribed = asyncio.Event()
    async with (
        Redis.from_url(url, socket_connect_timeout=PATIENCE, socket_keepalive=True) as redis,
        aclosing(redis_events(events, path, subscribed)) as heard,
    ):
        tasks = [
            asyncio.create_task(listen(redis, heard, subscribed)),
            asyncio.create_task(publish(redis, outbox, subscribed)),
        ]
        try:
            await settled(subscribed.wait(), 'Redis does not answer; lines wait for it')
            yield
            await settled(outbox.join(), 'Redis did not take all lines')
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
