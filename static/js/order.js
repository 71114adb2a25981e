// An order on the phone: what is answered is kept in this browser and sent as soon as there is
// network. Signing and the other steps need the network, and say so.

import { toast } from "./house.js";
import { hide, show } from "./order-conflict.js";
import { nameOf, sendAll } from "./order-send.js";
import { change, lasting, newKey, read, waiting, waits } from "./order-store.js";

const AGAIN = 20_000; // ms until what waits is sent again
const QUIET = 800; // ms without a key
const root = document.getElementById("order");
const form = root?.querySelector("form.order-complete");
const data = root?.dataset ?? {};
const page = {
  id: `${data.person}:${data.order}`,
  person: Number(data.person),
  answers: data.answers,
  files: data.files,
  kept: take,
  photoSent,
};
let seen = { state: data.state, assigned_to: data.assigned || null };
let sentAt = null; // of the last that arrived, since the page was opened
let trouble = ""; // why what waits isn't sent
let timer = 0;

const steps = () => [...(form?.querySelectorAll("li[data-place]") ?? [])];
const clock = (at) => new Intl.DateTimeFormat("en-GB", { timeStyle: "short", timeZone: data.zone }).format(at);

// --- fields of the page

function inputOf(step, name) {
  return step.querySelector(`[name="${name}-${step.dataset.place}"]`);
}

function valueOf(input) {
  return input.type === "checkbox" ? input.checked : input.value;
}

function keptOf(step, name) {
  if (name === "done") return step.dataset.done === "yes";
  return (name === "note" ? step.dataset.note : step.dataset.value) ?? "";
}

/** The step of the page that a draft's field belongs to: the same text, at best in the same place. */
function stepOf(field) {
  const same = steps().filter((each) => each.dataset.step === field.step);
  return same.find((each) => Number(each.dataset.place) === field.place) ?? (same.length === 1 ? same[0] : null);
}

function put(input, value) {
  if (input.type === "checkbox") input.checked = Boolean(value);
  else if (input.value !== value) input.value = value;
}

const beyond = () => steps().filter((step) => step.dataset.outside === "yes");

/** Done, or a note says why not: as in devices/checklist.py. */
function answered(step) {
  const { note, kind, done, value, file, outside } = step.dataset;
  if (note) return true;
  if (kind === "check") return done === "yes";
  return Boolean(kind === "photo" ? file : value !== "" && outside !== "yes");
}

// --- what is said

function say(draft) {
  const line = document.getElementById("checklist-kept");
  if (!line) return;
  const count = waiting(draft);
  const wait = `${count} answer${count === 1 ? "" : "s"} wait${count === 1 ? "s" : ""}`;
  const words = [];
  if (count && lasting()) words.push(`kept in this browser, ${wait}`);
  else if (count) words.push(`${wait}; this browser keeps nothing, so don't leave the page`);
  else if (sentAt) words.push(`sent ${clock(sentAt)}`);
  if (count && trouble) words.push(trouble);
  words.push(`${steps().filter(answered).length} of ${steps().length} answered${sentAt ? ", not signed yet" : ""}`);
  const silent = beyond().filter((step) => !step.dataset.note).map((step) => step.dataset.step);
  if (silent.length) words.push(`beyond limits, say why: ${silent.join(", ")}`);
  for (const field of Object.values(draft.fields)) if (field.refused) words.push(field.refused);
  const text = words.join(" · ");
  if (line.textContent !== text) line.textContent = text;
}

function away(is) {
  const notice = document.getElementById("order-away");
  if (notice) notice.hidden = !is;
}

function signIn() {
  if (document.querySelector("[data-signed-out]")) return;
  const notice = toast("Signed out: sign in again, nothing is lost. ", "act");
  notice.dataset.signedOut = "";
  const link = document.createElement("a");
  link.href = `/login/?next=${encodeURIComponent(data.page)}`;
  link.textContent = "Sign in.";
  notice.querySelector("p").append(link);
}

// --- keeping

const pending = new Set(); // fields on their way into the browser's store

