'use strict';

// The browser connects again by itself, and sends the id of the last post that it has got.
const room = new URLSearchParams(location.search).get('room') ?? 'lobby';
const source = new EventSource(`events?${new URLSearchParams({ room })}`);

byId('room').value = room;
source.onopen = () => { byId('status').textContent = `listening in ${room}`; };
source.onmessage = (event) => showAll([JSON.parse(event.data)]);
source.onerror = () => {
  const isOver = source.readyState === EventSource.CLOSED;
  byId('status').textContent = isOver ? 'refused' : 'disconnected; connecting again …';
};
