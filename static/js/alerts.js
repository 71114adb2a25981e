// The list of alerts: a acknowledges the row, x chooses it, o opens its incident.

import { isTyping } from "./house.js";

const bulk = document.querySelector("[data-bulk]");

function chosen() {
  return document.querySelectorAll('input[name="alert"]:checked').length;
}

function count() {
  if (!bulk) return;
  const number = chosen();
  bulk.hidden = number === 0;
  bulk.querySelector("[data-chosen]").textContent = number === 1 ? "1 alert" : `${number} alerts`;
}

function toggle(button) {
  const open = button.getAttribute("aria-expanded") !== "true";
  button.setAttribute("aria-expanded", String(open));
  for (const row of document.querySelectorAll(`tr[data-member-of="${button.dataset.members}"]`)) row.hidden = !open;
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-members]");
  if (button) toggle(button);
});
document.addEventListener("change", (event) => event.target.matches('input[name="alert"]') && count());

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
  if (isTyping(event.target) || document.querySelector("dialog[open]")) return;
  const row = document.querySelector("tr.is-current");
  if (!row) return;
  if (event.key === "a") row.querySelector("[data-acknowledge]")?.click();
  else if (event.key === "x") row.querySelector('input[name="alert"]')?.click();
  else if (event.key === "o") row.querySelector("[data-members]")?.click();
  else return;
  event.preventDefault();
});

// an acknowledged row is another element: it stays the chosen one
let current = "";
document.addEventListener("htmx:beforeSwap", ({ detail: { target } }) => {
  current = target?.classList.contains("is-current") ? target.id : "";
});
document.addEventListener("htmx:afterSettle", () => {
  const row = current && document.getElementById(current);
  current = "";
  if (row) {
    row.classList.add("is-current");
    row.tabIndex = -1;
    row.focus({ preventScroll: true });
  }
  count();
});
count();
