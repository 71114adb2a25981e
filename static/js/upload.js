// The upload page: one request per file, three at once, a row for each until the server's row
// takes its place. Without this script the form works as it stands.

const AT_ONCE = 3;
const form = document.getElementById("upload-form");
const token = form.querySelector("[name=csrfmiddlewaretoken]").value;
const maxFile = Number(form.dataset.maxFile);
const maxRequest = Number(form.dataset.maxRequest);
const batch = crypto.randomUUID?.() ?? String(Date.now());
const summary = document.getElementById("summary");
const pictureForm = document.getElementById("picture-form");

const queue = [];
const waitingForForm = [];
let sending = 0;
const tally = { chosen: 0, stored: 0, duplicate: 0, quarantined: 0, refused: 0, failed: 0 };

// --- which files

/** dicom, picture, zip or other, by content: a name says nothing. */
async function kindOf(file) {
  const head = new Uint8Array(await file.slice(0, 132).arrayBuffer());
  const ascii = String.fromCharCode(...head);
  if (ascii.slice(128, 132) === "DICM") return "dicom";
  if (ascii.startsWith("\x89PNG") || (head[0] === 0xff && head[1] === 0xd8)) return "picture";
  if (ascii.startsWith("PK\x03\x04")) return "zip";
  return "other";
}

/** All files below a dropped entry, folders opened; hidden files and DICOMDIR passed over. */
async function filesBelow(entry, path = "") {
  if (entry.name.startsWith(".") || entry.name === "DICOMDIR") return [];
  if (entry.isFile) {
    const file = await new Promise((resolve, reject) => entry.file(resolve, reject));
    return [{ file, name: path + file.name }];
  }
  const reader = entry.createReader();
  const found = [];
  for (;;) {
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (!some.length) return found;
    for (const child of some) found.push(...(await filesBelow(child, `${path}${entry.name}/`)));
  }
}

function fromInput(input) {
  const found = [...input.files]
    .map((file) => ({ file, name: file.webkitRelativePath || file.name }))
    .filter(({ name }) => !name.split("/").some((part) => part.startsWith(".")) && !name.endsWith("DICOMDIR"));
  input.value = "";
  return found;
}

// --- rows

function badge(row, name) {
  row.querySelector("[data-state]").replaceChildren(document.getElementById(`badge-${name}`).content.cloneNode(true));
}

function addRow(name) {
  const row = document.getElementById("sending-row").content.cloneNode(true).firstElementChild;
  row.querySelector("[data-name]").textContent = name;
  document.getElementById("intake-table").hidden = false;
  document.getElementById("intake-empty")?.remove();
  document.getElementById("intake-rows").prepend(row);
  return row;
}

function note(row, text) {
  row.querySelector("[data-note]").textContent = text;
}

function showSummary() {
  const done = tally.stored + tally.duplicate + tally.quarantined + tally.refused;
  const parts = [`${done} of ${tally.chosen} done`];
  for (const key of ["stored", "duplicate", "quarantined", "refused"]) {
    if (tally[key]) parts.push(`${tally[key]} ${key}`);
  }
  if (tally.failed) parts.push(`${tally.failed} not sent`);
  if (waitingForForm.length) parts.push(`${waitingForForm.length} wait for the form`);
  summary.hidden = false;
  summary.textContent = parts.join(" · ");
}

function showPictureForm() {
  const count = waitingForForm.length;
  pictureForm.hidden = count === 0;
  document.getElementById("picture-actions").hidden = count === 0;
  document.getElementById("picture-count").textContent = `${count} picture${count === 1 ? "" : "s"}`;
}

// --- sending

async function take(found) {
  for (const { file, name } of found) {
    tally.chosen += 1;
    const item = { file, name, row: addRow(name), kind: "other" };
    try {
      item.kind = await kindOf(file);
    } catch {
      fail(item, "The browser can't read this file.");
      continue;
    }
    const limit = item.kind === "zip" ? maxRequest : maxFile;
    if (file.size > limit) {
      fail(item, `It is larger than ${Math.floor(limit / 2 ** 20)} MiB, the limit here.`, false);
    } else if (item.kind === "picture") {
      badge(item.row, "form");
      waitingForForm.push(item);
    } else {
      queue.push(item);
    }
  }
  if (waitingForForm.length) {
    showPictureForm();
    document.getElementById("patient_id").focus();
  }
  showSummary();
  pump();
}

function pump() {
  while (sending < AT_ONCE && queue.length) send(queue.shift());
}