async function keep(input) {
  pending.add(input);
  const step = input.closest("li[data-place]");
  const name = input.name.split("-")[0];
  const field = {
    place: Number(step.dataset.place), step: step.dataset.step, kind: step.dataset.kind, name,
    base: keptOf(step, name), mine: valueOf(input),
  };
  const draft = await change(page.id, (each) => {
    const before = each.fields[nameOf(field)];
    const inFlight = each.batch?.changes.some((sent) => nameOf(sent) === nameOf(field));
    if (before) field.base = before.base;
    each.seen ??= seen;
    if (field.mine === field.base && !inFlight) delete each.fields[nameOf(field)];
    else each.fields[nameOf(field)] = field;
  });
  pending.delete(input);
  say(draft);
}

async function keepPhoto(input) {
  const [file] = input.files;
  if (!file) return;
  const step = input.closest("li[data-place]");
  if (file.size > Number(data.most)) {
    toast(`This photo is too large: at most ${Math.floor(Number(data.most) / 1024 ** 2)} MB.`, "act");
    return;
  }
  const photo = {
    key: newKey(), place: Number(step.dataset.place), step: step.dataset.step, filename: file.name,
    // the bytes, not the file: what the camera app keeps may be gone by then
    blob: new Blob([await file.arrayBuffer()], { type: file.type }),
    seen: step.dataset.file ? Number(step.dataset.file) : null,
  };
  const draft = await change(page.id, (each) => {
    each.seen ??= seen;
    each.photos[`${photo.place}|${photo.step}`] = photo;
  });
  input.value = ""; // else it would be sent once more with the signature
  picture(photo, URL.createObjectURL(photo.blob), "waits in this browser");
  say(draft);
  flush();
}

function picture(photo, url, text) {
  const step = stepOf(photo);
  const place = step?.querySelector("[data-photo]");
  if (!place) return;
  const image = document.createElement("img");
  image.className = "order-photo";
  image.src = url;
  image.alt = `photo of step ${photo.place + 1}`;
  const words = document.createElement("span");
  words.className = "muted";
  words.textContent = text;
  place.replaceChildren(image, words);
}

function photoSent(photo, file) {
  const step = stepOf(photo);
  if (step) step.dataset.file = String(file.id);
  // somebody else's change between would be signed over unseen: then signing shows both sides
  const revision = form?.elements.namedItem("revision");
  if (revision && file.order_revision === Number(revision.value) + 1) revision.value = file.order_revision;
  picture(photo, `${data.page}files/${file.id}/`, "sent");
}

// --- sending

let busy = null;
let more = false;

/** Sends what waits; one at a time, and once more where something came meanwhile. */
function flush() {
  if (busy) {
    more = true;
    return busy;
  }
  busy = (async () => {
    let found;
    do {
      more = false;
      found = await sendAll(page);
      await told(found);
    } while (more && (found.outcome === "sent" || found.outcome === "away"));
    return found;
  })().finally(() => { busy = null; });
  return busy;
}

async function told(found) {
  clearTimeout(timer);
  const { outcome, error } = found;
  trouble = {
    away: "no network",
    "signed-out": "you are signed out",
    conflict: "choose between yours and theirs above",
    "other-person": "somebody else is signed in",
    refused: error?.message ?? "",
  }[outcome] ?? "";
  away(outcome === "away");
  if (outcome === "sent") {
    sentAt = new Date();
    document.querySelector("[data-signed-out]")?.remove();
  }
  if (outcome === "sent" || outcome === "nothing") hide();
  if (outcome === "signed-out") signIn();
  if (outcome === "conflict") show(error, (fields) => decide(error, fields));
  if (outcome === "refused" && found.photo) {
    toast(error.message, "act");
    const place = stepOf(found.photo)?.querySelector("[data-photo]");
    if (place) place.textContent = error.message;
  }
  const draft = await read(page.id);
  say(draft);
  if (outcome === "away" && waits(draft)) timer = setTimeout(flush, AGAIN);
}

/** The order as the server has it now; fields that wait stay as they were typed. */
async function take(order) {
  seen = { state: order.state, assigned_to: order.assigned_to };
  const revision = form?.elements.namedItem("revision");
  if (revision) revision.value = order.revision;
  const draft = await read(page.id);
  order.checklist.forEach((item, place) => {
    const step = steps()[place];
    if (!step || step.dataset.step !== item.step) return;
    step.dataset.done = item.done ? "yes" : "";
    step.dataset.note = item.note;
    step.dataset.outside = order.out_of_limits.includes(item.step) ? "yes" : "";
    if (step.dataset.kind !== "photo") step.dataset.value = item.value ?? "";
    for (const name of ["done", "value", "note"]) {
      const input = inputOf(step, name);
      const waiting = draft.fields[nameOf({ name, place, step: item.step })];
      if (!input || input.type === "file" || waiting || pending.has(input)) continue;
      put(input, keptOf(step, name));
    }
  });
}

