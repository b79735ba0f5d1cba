// The lines of the chat, for both pages.
'use strict';

const MAX_LINES = 1000;

const byId = (id) => document.getElementById(id);

// What others wrote goes into the page as text only, never as HTML.
function span(className, text) {
  const element = document.createElement('span');
  element.className = className;
  element.dir = 'auto';
  element.textContent = text;
  return element;
}

function show(line) {
  const item = document.createElement('li');
  item.className = ['message', 'joined', 'left'].includes(line.kind) ? line.kind : 'error';
  if (item.className === 'error') {
    item.append(line.text);
  } else {
    const time = document.createElement('time');
    time.dateTime = line.time;
    time.textContent = new Date(line.time).toLocaleTimeString();
    item.append(time, span('name', line.name));
    item.append(line.kind === 'message' ? span('text', line.text) : line.kind);
  }
  byId('lines').append(item);
}

function showAll(lines) {
  const list = byId('lines');
  const atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 40;
  lines.forEach(show);
  while (list.childElementCount > MAX_LINES) list.firstElementChild.remove();
  if (atEnd) list.scrollTop = list.scrollHeight;
}
