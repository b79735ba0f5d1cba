'use strict';

const FIRST_WAIT = 500, LONGEST_WAIT = 10000; // milliseconds, between two attempts to connect
const POLICY_VIOLATION = 1008;

let socket = null;
let wait = FIRST_WAIT;
let retry = null;

function setStatus(text, connected) {
  byId('status').textContent = text;
  byId('text').disabled = byId('send').disabled = !connected;
}

function connect(name, room) {
  const url = new URL('socket', location.href);
  url.protocol = location.protocol === 'https:' ? 'wss:' : 'ws:';
  url.search = new URLSearchParams({ name, room });
  const opened = socket = new WebSocket(url);
  setStatus('connecting …', false);

  opened.onopen = () => {
    byId('lines').replaceChildren(); // the server tells what was said before
    setStatus(`${name} in ${room}`, true);
    byId('text').focus();
  };
  opened.onmessage = (event) => {
    wait = FIRST_WAIT;
    if (opened === socket) showAll(JSON.parse(event.data));
  };
  opened.onclose = (event) => {
    if (opened !== socket) return; // another was opened since
    if (event.code === POLICY_VIOLATION) return setStatus(event.reason, false);
    setStatus(`${event.reason || 'disconnected'}; connecting again …`, false);
    retry = setTimeout(connect, wait, name, room);
    wait = Math.min(2 * wait, LONGEST_WAIT);
  };
}

byId('join').onsubmit = (event) => {
  event.preventDefault();
  clearTimeout(retry);
  if (socket) socket.close();
  wait = FIRST_WAIT;
  connect(byId('name').value, byId('room').value);
};

byId('say').onsubmit = (event) => {
  event.preventDefault();
  const text = byId('text').value;
  if (!socket || socket.readyState !== WebSocket.OPEN || !text.trim()) return;
  socket.send(JSON.stringify({ text }));
  byId('text').value = '';
};
