// An order dragged onto another day or person opens the form that asks why; without a mouse the
// link beside it opens the same form.

const table = document.querySelector("[data-week]");
let dragged = null;

function cellOf(event) {
  return event.target.closest?.("td[data-day]");
}

function mark(cell) {
  for (const other of table.querySelectorAll(".is-target")) {
    if (other !== cell) other.classList.remove("is-target");
  }
  cell?.classList.add("is-target");
}

if (table) {
  table.addEventListener("dragstart", (event) => {
    dragged = event.target.closest?.("[data-move]") ?? null;
    if (dragged) event.dataTransfer.setData("text/plain", dragged.textContent.trim());
  });
  table.addEventListener("dragover", (event) => {
    const cell = cellOf(event);
    if (!dragged || !cell) return;
    event.preventDefault();
    mark(cell);
  });
  table.addEventListener("dragend", () => {
    dragged = null;
    mark(null);
  });
  table.addEventListener("drop", (event) => {
    const cell = cellOf(event);
    if (!dragged || !cell || cell.contains(dragged)) return;
    event.preventDefault();
    const asked = new URLSearchParams({ day: cell.dataset.day, person: cell.dataset.person });
    location.assign(`${dragged.dataset.move}?${asked}`);
  });
}
