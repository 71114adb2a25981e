// The report's draft: kept by the server a second after typing stops, and before the page is left.
// No text is kept in the browser beyond the page itself.

import { toast, token } from "./house.js";

const QUIET = 1000; // ms without a key before the draft is kept
const AGAIN = 5000; // ms until another try after a failure

let timer = 0;
let sending = false;
let unsent = false; // something was typed that the server hasn't kept
let held = false; // a newer text of another tab waits for a choice

const form = () => document.querySelector("#report form[data-draft]");
const sections = () => [...document.querySelectorAll("#report [data-section]")].map(sectionOf);

function sectionOf(root) {
  const area = root.querySelector("textarea");
  const base = root.querySelector("input[type=hidden]");
  return {
    key: root.dataset.section,
    area,
    base,
    title: root.querySelector("label").firstChild.textContent,
    edited: () => Boolean(area.value.trim()) && area.value.trim() !== base.value.trim(),
    mark() {
      for (const part of root.querySelectorAll("[data-edited], [data-redraft]")) part.hidden = !this.edited();
    },
  };
}

function say(text, link) {
  const line = document.getElementById("report-kept");
  if (!line || line.textContent === text) return;
  line.textContent = text;
  if (!link) return;
  const anchor = document.createElement("a");
  anchor.href = link;
  anchor.target = "_blank";
  anchor.textContent = " Sign in";
  line.append(anchor);
}

function mine() {
  return Object.fromEntries(sections().filter((s) => s.edited()).map((s) => [s.key, s.area.value.trim()]));
}

function conclusion() {
  return form()?.querySelector("[name=conclusion]:checked")?.value ?? "";
}

/** Takes what the facts say now; a section that the reader wrote himself stays. */
function take(data, { words = false } = {}) {
  const found = new Map(data.sections.map((section) => [section.key, section]));
  for (const section of sections()) {
    const { drafted, text } = found.get(section.key);
    const own = section.edited();
    section.base.value = drafted;
    // a section that is being emptied is left alone until the reader goes on
    const emptied = !section.area.value.trim() && document.activeElement === section.area;
    const shown = words ? text : own || emptied ? section.area.value : drafted;
    if (section.area.value !== shown) section.area.value = shown;
    section.mark();
  }
}

function later(wait) {
  clearTimeout(timer);
  timer = setTimeout(keep, wait);
}

function typed() {
  unsent = true;
  if (!held) later(QUIET);
}

function put(keepalive) {
  const { draft, revision } = form().dataset;
  return fetch(draft, {
    method: "PUT",
    keepalive,
    headers: { "Content-Type": "application/json", "X-CSRFToken": token() },
    body: JSON.stringify({ revision: Number(revision), conclusion: conclusion(), sections: mine() }),
  });
}

async function keep() {
  if (!form() || !unsent || held) return;
  if (sending) return later(QUIET);
  sending = true;
  unsent = false;
  try {
    await kept(await put(false));
  } catch {
    unsent = true;
    say("Not saved yet, trying again: the server can't be reached.");
    later(AGAIN);
  } finally {
    sending = false;
  }
}

async function kept(answer) {
  if (!form()) return;
  if (answer.ok) {
    const data = await answer.json();
    if (!form()) return;
    form().dataset.revision = String(data.revision);
    take(data);
    say(unsent ? "Writing…" : "Draft kept.");
    return;
  }
  unsent = true;
  if (answer.status === 401 || answer.status === 403) {
    say("Not saved yet, trying again: you are signed out.", `/login/?next=${encodeURIComponent(location.pathname)}`);
    return later(AGAIN);
  }
  if (answer.status >= 500 || answer.status === 429) {
    say("Not saved yet, trying again.");
    return later(AGAIN);
  }
  const error = await answer.json();
  if (error.code === "stale_draft") return conflict();
  say(`Not saved: ${error.message}`);
}

// --- two tabs

let other = null;

async function conflict() {
  const answer = await fetch(form().dataset.draft);
  if (!answer.ok || !form()) return later(AGAIN);
  other = await answer.json();
  held = true;
  const list = document.getElementById("report-other");
  list.replaceChildren();
  const theirs = new Map(other.sections.map((section) => [section.key, section]));
  for (const section of sections()) {
    const { title, text } = theirs.get(section.key);
    if (text.trim() === section.area.value.trim()) continue;
    const term = document.createElement("dt");
    const said = document.createElement("dd");
    term.textContent = title;
    said.textContent = text;
    said.className = "report-text";
    list.append(term, said);
  }
  document.getElementById("report-conflict").hidden = false;
  say("Not saved yet: choose one of the two texts.");
}

function choose(which) {
  form().dataset.revision = String(other.revision);
  held = false;
  document.getElementById("report-conflict").hidden = true;
  if (which === "other") {
    take(other, { words: true });
    for (const radio of form().querySelectorAll("[name=conclusion]")) radio.checked = radio.value === other.conclusion;
    unsent = false;
    say("The other tab's text.");
  } else {
    unsent = true;
    keep();
  }
}

// --- the facts changed: a verdict was given

async function refresh() {
  if (!form()) return;
  const query = conclusion() ? `?conclusion=${conclusion()}` : "";
  try {
    const answer = await fetch(form().dataset.draft + query);
    if (answer.ok && form()) take(await answer.json());
  } catch {
    // the next save brings them too
  }
}

document.addEventListener("input", (event) => {
  const root = event.target.closest?.("#report [data-section]");
  if (!root) return;
  sectionOf(root).mark();
  typed();
});
document.addEventListener("change", (event) => {
  const root = event.target.closest?.("#report [data-section]");
  if (root) {
    const section = sectionOf(root);
    if (!section.area.value.trim()) section.area.value = section.base.value; // emptied: drafted again
    section.mark();
  } else if (event.target.matches?.("#report [name=conclusion]")) typed();
});
document.addEventListener("click", (event) => {
  const again = event.target.closest("[data-redraft]");
  if (again) {
    const section = sectionOf(again.closest("[data-section]"));
    section.area.value = section.base.value;
    section.mark();
    section.area.focus();
    typed();
  }
  const choice = event.target.closest("[data-choose]");
  if (choice) choose(choice.dataset.choose);
});
document.addEventListener("htmx:beforeOnLoad", (event) => {
  // signed: the draft is done with, and leaving asks nothing
  if (event.target.closest?.("#report") && event.detail.xhr.status < 300) unsent = false;
});
document.addEventListener("htmx:afterSwap", (event) => {
  if (event.target.id === "findings") refresh();
  if (event.target.id === "report" && form()) typed(); // refused: what was typed came back
});
addEventListener("online", () => unsent && keep());
addEventListener("pagehide", () => {
  if (form() && unsent && !held) put(true).catch(() => {});
});
addEventListener("beforeunload", (event) => {
  // a text that the server could not keep; one that is merely on its way goes by `pagehide`
  const waits = document.getElementById("report-kept")?.textContent.startsWith("Not saved");
  if (form() && unsent && waits) event.preventDefault();
});
document.addEventListener("htmx:sendError", (event) => {
  if (event.target.closest?.("#report")) toast("Your text is still in the report. Sign again when the network is back.", "watch");
});
