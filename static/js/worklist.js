// The worklist renews itself, but never moves a row under the reader's cursor or keys;
// and shows a film's picture with boxes beside the row.

import { isTyping } from "./house.js";

const peek = document.getElementById("peek");
const picture = peek.querySelector("img");
const overlay = peek.querySelector("svg");
const pill = document.getElementById("worklist-new");
let waiting = null; // the newest table that was not put in place yet
let timer = 0;

function table() {
  return document.getElementById("worklist");
}

function busy() {
  const now = table();
  return now.matches(":hover") || now.contains(document.activeElement) || Boolean(now.querySelector(".is-current"));
}

function idsIn(root) {
  return [...root.querySelectorAll("tr[data-id]")].map((row) => row.dataset.id);
}

document.addEventListener("htmx:beforeSwap", (event) => {
  if (event.detail.target !== table() || event.detail.xhr.status !== 200 || !busy()) return;
  event.detail.shouldSwap = false;
  const fresh = new DOMParser().parseFromString(event.detail.xhr.responseText, "text/html");
  waiting = event.detail.xhr.responseText;
  const known = new Set(idsIn(table()));
  const added = idsIn(fresh).filter((id) => !known.has(id)).length;
  const foot = fresh.getElementById("worklist-foot");
  document.querySelector("#worklist-foot > span").replaceWith(foot.querySelector("span"));
  pill.hidden = added === 0;
  pill.textContent = `${added} new film${added === 1 ? "" : "s"}: show`;
});

pill.addEventListener("click", () => {
  if (!waiting) return;
  window.htmx.swap(table(), waiting, { swapStyle: "outerHTML" });
  waiting = null;
  pill.hidden = true;
});
document.addEventListener("htmx:afterSwap", () => {
  hide();
  pill.hidden = true;
});

// --- the picture beside the row
function show(row) {
  if (!row || "noPicture" in row.dataset) return hide();
  const [columns, rows] = row.dataset.size.split(" ").map(Number);
  picture.width = 256;
  picture.height = Math.max(1, Math.round((256 * rows) / columns));
  if (picture.getAttribute("src") !== row.dataset.thumb) picture.src = row.dataset.thumb;
  overlay.setAttribute("viewBox", `0 0 ${columns} ${rows}`);
  overlay.replaceChildren(...boxes(row.dataset.boxes, columns / 256));
  peek.querySelector("figcaption").textContent = row.querySelector(".wl-why").textContent;
  peek.hidden = false;
  const at = row.getBoundingClientRect();
  const height = peek.getBoundingClientRect().height;
  peek.style.top = `${Math.max(56, Math.min(at.bottom + 2, innerHeight - height - 8))}px`;
  peek.style.left = `${Math.max(8, Math.min(at.left + at.width * 0.55, innerWidth - 280))}px`;
}

function boxes(text, unit) {
  return text
    .split(";")
    .filter(Boolean)
    .map((one) => {
      const [label, x, y, width, height] = one.split(" ");
      const group = document.createElementNS("http://www.w3.org/2000/svg", "g");
      group.setAttribute("class", `box box-${label}`);
      const rect = document.createElementNS("http://www.w3.org/2000/svg", "rect");
      rect.setAttribute("class", "box-line");
      rect.setAttribute("vector-effect", "non-scaling-stroke");
      for (const [key, value] of Object.entries({ x, y, width, height, rx: unit })) rect.setAttribute(key, value);
      group.append(rect);
      return group;
    });
}

function hide() {
  clearTimeout(timer);
  peek.hidden = true;
}

document.addEventListener("pointerover", (event) => {
  if (event.pointerType !== "mouse") return;
  const row = event.target.closest?.("#worklist tr[data-thumb]");
  clearTimeout(timer);
  if (!row) return hide();
  timer = setTimeout(() => show(row), 300);
});
document.addEventListener("focusin", (event) => {
  const row = event.target.closest?.("#worklist tr[data-thumb]");
  if (row && !peek.hidden) show(row);
});
document.addEventListener("keydown", (event) => {
  if (isTyping(event.target) || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "ArrowRight") show(document.querySelector("#worklist tr.is-current"));
  if (event.key === "ArrowLeft" || event.key === "Escape") hide();
});
document.addEventListener("scroll", hide, { passive: true });
picture.addEventListener("error", hide);