function send(item) {
  sending += 1;
  badge(item.row, "sending");
  item.row.querySelector("[data-retry]").hidden = true;
  const data = new FormData();
  data.append("batch", batch);
  // a zip may hold pictures: what stands in the form goes along
  const fields = item.kind === "picture" ? item.fields : item.kind === "zip" ? formFields() : {};
  for (const [key, value] of Object.entries(fields)) data.append(key, value);
  data.append("file", item.file, item.name.replaceAll("/", "_"));
  const request = new XMLHttpRequest();
  request.open("POST", form.action);
  request.setRequestHeader("X-CSRFToken", token);
  request.setRequestHeader("X-Upload", "1");
  request.setRequestHeader("Accept", "application/json, text/html");
  const progress = item.row.querySelector("progress");
  request.upload.addEventListener("progress", (event) => {
    if (!event.lengthComputable) return;
    progress.value = (100 * event.loaded) / event.total;
    note(item.row, `${Math.round(progress.value)} %`);
  });
  request.upload.addEventListener("load", () => badge(item.row, "checking"));
  request.addEventListener("load", () => arrived(item, request));
  request.addEventListener("error", () => fail(item, "The connection broke. Nothing of it was kept."));
  request.addEventListener("abort", () => fail(item, "Sending was stopped."));
  request.addEventListener("loadend", () => {
    sending -= 1;
    showSummary();
    pump();
  });
  request.send(data);
}

function arrived(item, request) {
  if (new URL(request.responseURL).pathname === form.dataset.login) {
    fail(item, "You are signed out. Sign in again, then send it once more.");
    return;
  }
  if (request.status !== 200) {
    fail(item, messageOf(request));
    return;
  }
  const holder = document.createElement("template");
  holder.innerHTML = request.responseText;
  const rows = [...holder.content.querySelectorAll("tr")];
  for (const row of rows) {
    if (row.dataset.outcome in tally) tally[row.dataset.outcome] += 1;
    if (row.dataset.outcome) for (const name of ["all", row.dataset.outcome]) countUp(name);
  }
  // a zip is one choice and many files
  tally.chosen += Math.max(0, rows.filter((row) => row.dataset.outcome).length - 1);
  item.row.replaceWith(...rows);
  for (const row of rows) window.htmx?.process(row);
}

// the filters above the list count what has just arrived, too
function countUp(name) {
  const count = document.querySelector(`[data-count="${CSS.escape(name)}"]`);
  if (count) count.textContent = String(Number(count.textContent) + 1);
}

function messageOf(request) {
  try {
    return JSON.parse(request.responseText).message;
  } catch {
    return `The server answered ${request.status}. Try again.`;
  }
}

function fail(item, text, again = true) {
  tally.failed += 1;
  badge(item.row, "failed");
  note(item.row, text);
  const retry = item.row.querySelector("[data-retry]");
  retry.hidden = !again;
  retry.onclick = () => {
    tally.failed -= 1;
    badge(item.row, "waiting");
    note(item.row, "");
    queue.push(item);
    showSummary();
    pump();
  };
}

function formFields() {
  const values = {};
  for (const key of ["patient_id", "device", "acquired_at", "view"]) {
    values[key] = document.getElementById(key).value.trim();
  }
  return values;
}

function sendPictures() {
  for (const key of ["patient_id", "device"]) {
    const input = document.getElementById(key);
    const missing = input.value.trim() === "";
    input.setCustomValidity(missing ? "A picture needs this." : "");
    input.setAttribute("aria-invalid", String(missing));
    if (missing) {
      input.reportValidity();
      return;
    }
  }
  const fields = formFields();
  for (const item of waitingForForm.splice(0)) {
    badge(item.row, "waiting");
    queue.push({ ...item, fields });
  }
  showPictureForm();
  showSummary();
  pump();
}

// --- wiring

const files = document.getElementById("files");
const folder = document.getElementById("folder");
const drop = document.getElementById("drop");

files.addEventListener("change", () => take(fromInput(files)));
folder.addEventListener("change", () => take(fromInput(folder)));
document.getElementById("picture-send").addEventListener("click", sendPictures);
form.addEventListener("submit", (event) => {
  event.preventDefault();
  if (waitingForForm.length) sendPictures();
});
for (const key of ["patient_id", "device"]) {
  document.getElementById(key).addEventListener("input", (event) => event.target.setCustomValidity(""));
}

for (const name of ["dragenter", "dragover"]) {
  document.addEventListener(name, (event) => {
    event.preventDefault();
    drop.classList.add("is-over");
  });
}
document.addEventListener("dragleave", (event) => {
  if (!event.relatedTarget) drop.classList.remove("is-over");
});
document.addEventListener("drop", async (event) => {
  event.preventDefault();
  drop.classList.remove("is-over");
  // entries must be asked for before the first await: the list is gone afterwards
  const entries = [...event.dataTransfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  const found = [];
  if (!entries.length) found.push(...[...event.dataTransfer.files].map((file) => ({ file, name: file.name })));
  for (const entry of entries) found.push(...(await filesBelow(entry)));
  await take(found);
});

window.addEventListener("beforeunload", (event) => {
  if (sending || queue.length) event.preventDefault();
});

// the script is here: folders and one-by-one sending replace the plain form
document.getElementById("folder-field").hidden = false;
document.getElementById("plain-actions").hidden = true;
files.removeAttribute("name");
showPictureForm();
form.dataset.ready = "yes";
