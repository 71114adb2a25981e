// Text blocks in the report: `/code` and a space, or a list by keyboard.

import { toast } from "./house.js";

const CODE = /(^|[\s(])\/([a-z0-9-]{1,20})$/i;
const dialog = document.getElementById("blocks-dialog");
const filter = document.getElementById("blocks-filter");
const list = document.getElementById("blocks-list");

let known = null; // the film's blocks and what goes into them; asked for when a text gets the focus
let area = null; // where the next block goes
let spot = [0, 0]; // its selection, before the list takes the focus
let at = 0;

const areaOf = (target) => target?.closest?.("#report [data-section] textarea") ?? null;

async function load() {
  const url = document.querySelector("#report form[data-blocks]")?.dataset.blocks;
  if (!url) return null;
  try {
    const answer = await fetch(url);
    if (answer.ok) known = await answer.json();
  } catch {
    // asked for again at the next use
  }
  return known;
}

function filled(text) {
  const chosen = document.querySelector("#findings .is-current")?.dataset.key;
  const finding = known.findings[chosen] ?? Object.values(known.findings)[0] ?? {};
  const values = { ...known.values, ...finding };
  const open = [];
  const said = text.replace(/\{([a-z]+)\}/g, (mark, name) => {
    if (values[name] === undefined) open.push(mark);
    return values[name] ?? mark;
  });
  if (open.length) toast(`Fill in ${open.join(", ")}: the film doesn't say it.`, "watch");
  return said;
}

function insert(text, from, to) {
  area.focus();
  area.setRangeText(text, from, to, "end");
  area.dispatchEvent(new Event("input", { bubbles: true }));
}

// a block of one's own stands before a shared one with its code
function byCode(code) {
  const found = known?.blocks.filter((block) => block.code === code.toLowerCase()) ?? [];
  return found.find((block) => !block.shared) ?? found[0];
}

function expand(event) {
  const { selectionStart: end, selectionEnd, value } = area;
  const typed = end === selectionEnd && CODE.exec(value.slice(0, end));
  if (!typed) return;
  if (!known) return expandLate(typed[2], end);
  const block = byCode(typed[2]);
  if (!block) return;
  event.preventDefault();
  insert(`${filled(block.text)} `, end - typed[2].length - 1, end);
}

// the code and its space were faster than the blocks: they are replaced where they still stand
async function expandLate(code, end) {
  const [where, mark] = [area, `/${code} `];
  await load();
  const block = byCode(code);
  const start = end - code.length - 1;
  if (!block || area !== where || where.value.slice(start, end + 1) !== mark) return;
  where.setRangeText(`${filled(block.text)} `, start, end + 1, "preserve"); // the caret stays where it was
  where.dispatchEvent(new Event("input", { bubbles: true }));
}

// --- the list

function options() {
  const words = filter.value.trim().toLowerCase();
  const section = area?.closest("[data-section]").dataset.section;
  const fits = known.blocks.filter((b) => `${b.code} ${b.title} ${b.text}`.toLowerCase().includes(words));
  return fits.sort((a, b) => Number(b.section === section) - Number(a.section === section));
}

function draw() {
  const found = options();
  at = Math.max(0, Math.min(at, found.length - 1));
  list.replaceChildren(...found.map(option));
  document.getElementById("blocks-empty").hidden = found.length > 0;
  filter.setAttribute("aria-activedescendant", found.length ? `block-${found[at].id}` : "");
  list.children[at]?.scrollIntoView({ block: "nearest" });
}

function option(block, i) {
  const item = document.createElement("li");
  item.id = `block-${block.id}`;
  item.setAttribute("role", "option");
  item.setAttribute("aria-selected", String(i === at));
  item.dataset.at = String(i);
  const head = document.createElement("strong");
  head.textContent = `/${block.code} ${block.title}`;
  const text = document.createElement("span");
  text.textContent = block.text;
  item.append(head, text);
  return item;
}

async function open() {
  if (!(known ?? (await load()))) return toast("The text blocks can't be had now; try again.", "watch");
  area ??= document.getElementById("report-findings");
  spot = [area.selectionStart, area.selectionEnd];
  filter.value = "";
  at = 0;
  dialog.showModal();
  draw();
  filter.focus();
}

function chosen(i) {
  const block = options()[i];
  if (!block) return;
  dialog.close();
  insert(filled(block.text), ...spot);
}

document.addEventListener("focusin", (event) => {
  const found = areaOf(event.target);
  if (!found) return;
  area = found;
  if (!known) load();
});
document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.altKey || event.metaKey || !areaOf(event.target)) return;
  area = event.target;
  if (event.ctrlKey && event.key === "/") {
    event.preventDefault();
    open();
  } else if (event.key === " " && !event.ctrlKey) expand(event);
});
document.addEventListener("click", (event) => {
  if (event.target.closest("[data-blocks-open]")) open();
  const item = event.target.closest("#blocks-list [data-at]");
  if (item) chosen(Number(item.dataset.at));
});
document.addEventListener("htmx:afterSwap", (event) => {
  if (event.target.id === "findings") known = null; // other findings fill the placeholders
  if (event.target.id === "report") area = null;
});
filter.addEventListener("input", () => {
  at = 0;
  draw();
});
filter.addEventListener("keydown", (event) => {
  if (event.key === "ArrowDown") at += 1;
  else if (event.key === "ArrowUp") at -= 1;
  else if (event.key === "Enter") {
    event.preventDefault();
    return chosen(at);
  } else return;
  event.preventDefault();
  draw();
});
