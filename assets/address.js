// What is looked at lives in the address: #example=tower&size=512&mode=slider&at=40,60&zoom=8
// The bar keeps example, size, networks, engine, strength and colours there, the viewer the rest.

const readAddress = () => new URLSearchParams(location.hash.slice(1));

// What is not written yet, and the hash as the page knows it; for all parts of the page together.
window.nstAddress ??= { changes: {}, timer: 0, hash: location.hash };

/**
 * Set some of its parts, null takes one out; a moment later, because browsers count the changes.
 * Nothing is written into an address that somebody has pasted meanwhile: the page is about to load it.
 */
function writeAddress(changes, delay = 200) {
  const waiting = window.nstAddress;
  Object.assign(waiting.changes, changes);
  clearTimeout(waiting.timer);
  waiting.timer = setTimeout(() => {
    if (location.hash !== waiting.hash) return;
    const parameters = readAddress();
    for (const [name, value] of Object.entries(waiting.changes)) {
      if (value === null) parameters.delete(name);
      else parameters.set(name, value);
    }
    waiting.changes = {};
    const hash = `${parameters}`.replaceAll("%2C", ","); // which needs no escape there
    history.replaceState(history.state, "", hash ? `#${hash}` : location.pathname + location.search);
    waiting.hash = location.hash;
    // A Space lies in a frame of a page whose address is the one that people see.
    if (window.parent !== window) window.parent.postMessage({ hash }, "https://huggingface.co");
  }, delay);
}
