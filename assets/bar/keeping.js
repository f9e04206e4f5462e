// This tab's photos, kept by the visitor's own browser, so that a reload does not lose them and one
// can go back. A browser that keeps nothing, as some do in private windows, is one whose reload does.

const PHOTOS = "photos";
const KEY = "nst-photos"; // in the tab's own storage: the ids of its photos, and of the one shown
const DAY = 24 * 60 * 60 * 1000; // ms; photos of a tab that was closed are not kept longer
export const MOST = 6; // of all tabs

const readTab = () => JSON.parse(sessionStorage.getItem(KEY)) ?? { ids: [], shown: null };

function writeTab(changes) {
  try {
    sessionStorage.setItem(KEY, JSON.stringify({ ...readTab(), ...changes }));
  } catch {
    // nothing is kept
  }
}

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

/** A photo, { id, file, … }, whose id is the time when it was chosen; its tab shows it. */
export async function keep(photo) {
  try {
    writeTab({ ids: [...new Set(readTab().ids).add(photo.id)], shown: photo.id });
    await inStore("readwrite", (photos) => photos.put(photo, photo.id));
    const ids = await inStore("readonly", (photos) => photos.getAllKeys());
    await forgetThese(ids.slice(0, -MOST)); // which are in their order
  } catch {
    // nothing is kept
  }
}

export const showNone = () => writeTab({ shown: null });

/** This tab's photos, the one that it showed, whether that is `lost`, and whether any tab's is kept. */
export async function restore() {
  try {
    const { ids, shown } = readTab();
    const kept = await inStore("readonly", (photos) => photos.getAll());
    const mine = kept.filter(({ id }) => ids.includes(id));
    const old = kept.filter(({ id }) => !ids.includes(id) && id < Date.now() - DAY);
    await forgetThese(old.map(({ id }) => id));
    const last = mine.find(({ id }) => id === shown);
    return { mine, last, lost: shown !== null && !last, kept: kept.length > old.length };
  } catch {
    return { mine: [], kept: false };
  }
}

const forgetThese = (ids) => inStore("readwrite", (photos) => {
  for (const id of ids) photos.delete(id);
  return photos.count();
});

/** All photos, of every tab. */
export async function forget() {
  try {
    sessionStorage.removeItem(KEY);
    await inStore("readwrite", (photos) => photos.clear());
  } catch {
    // nothing has been kept
  }
}
