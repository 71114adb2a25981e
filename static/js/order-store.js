// What somebody answered on an order and the server hasn't yet: one draft per person and order, in
// this browser (IndexedDB). Another person's drafts are never read.

const NAME = "orders";
const DRAFTS = "drafts";
const memory = new Map(); // where the browser keeps nothing (private window, full disk)
let opened = null;
let lasts = true;

/** False where a draft doesn't outlive the page. */
export const lasting = () => lasts;

/** A new key; `randomUUID` is there on https and localhost alone. */
export function newKey() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}

function open() {
  opened ??= new Promise((done, failed) => {
    const asked = indexedDB.open(NAME, 1);
    asked.onupgradeneeded = () => asked.result.createObjectStore(DRAFTS, { keyPath: "id" });
    asked.onsuccess = () => done(asked.result);
    asked.onerror = () => failed(asked.error);
  });
  return opened;
}

const blank = (id) => ({ id, seen: null, fields: {}, photos: {}, batch: null, remark: null });

/** True while something of it waits for the network. */
export function waits(draft) {
  return Boolean(draft.remark || Object.keys(draft.fields).length || Object.keys(draft.photos).length);
}

/** How many steps wait. */
export function waiting(draft) {
  const steps = [...Object.values(draft.fields), ...Object.values(draft.photos)];
  return new Set(steps.map((each) => `${each.place}|${each.step}`)).size + (draft.remark ? 1 : 0);
}

/**
 * Changes a draft in one transaction, so that two tabs don't undo each other; gives the new one.
 * `work` gets the draft and changes it.
 */
export async function change(id, work) {
  if (lasts) {
    try {
      const database = await open();
      return await new Promise((done, failed) => {
        const transaction = database.transaction(DRAFTS, "readwrite");
        const drafts = transaction.objectStore(DRAFTS);
        const asked = drafts.get(id);
        let draft = null;
        asked.onsuccess = () => {
          draft = asked.result ?? blank(id);
          work(draft);
          if (waits(draft)) drafts.put(draft);
          else drafts.delete(id);
        };
        transaction.oncomplete = () => done(draft);
        transaction.onabort = () => failed(transaction.error);
      });
    } catch {
      lasts = false;
    }
  }
  const draft = memory.get(id) ?? blank(id);
  work(draft);
  memory.set(id, draft);
  return draft;
}

/** The draft as it is. */
export const read = (id) => change(id, () => {});
