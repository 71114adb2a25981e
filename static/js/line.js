// Skip, help, critical result: on the worklist a dialog asks why, on the film page the panel opens at
// its field.

import { isTyping, leaveFullScreen } from "./house.js";

const KINDS = { b: "skip", h: "help", "!": "critical" };
const TITLES = { skip: "Skip this film", help: "Ask for help" };
const dialog = document.getElementById("line-dialog");

function ask(button) {
  const form = dialog.querySelector("form");
  form.action = button.dataset.url;
  form.elements.reason.value = "";
  document.getElementById("line-title").textContent = TITLES[button.dataset.line];
  dialog.showModal();
  form.elements.reason.focus();
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-line]");
  if (button && dialog) ask(button);
  if (event.target.closest("#line-dialog [data-close]")) dialog.close();
});

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  if (isTyping(event.target) || document.querySelector("dialog[open]")) return;
  const kind = KINDS[event.key];
  if (!kind) return;
  const button = document.querySelector(`#worklist tr.is-current button[data-line="${kind}"]`);
  const panel = document.querySelector(`details[data-kind="${kind}"]`);
  if (!button && !panel) return;
  event.preventDefault();
  if (button) return ask(button);
  leaveFullScreen();
  panel.open = true;
  (panel.querySelector("input:not([type=hidden]), textarea") ?? panel.querySelector("summary")).focus();
});
