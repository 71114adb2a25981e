// Signing by key: the same buttons that a mouse presses.

import { toast } from "./house.js";

/** Puts the focus on the conclusion's radio buttons. */
export function conclude() {
  const radios = [...document.querySelectorAll("#report [name=conclusion]")];
  (radios.find((radio) => radio.checked) ?? radios[0])?.focus();
}

/** Presses `sign` or `sign-next`; asks for a conclusion where none is chosen. */
export function sign(name) {
  const button = document.querySelector(`#report [data-sign="${name}"]`);
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
