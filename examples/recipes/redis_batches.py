"""A Redis stream in batches of 500, or of what came in a second, acknowledged when done.

A batch that fails is not acknowledged: Redis gives its entries to the group's next reader that
asks for what is pending.
"""

from generators import abatched


async def entries(redis, stream, group, name):
    """(id, fields) of what this reader was given before and never finished, then of new ones."""
    last = '0'
    while True:
        found = await redis.xreadgroup(group, name, {stream: last}, count=500, block=1000)
        for _, read in found or ():
            if last != '>' and not read:
                last = '>'
            for id, fields in read:
                yield id, fields
                if last != '>':
                    last = id


async def process(redis, stream, group, name, save):
    async with abatched(entries(redis, stream, group, name), 500, max_delay=1) as batches:
        async for batch in batches:
            await save([fields for _, fields in batch])
            await redis.xack(stream, group, *(id for id, _ in batch))
