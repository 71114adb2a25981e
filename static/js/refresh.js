// Parts of a page that renew themselves: <div data-refresh="20" hx-get=… hx-trigger="refresh">.
// Nothing is asked while the page is hidden or a dialog is open; the chosen row keeps the focus.

function renew(part) {
  if (document.hidden || document.querySelector("dialog[open]")) return;
  part.dispatchEvent(new CustomEvent("refresh"));
}

for (const part of document.querySelectorAll("[data-refresh]")) {
  setInterval(() => renew(part), Number(part.dataset.refresh) * 1000);
  document.addEventListener("visibilitychange", () => renew(part));

  let current = "";
  let focused = "";
  part.addEventListener("htmx:beforeSwap", () => {
    current = part.querySelector("tr.is-current")?.id ?? "";
    focused = part.contains(document.activeElement) ? document.activeElement.id : "";
  });
  // after settling: htmx sets the attributes of elements that keep their id once more there
  part.addEventListener("htmx:afterSettle", () => {
    const row = current && document.getElementById(current);
    if (row) {
      row.classList.add("is-current");
      row.tabIndex = -1;
    }
    if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
  });
}
