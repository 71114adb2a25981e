// Sends a draft: what goes out under a key goes out again, word for word, until an answer came.

import { token } from "./house.js";
import { change, newKey, read } from "./order-store.js";

const COPIED = ["place", "step", "kind", "name", "base", "mine"];
const copy = (field) => Object.fromEntries(COPIED.map((name) => [name, field[name]]));

/** Where a field stands in a draft; a step whose text changed is another one. */
export const nameOf = (field) => `${field.name}|${field.place}|${field.step}`;

async function post(url, body) {
  const json = !(body instanceof FormData);
  const headers = { "X-CSRFToken": token() ?? "", Accept: "application/json" };
  if (json) headers["Content-Type"] = "application/json";
  let answer;
  try {
    answer = await fetch(url, { method: "POST", headers, body: json ? JSON.stringify(body) : body });
  } catch {
    return { outcome: "away" };
  }
  if (answer.status === 401 || answer.status === 403) return { outcome: "signed-out" };
  if (answer.status >= 500 || answer.status === 429) return { outcome: "away" };
  const data = await answer.json().catch(() => null);
  if (data === null) return { outcome: "away" };
  if (answer.ok) return { outcome: "sent", data };
  if (data.code === "order_changed") return { outcome: "conflict", error: data };
  return { outcome: data.code === "other_person" ? "other-person" : "refused", error: data };
}

function wanted(page, draft, batch) {
  return { key: batch.key, person: page.person, ...draft.seen, changes: batch.changes };
}

/** The batch that is on its way, or the next one; null where nothing is to be sent. */
async function nextBatch(page) {
  const draft = await change(page.id, (each) => {
    const fields = Object.values(each.fields).filter((field) => !field.refused);
    if (!each.batch && fields.length) each.batch = { key: newKey(), changes: fields.map(copy) };
  });
  return draft.batch ? { draft, batch: draft.batch } : null;
}

/** Takes out what arrived; what was typed since goes on from there. */
function arrived(draft, batch, refused) {
  const bad = new Map(refused.map((field) => [nameOf(field), field.message]));
  for (const sent of batch.changes) {
    const name = nameOf(sent);
    const field = draft.fields[name];
    if (!field) continue;
    if (bad.has(name)) {
      if (field.mine === sent.mine) field.refused = bad.get(name);
    } else if (field.mine === sent.mine) delete draft.fields[name];
    else field.base = sent.mine;
  }
}

async function sendRemark(page) {
  const draft = await read(page.id);
  if (!draft.remark) return null;
  const found = await post(page.answers, { ...wanted(page, draft, draft.remark), as_remark: true });
  if (found.outcome === "sent") await change(page.id, (each) => { each.remark = null; });
  return found.outcome === "sent" ? null : found;
}

async function sendFields(page) {
  let last = null;
  for (let next = await nextBatch(page); next; next = await nextBatch(page)) {
    const { draft, batch } = next;
    const found = await post(page.answers, wanted(page, draft, batch));
    if (found.outcome === "sent") {
      await change(page.id, (each) => {
        if (each.batch?.key === batch.key) each.batch = null;
        arrived(each, batch, found.data.refused);
        each.seen = { state: found.data.state, assigned_to: found.data.assigned_to };
      });
      await page.kept(found.data); // before the photos: each of them is one more revision
      last = found;
      continue;
    }
    // no answer: the same goes out again; any other answer: nothing was kept under this key
    if (found.outcome === "conflict" || found.outcome === "refused") {
      await change(page.id, (each) => { if (each.batch?.key === batch.key) each.batch = null; });
    }
    return found;
  }
  return last;
}

async function sendPhotos(page) {
  const { photos } = await read(page.id);
  let last = null;
  for (const [name, photo] of Object.entries(photos)) {
    const body = new FormData();
    body.append("file", photo.blob, photo.filename);
    body.append("key", photo.key);
    if (!photo.document) {
      body.append("step", String(photo.place));
      body.append("text", photo.step);
      body.append("seen", photo.seen === null ? "" : String(photo.seen));
    }
    body.append("person", String(page.person));
    const found = await post(page.files, body);
    if (found.outcome === "sent" || found.outcome === "refused") {
      await change(page.id, (each) => { if (each.photos[name]?.key === photo.key) delete each.photos[name]; });
    }
    if (found.outcome !== "sent") return { ...found, photo };
    last = { outcome: "sent-photo", photo, file: found.data };
    page.photoSent(photo, found.data);
  }
  return last;
}

/** One sender at a time, in all tabs where the browser can say so. */
function alone(page, work) {
  return navigator.locks ? navigator.locks.request(`order-${page.id}`, work) : work();
}

/**
 * Sends all that waits.
 * @returns what came of it: `outcome` is sent, away, signed-out, conflict, other-person, refused or
 *   nothing; `data` is the order as it is now, `error` the server's.
 */
export function sendAll(page) {
  return alone(page, async () => {
    const remark = await sendRemark(page);
    if (remark) return remark;
    const fields = await sendFields(page);
    if (fields && fields.outcome !== "sent") return fields;
    const photos = await sendPhotos(page);
    if (photos && photos.outcome !== "sent-photo") return photos;
    return fields ?? { outcome: photos ? "sent" : "nothing" };
  });
}
