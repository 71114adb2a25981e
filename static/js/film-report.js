// Signing by key: the same buttons that a mouse presses.

import { toast } from "./house.js";

/** Puts the focus on the radio buttons of the conclusion, or of whose reading is signed. */
export function conclude() {
  const name = document.querySelector("#report [name=choice]") ? "choice" : "conclusion";
  const radios = [...document.querySelectorAll(`#report [name=${name}]`)];
  (radios.find((radio) => radio.checked) ?? radios[0])?.focus();
}

// of two readings that differ: whose, or an own one with its conclusion
function decide(button) {
  const { choice, conclusion } = button.form.elements;
  if (choice.value && (choice.value !== "own" || conclusion.value)) return button.click();
  toast(choice.value ? "Choose your own conclusion first." : "Choose first whose reading is signed: C, then the arrow keys.", "watch");
  button.form.querySelector(`[name=${choice.value ? "conclusion" : "choice"}]`).focus();
}

/** Presses `sign` or `sign-next`; asks for a conclusion where none is chosen. */
export function sign(name) {
  const button = document.querySelector(`#report [data-sign="${name}"]`);
  const decision = document.querySelector("#report [data-decide]");
  if (decision) return decide(decision);
  if (!button) {
    if (document.querySelector("#report [data-commit]")) toast("Commit your first impression first: C, then Enter.", "watch");
    return;
  }
  if (!document.querySelector("#report [name=conclusion]:checked")) {
    toast("Choose a conclusion first: C, then the arrow keys.", "watch");
    conclude();
    return;
  }
  button.click(); // a click, so that htmx sends which of the two buttons it was
}
