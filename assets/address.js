// What is looked at lives in the address: #example=tower&size=512&mode=slider&at=40,60&zoom=8
// The bar keeps example, size, networks, engine, strength and colours there, the viewer the rest.

export const readAddress = () => new URLSearchParams(location.hash.slice(1));

const changes = {}; // not written yet
let timer = 0;
let known = location.hash; // the last one that the page has read or written

/**
 * Set some of its parts, null takes one out; a moment later, because browsers count the changes.
 * Nothing is written into an address that somebody has pasted meanwhile: the page is about to load it.
 */
export function writeAddress(parts, delay = 400) {
  Object.assign(changes, parts);
  timer ||= setTimeout(writeNow, delay); // not later, however often something changes meanwhile
}

/** What has been set, without waiting. */
export function writeNow() {
  clearTimeout(timer);
  timer = 0;
  if (location.hash !== known) return;
  const parameters = readAddress();
  for (const [name, value] of Object.entries(changes)) {
    if (value === null) parameters.delete(name);
    else parameters.set(name, value);
    delete changes[name];
  }
  const hash = `${parameters}`.replaceAll("%2C", ","); // which needs no escape there
  if (hash === known.slice(1)) return;
  history.replaceState(history.state, "", hash ? `#${hash}` : location.pathname + location.search);
  known = location.hash;
  // A Space lies in a frame of a page whose address is the one that people see.
  if (window.parent !== window) window.parent.postMessage({ hash }, "https://huggingface.co");
}
