// Somebody else changed the order meanwhile: mine and theirs, field by field, and a choice.

const box = () => document.getElementById("order-conflict");

function said(name, value) {
  if (name === "photo") return value ? `photo ${value}` : "no photo";
  if (value === true) return "done";
  if (value === false) return "not done";
  return value === null || value === undefined || value === "" ? "nothing" : String(value);
}

function cell(text, label) {
  const found = document.createElement("td");
  found.dataset.label = label;
  found.textContent = text;
  return found;
}

function choice(number, value, text, checked) {
  const label = document.createElement("label");
  label.className = "check";
  const radio = document.createElement("input");
  radio.type = "radio";
  radio.name = `choice-${number}`;
  radio.value = value;
  radio.required = true;
  radio.checked = checked;
  label.append(radio, ` ${text}`);
  return label;
}

function row(field, number, closed) {
  const found = document.createElement("tr");
  const photo = field.name === "photo";
  const out = closed || field.outcome === "gone";
  const what = field.name === "note" ? `note on ${field.step}` : field.step;
  found.append(cell(what, "Step"), cell(photo ? "your photo" : said(field.name, field.mine), "Mine"));
  found.append(cell(field.outcome === "gone" ? "the step is gone" : said(field.name, field.theirs), "Theirs"));
  const choose = cell("", "Choose");
  if (out) {
    const keep = photo ? "attach mine as a document" : "put mine on the time line";
    choose.append(choice(number, "remark", keep, false));
    choose.append(choice(number, "theirs", "leave mine out", false));
  } else {
    choose.append(choice(number, "mine", "mine", field.outcome === "taken"));
    choose.append(choice(number, "theirs", "theirs", false));
  }
  found.append(choose);
  return found;
}

/** Nothing to choose any more. */
export function hide() {
  box().hidden = true;
}

/**
 * Shows both sides.
 * @param error the server's `order_changed`.
 * @param decided gets the fields with `choice`: mine, theirs, or remark.
 */
export function show(error, decided) {
  const root = box();
  const { reasons, fields } = error.extra;
  const closed = reasons.some((each) => each.code === "closed" || each.code === "not_begun");
  const open = fields.filter((field) => field.outcome !== "refused");
  root.querySelector("[data-reasons]").replaceChildren(
    ...reasons.map((each) => {
      const item = document.createElement("li");
      item.textContent = each.text;
      return item;
    }),
  );
  root.querySelector("tbody").replaceChildren(...open.map((field, number) => row(field, number, closed)));
  const form = root.querySelector("form");
  form.onsubmit = (event) => {
    event.preventDefault();
    event.stopPropagation();
    const given = new FormData(form);
    decided(open.map((field, number) => ({ ...field, choice: given.get(`choice-${number}`) })));
  };
  const before = root.hidden;
  root.hidden = false;
  if (before) root.querySelector("h2").focus({ preventScroll: false });
}
