"""A chat for browsers: events to generator handlers, rooms, a history that outlives the server.

python -m uvicorn --app-dir examples --ws-max-size 65536 --timeout-graceful-shutdown 1 chat.app:app

posts.py      what is said, and what of it is refused
history.py    what was said last, and all of it in a CSV file
handlers.py   the events of the chat, and a generator for each
link.py       several server processes, joined by Redis
app.py        the application: a page and a WebSocket; a page that only listens, and its events
"""
