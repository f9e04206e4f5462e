// A photo of the visitor's: chosen, dropped anywhere on the page, or pasted anywhere.

/** Send a file to the server; what the server knows it by. */
export async function send(file, upload) {
  const { path, url } = await upload(file);
  return {
    path, url, orig_name: file.name || "pasted.png", size: file.size, mime_type: file.type,
    meta: { _type: "gradio.FileData" },
  };
}

/** Whether the server still has what it was sent; it deletes what was not used for a while. */
export async function isThere({ url }) {
  const { pathname } = new URL(url, location.href); // it may not know its own name behind a proxy
  return fetch(pathname, { method: "HEAD" }).then(({ ok }) => ok, () => false);
}

const ADDRESS = "Only a file can be taken, no address: please save the picture and drop its file.";
const FOLDER = "A folder cannot be taken: please drop one photo of it.";
const SEVERAL = "Please choose one photo; these are several.";

const holds = (event, type) => [...(event.dataTransfer?.types ?? [])].includes(type);

/** The one file of what is dropped or pasted, or why there is none: [file, words]. */
function oneFile({ files, items }) {
  if ([...items].some((item) => item.webkitGetAsEntry?.()?.isDirectory)) return [null, FOLDER];
  return files.length > 1 ? [null, SEVERAL] : [files[0]];
}

/** Whether another part of the page, that is looked at, takes the file for itself. */
const isTaken = (detail) => !document.dispatchEvent(new CustomEvent("file", { detail, cancelable: true }));

/**
 * Call `take` with every file that is dropped or pasted, wherever that is, or `refuse` with a
 * sentence; `hint` shows meanwhile.
 */
export function receiveFiles(take, refuse, hint) {
  let leaving = 0;
  let ours = false; // what is dragged is a part of the page
  // Before Gradio's own listeners, and a browser that would leave the page for the file.
  const listen = (name, react) => window.addEventListener(name, react, { capture: true });
  const concerns = (event) => holds(event, "Files") || (holds(event, "text/uri-list") && !ours);
  const receive = (transfer) => {
    const [file, words] = oneFile(transfer);
    if (!file) refuse(words ?? ADDRESS);
    else if (!isTaken(file)) take(file);
  };
  listen("dragstart", () => (ours = true));
  listen("dragend", () => (ours = false));
  listen("dragover", (event) => {
    if (!concerns(event)) return;
    event.preventDefault();
    hint.hidden = false;
    clearTimeout(leaving);
    leaving = setTimeout(() => (hint.hidden = true), 300); // it comes again and again
  });
  listen("drop", (event) => {
    if (!concerns(event)) return;
    event.preventDefault();
    event.stopPropagation();
    hint.hidden = true;
    if (!ours) receive(event.dataTransfer); // a picture of the page itself may come as a file
  });
  listen("paste", (event) => {
    if (!event.clipboardData?.files.length) return; // words go where words go
    event.preventDefault();
    receive(event.clipboardData);
  });
}
