// What the bar and the viewer tell each other. Each of them starts when its scripts have come, so
// the last message of a kind waits for who listens later.

const listeners = {};
const last = {};

export function tell(kind, detail) {
  last[kind] = detail;
  for (const listener of listeners[kind] ?? []) listener(detail);
}

export function hear(kind, listener) {
  (listeners[kind] ??= []).push(listener);
  if (kind in last) listener(last[kind]);
}
