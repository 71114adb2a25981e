// A checklist's steps as rows beside its text field: the rows write the text, and the text is what
// is sent. Without script the text alone is there.

const LINE = /^(.*?)\s*\[(check|photo|text|number(?:\s[^[\]]*)?)\]$/i; // as in devices/checklist_steps.py
const KINDS = { check: "passes or fails", number: "number", photo: "photo", text: "text" };

/** A line as its parts; what can't be said in a row is a step that passes or fails. */
export function parts(line) {
  const found = LINE.exec(line.trim());
  if (!found) return { text: line.trim(), kind: "check", unit: "", low: "", high: "" };
  const [kind, ...words] = found[2].trim().split(/\s+/);
  const step = { text: found[1], kind: kind.toLowerCase(), unit: "", low: "", high: "" };
  for (const word of words) {
    const at = word.indexOf("..");
    if (at < 0) step.unit = word;
    else [step.low, step.high] = [word.slice(0, at), word.slice(at + 2)];
  }
  return step;
}

/** The line of a row; empty where nothing is asked. */
export function line({ text, kind, unit, low, high }) {
  const said = text.trim().replace(/\s+/g, " ");
  if (!said) return "";
  if (kind === "check") return LINE.test(said) ? `${said} [check]` : said;
  if (kind !== "number") return `${said} [${kind}]`;
  const limits = low.trim() || high.trim() ? ` ${low.trim()}..${high.trim()}` : "";
  return `${said} [number ${unit.trim() || "1"}${limits}]`;
}

function field(label, name, value, more = {}) {
  const input = Object.assign(document.createElement("input"), { className: "input", value, ...more });
  input.dataset.part = name;
  input.setAttribute("aria-label", label);
  input.autocomplete = "off";
  return input;
}

function button(label, act, text) {
  const found = Object.assign(document.createElement("button"), { type: "button", className: "btn btn-small", textContent: text });
  found.dataset.act = act;
  found.setAttribute("aria-label", label);
  return found;
}

class Rows {
  constructor(area) {
    this.area = area;
    this.root = document.createElement("div");
    this.list = document.createElement("ol");
    this.list.className = "step-rows";
    this.said = document.createElement("p");
    this.said.className = "visually-hidden";
    this.said.setAttribute("role", "status");
    const bar = document.createElement("div");
    bar.className = "row";
    this.toggle = button("", "toggle", "Edit as text");
    this.toggle.removeAttribute("aria-label");
    const add = button("", "add", "Add a step");
    add.removeAttribute("aria-label");
    bar.append(add, this.toggle);
    this.root.append(this.list, bar, this.said);
    area.before(this.root);
    this.help = area.parentElement.querySelector(".field-help");
    this.asText(false);
    this.root.addEventListener("click", (event) => this.click(event));
    this.root.addEventListener("input", () => this.write());
    this.root.addEventListener("keydown", (event) => this.key(event));
  }

  asText(text) {
    if (!text) this.read();
    this.area.hidden = !text;
    if (this.help) this.help.hidden = !text;
    this.list.hidden = text;
    this.root.querySelector("[data-act=add]").hidden = text;
    this.toggle.textContent = text ? "Edit as rows" : "Edit as text";
    if (text) this.area.focus();
  }

  read() {
    const lines = this.area.value.split("\n").filter((each) => each.trim());
    this.list.replaceChildren(...lines.map((each) => this.row(parts(each))));
    this.number();
  }

  row(step) {
    const item = document.createElement("li");
    const kind = document.createElement("select");
    kind.className = "input";
    kind.dataset.part = "kind";
    for (const [value, label] of Object.entries(KINDS)) kind.add(new Option(label, value, false, value === step.kind));
    const numbers = document.createElement("span");
    numbers.className = "step-numbers";
    numbers.append(
      field("Unit (UCUM)", "unit", step.unit, { placeholder: "unit", maxLength: 32 }),
      field("Lowest", "low", step.low, { placeholder: "from", inputMode: "decimal", maxLength: 24 }),
      field("Highest", "high", step.high, { placeholder: "to", inputMode: "decimal", maxLength: 24 }),
    );
    item.append(
      field("", "text", step.text, { maxLength: 300, placeholder: "what is to be done" }), kind, numbers,
      button("", "up", "↑"), button("", "down", "↓"), button("", "remove", "×"),
    );
    return item;
  }

  /** Labels say which step, and the first can't go up. */
  number() {
    const rows = [...this.list.children];
    rows.forEach((item, at) => {
      const name = `step ${at + 1}`;
      const of = (selector) => item.querySelector(selector);
      of("[data-part=text]").setAttribute("aria-label", `Step ${at + 1}`);
      of("[data-part=kind]").setAttribute("aria-label", `Kind of ${name}`);
      of("[data-part=unit]").setAttribute("aria-label", `Unit of ${name}, UCUM`);
      of("[data-part=low]").setAttribute("aria-label", `Lowest of ${name}`);
      of("[data-part=high]").setAttribute("aria-label", `Highest of ${name}`);
      of("[data-act=up]").setAttribute("aria-label", `Move ${name} up`);
      of("[data-act=down]").setAttribute("aria-label", `Move ${name} down`);
      of("[data-act=remove]").setAttribute("aria-label", `Remove ${name}`);
      of("[data-act=up]").disabled = at === 0;
      of("[data-act=down]").disabled = at === rows.length - 1;
      of(".step-numbers").hidden = of("[data-part=kind]").value !== "number";
    });
  }

  write() {
    const value = (item, name) => item.querySelector(`[data-part=${name}]`).value;
    this.area.value = [...this.list.children]
      .map((item) => line(Object.fromEntries(["text", "kind", "unit", "low", "high"].map((name) => [name, value(item, name)]))))
      .filter(Boolean)
      .join("\n");
    this.number();
  }

  move(item, by) {
    const at = [...this.list.children].indexOf(item);
    const other = this.list.children[at + by];
    if (!other) return;
    if (by < 0) other.before(item);
    else other.after(item);
    this.write();
    this.said.textContent = `Now step ${at + by + 1}.`;
  }

  add(after = null) {
    const item = this.row(parts(""));
    if (after) after.after(item);
    else this.list.append(item);
    this.number();
    item.querySelector("[data-part=text]").focus();
  }

  click(event) {
    const act = event.target.closest("[data-act]")?.dataset.act;
    const item = event.target.closest("li");
    if (act === "add") this.add();
    else if (act === "toggle") this.asText(this.area.hidden);
    else if (act === "up" || act === "down") {
      this.move(item, act === "up" ? -1 : 1);
      const again = item.querySelector(`[data-act=${act}]`);
      (again.disabled ? item.querySelector("[data-part=text]") : again).focus();
    } else if (act === "remove") {
      const next = item.nextElementSibling ?? item.previousElementSibling;
      item.remove();
      this.write();
      this.said.textContent = "Removed.";
      (next?.querySelector("[data-part=text]") ?? this.root.querySelector("[data-act=add]")).focus();
    }
  }

  /** Alt and an arrow move the step; Enter begins the next one instead of sending the form. */
  key(event) {
    const item = event.target.closest("li");
    if (!item) return;
    const by = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (event.altKey && by) {
      event.preventDefault();
      this.move(item, by);
      event.target.focus();
    } else if (event.key === "Enter" && event.target.matches("input")) {
      event.preventDefault();
      this.add(item);
    }
  }
}

const area = document.querySelector("#plan-form textarea[name=checklist]");
if (area) new Rows(area);
