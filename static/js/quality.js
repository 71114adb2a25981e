// A session's form on phone and desk, and the protocol's editor; both work without this as well.
const session = document.querySelector("[data-session]");

function addValue(box) {
  const fields = box.querySelectorAll(".qa-value");
  if (fields.length >= Number(box.dataset.most)) return;
  const last = fields[fields.length - 1];
  const next = last.cloneNode();
  next.value = "";
  last.after(next);
  next.focus();
}

// What is kept while somebody types counts up the revision that the form says it has seen, so a
// signature waits for the answer of a keeping that is under way, and none begins beside it.
function oneAtATime(form) {
  let running = 0;
  let waiting = null;
  let leaving = false;
  form.addEventListener("htmx:beforeRequest", (event) => {
    if (leaving) event.preventDefault();
    else running += 1;
  });
  form.addEventListener("htmx:afterRequest", () => {
    running = Math.max(0, running - 1);
    if (!running && waiting) form.requestSubmit(waiting);
  });
  form.addEventListener("submit", (event) => {
    if (running) {
      event.preventDefault();
      waiting = event.submitter;
    } else leaving = true;
  });
}

if (session) {
  oneAtATime(session);
  for (const button of session.querySelectorAll("[data-more]")) {
    button.hidden = false;
    button.addEventListener("click", () => addValue(button.closest("[data-values]")));
  }
  session.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    const signature = session.querySelector("#id_signature");
    if (event.ctrlKey || event.metaKey) {
      event.preventDefault();
      signature?.focus();
      return;
    }
    if (!event.target.matches(".qa-value, .qa-note")) return;
    // Enter in a value is no signature: it leads to the next test
    event.preventDefault();
    const fields = [...session.querySelectorAll(".qa-value, .qa-choice input")];
    const here = event.target.closest(".qa-test");
    const next = fields.find((field) => here.compareDocumentPosition(field) & Node.DOCUMENT_POSITION_FOLLOWING && !here.contains(field));
    (next ?? signature)?.focus();
  });
}

const rows = document.getElementById("rows");
const add = document.querySelector("[data-add-row]");
if (rows && add) {
  add.hidden = false;
  add.addEventListener("click", () => {
    const all = rows.querySelectorAll("[data-row]");
    const made = all[all.length - 1].cloneNode(true);
    for (const field of made.querySelectorAll("[name]")) {
      field.name = field.name.replace(/\d+$/, String(all.length));
      if (field.tagName === "SELECT") field.selectedIndex = 0;
      else field.value = "";
    }
    rows.append(made);
    made.querySelector('[name^="name-"]').focus();
  });
}
