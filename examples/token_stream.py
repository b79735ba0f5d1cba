"""A language model's API, and a client that prints the answer as it comes.

    cd examples
    uvicorn token_stream:app

    python token_stream.py "Tell me about generators."
    curl -N -d '{"prompt": "Tell me about generators."}' http://127.0.0.1:8000/v1/completions

Each token is an event.  The last one, `done`, tells that the answer is whole; `error` tells that
it is not.  While the model thinks, heartbeats keep the connection open.  If the client leaves,
the model stops.
"""

import asyncio
import itertools
import os
import sys
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from pydantic import BaseModel

from generators import aevent_stream, event_source

HEARTBEAT = float(os.environ.get('HEARTBEAT', '15'))  # seconds
ANSWER = 'You said: {prompt}\nA generator makes one item at a time,\nand waits in between. ✓'

# ---- the service ----

app = FastAPI()
running: set[str] = set()  # prompts that are being answered


class Prompt(BaseModel):
    prompt: str
    seconds: float = 0.02  # for each token, of this model that only seems to think
    fails_at: int | None = None


async def tokens(prompt: Prompt) -> AsyncIterator[str]:
    """A fake model: it gives an answer in pieces of a few characters, with their line ends."""
    answer = iter(ANSWER.format(prompt=prompt.prompt))
    for number in itertools.count():
        await asyncio.sleep(prompt.seconds)
        if number == prompt.fails_at:
            raise TimeoutError('the model does not answer')
        if not (token := ''.join(itertools.islice(answer, 4))):
            return
        yield token


async def completion(prompt: Prompt) -> AsyncIterator[dict[str, Any]]:
    running.add(prompt.prompt)
    count = 0
    try:
        async for token in tokens(prompt):
            yield {'data': {'token': token}}
            count += 1
        yield {'event': 'done', 'data': {'tokens': count}}
    finally:
        running.remove(prompt.prompt)


def failed(error: Exception) -> dict[str, Any]:
    return {'event': 'error', 'data': {'message': str(error)}}


@app.post('/v1/completions')
async def complete(prompt: Prompt) -> StreamingResponse:
    chunks = aevent_stream(
        completion(prompt), heartbeat=HEARTBEAT, error=failed, close_with_task=True
    )
    headers = {'Cache-Control': 'no-cache', 'X-Accel-Buffering': 'no'}
    return StreamingResponse(chunks, media_type='text/event-stream', headers=headers)


@app.get('/health')
async def health() -> dict[str, int]:
    return {'running': len(running)}


# ---- the client ----


class ModelError(Exception):
    """The model, or the connection to it, failed before the answer was whole."""


def ask(url: str, prompt: str, **options: Any) -> Iterator[str]:
    """The tokens of an answer, as they come."""
    timeout = httpx.Timeout(10, read=3 * HEARTBEAT)  # a dead connection has no heartbeat
    body = {'prompt': prompt, **options}
    with (
        httpx.Client(timeout=timeout) as client,
        client.stream('POST', f'{url}/v1/completions', json=body) as response,
    ):
        response.raise_for_status()
        for event in event_source(response.iter_bytes()):
            match event.event:
                case 'message':
                    yield event.json()['token']
                case 'done':
                    return
                case 'error':
                    raise ModelError(event.json()['message'])
    raise ModelError('the connection broke off')


def main() -> int:
    prompt = sys.argv[1] if len(sys.argv) > 1 else 'Hello'
    url = os.environ.get('MODEL', 'http://127.0.0.1:8000')
    try:
        for token in ask(url, prompt):
            print(token, end='', flush=True)
    except (ModelError, httpx.HTTPError) as error:
        print(f'\n{error}', file=sys.stderr)
        return 1
    print()
    return 0


if __name__ == '__main__':
    sys.exit(main())
