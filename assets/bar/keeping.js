// The visitor's last photo, kept by their own browser, so that a reload does not lose it. A browser
// that keeps nothing, as some do in private windows, is one whose reload does.

const PHOTOS = "photos";
const KEY = "nst-photo"; // in the tab's own storage: when this tab's photo was kept
const DAY = 24 * 60 * 60 * 1000; // ms; a photo of a tab that was closed is not kept longer

function inStore(mode, act) {
  return new Promise((done, fail) => {
    const opening = indexedDB.open("nst", 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore(PHOTOS);
    opening.onerror = fail;
    opening.onsuccess = () => {
      const transaction = opening.result.transaction(PHOTOS, mode);
      const request = act(transaction.objectStore(PHOTOS));
      transaction.onabort = fail;
      transaction.oncomplete = () => {
        opening.result.close();
        done(request.result);
      };
    };
  });
}

/** In place of the one before, of this tab or another; whether it could be kept. */
export async function keep(file) {
  try {
    const at = Date.now();
    await inStore("readwrite", (photos) => photos.put({ at, file }, "last"));
    sessionStorage.setItem(KEY, at);
    return true;
  } catch {
    return false;
  }
}

/** This tab's photo, whether it is `lost`, and whether one of any tab is `kept`. */
export async function restore() {
  try {
    const at = Number(sessionStorage.getItem(KEY));
    const last = await inStore("readonly", (photos) => photos.get("last"));
    if (last?.at === at) return { file: last.file, lost: false, kept: true };
    const kept = Boolean(last) && last.at > Date.now() - DAY;
    if (!kept) await forget();
    return { file: null, lost: at > 0, kept };
  } catch {
    return { file: null, lost: false, kept: false };
  }
}

export async function forget() {
  try {
    sessionStorage.removeItem(KEY);
    await inStore("readwrite", (photos) => photos.clear());
  } catch {
    // nothing has been kept
  }
}