async function decide(error, fields) {
  const { extra } = error;
  const out = [];
  await change(page.id, (draft) => {
    draft.seen = { state: extra.state, assigned_to: extra.assigned_to };
    for (const field of fields) {
      const photo = `${field.place}|${field.step}`;
      if (field.name === "photo") {
        if (field.choice === "mine") draft.photos[photo].seen = field.theirs;
        else if (field.choice === "remark") draft.photos[photo].document = true;
        else delete draft.photos[photo];
        continue;
      }
      // its place may have moved since it was typed
      const name = Object.keys(draft.fields).find((each) => {
        const { name: of, step } = draft.fields[each];
        return of === field.name && step === field.step;
      });
      if (!name) continue;
      if (field.choice === "mine") Object.assign(draft.fields[name], { base: field.theirs, place: field.place });
      else {
        if (field.choice === "remark") out.push(field);
        delete draft.fields[name];
      }
    }
    if (out.length) draft.remark = { key: newKey(), changes: out.map(({ place, step, kind, name, base, mine }) => ({ place, step, kind, name, base, mine })) };
  });
  hide();
  const found = await flush();
  // what stands on the page is of before: steps, state, person
  if (found.outcome === "sent" || found.outcome === "nothing") location.assign(data.page);
}

// --- what the page does

async function restore() {
  const draft = await read(page.id);
  for (const field of Object.values(draft.fields)) {
    const input = stepOf(field) && inputOf(stepOf(field), field.name);
    if (input) put(input, field.mine);
  }
  for (const photo of Object.values(draft.photos)) picture(photo, URL.createObjectURL(photo.blob), "waits in this browser");
  if (waits(draft)) {
    say(draft);
    flush();
  }
}

/** Everything else on the page is of now or not at all: without network nothing is lost by trying. */
function needsNetwork(event) {
  if (navigator.onLine || event.target.closest("#order-conflict")) return false;
  event.preventDefault();
  event.stopImmediatePropagation();
  toast("This needs the network. What you typed stays; try again when it is back.", "watch");
  return true;
}

let signing = false;

async function sign(event) {
  if (signing) return;
  event.preventDefault();
  const { submitter } = event;
  const found = await flush();
  const there = await fetch(data.worker, { method: "HEAD", cache: "no-store" }).then(() => true, () => false);
  if (!there || waits(await read(page.id))) {
    const away = !there || found.outcome === "away";
    const why = away ? "Signing needs the network." : "Not signed yet: look at what waits first.";
    toast(`${why} Your answers are kept in this browser.`, "act");
    return;
  }
  signing = true;
  form.requestSubmit(submitter);
}

if (root) {
  document.addEventListener("submit", needsNetwork, true);
  form?.addEventListener("submit", sign);
  form?.addEventListener("input", (event) => {
    if (event.target.matches("[name^=value-], [name^=note-], [name^=done-]")) {
      keep(event.target).then(() => {
        clearTimeout(timer);
        timer = setTimeout(flush, QUIET);
      });
    }
  });
  form?.addEventListener("change", (event) => {
    if (event.target.matches("[name^=photo-]")) keepPhoto(event.target);
    else if (event.target.matches("[name^=value-], [name^=note-], [name^=done-]")) keep(event.target).then(flush);
  });
  addEventListener("online", () => { away(false); flush(); });
  addEventListener("offline", () => away(true));
  document.addEventListener("visibilitychange", () => { if (!document.hidden) flush(); });
  if (!navigator.onLine) {
    away(true);
    document.querySelectorAll("#messages [data-toast]").forEach((each) => each.remove()); // of then
  }
  restore();
}

// --- the page itself opens without network once it was visited

async function openable() {
  const worker = await navigator.serviceWorker.register(data.worker);
  const { active } = await navigator.serviceWorker.ready;
  const parts = performance.getEntriesByType("resource").map((each) => new URL(each.name));
  const own = parts.filter((url) => url.origin === location.origin && url.pathname.startsWith(data.static));
  (active ?? worker.active)?.postMessage({ page: data.page, parts: own.map((url) => url.pathname) });
}

if (root && "serviceWorker" in navigator) openable().catch(() => {}); // the page works without it
