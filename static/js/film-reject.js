// The dialog that asks why a finding is rejected: a digit chooses and rejects at once.

import { isTyping } from "./house.js";

const dialog = document.getElementById("reject-dialog");
const form = dialog?.querySelector("form");
const words = form?.elements.namedItem("reason");

dialog?.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
  const radio = form.querySelector(`[data-digit="${CSS.escape(event.key)}"]`);
  if (!radio) return;
  event.preventDefault();
  radio.checked = true;
  wordsNeeded();
  if (words.required) words.focus();
  else form.requestSubmit(form.querySelector("[value=reject]"));
});
form?.addEventListener("change", wordsNeeded);

function wordsNeeded() {
  words.required = Boolean(form.querySelector("[data-words]:checked"));
}

/** Asks; calls `then({ reason_code, reason })` if the finding is to be rejected. */
export function askReason(said, then) {
  document.getElementById("reject-what").textContent = said;
  form.reset();
  wordsNeeded();
  dialog.returnValue = "";
  dialog.onclose = () => {
    if (dialog.returnValue === "reject") then(Object.fromEntries(new FormData(form)));
  };
  dialog.showModal();
}
