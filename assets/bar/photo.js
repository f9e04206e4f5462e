// A photo of the visitor's: chosen, dropped anywhere on the page, or pasted anywhere.

/** Send a file to the server; what the server knows it by. */
export async function send(file, upload) {
  const { path, url } = await upload(file);
  return {
    path, url, orig_name: file.name || "pasted.png", size: file.size, mime_type: file.type,
    meta: { _type: "gradio.FileData" },
  };
}

const holdsFiles = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");

/** Call `take` with every file that is dropped or pasted, wherever that is; `hint` shows meanwhile. */
export function receiveFiles(take, hint) {
  let leaving = 0;
  // Before Gradio's own listeners, and a browser that would leave the page for the file.
  const listen = (name, react) => window.addEventListener(name, react, { capture: true });
  listen("dragover", (event) => {
    if (!holdsFiles(event)) return;
    event.preventDefault();
    hint.hidden = false;
    clearTimeout(leaving);
    leaving = setTimeout(() => (hint.hidden = true), 300); // it comes again and again
  });
  listen("drop", (event) => {
    if (!holdsFiles(event)) return;
    event.preventDefault();
    event.stopPropagation();
    hint.hidden = true;
    const [file] = event.dataTransfer.files;
    if (file) take(file); // a picture of the page itself holds none
  });
  listen("paste", (event) => {
    const file = [...(event.clipboardData?.files ?? [])][0];
    if (!file) return; // words go where words go
    event.preventDefault();
    take(file);
  });
}
