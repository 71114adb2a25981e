// What every page shares: search key, help dialog, list keys, toasts, errors of htmx requests.

/** True while a person types: single-key shortcuts must not fire. */
export function isTyping(target) {
  return Boolean(
    target?.closest?.("input:not([type=checkbox], [type=radio], [type=range]), select, textarea, [contenteditable]"),
  );
}

/** What happens beside a film on the full screen must be seen. */
export function leaveFullScreen() {
  if (document.fullscreenElement) document.exitFullscreen();
}

/** Shows a short message in the corner; `level` is ok, watch, act or info. */
export function toast(text, level = "info") {
  const box = document.createElement("div");
  box.className = `notice notice-${level}`;
  box.dataset.toast = "";
  if (level === "act") box.setAttribute("role", "alert");
  const paragraph = document.createElement("p");
  paragraph.textContent = text;
  const close = document.createElement("button");
  close.type = "button";
  close.className = "btn btn-quiet btn-small notice-close";
  close.dataset.dismiss = "";
  close.textContent = "close";
  box.append(paragraph, close);
  document.getElementById("messages").append(box);
  fade(box);
  return box;
}

// Errors stay until dismissed; the rest goes after a time long enough to read it.
function fade(box) {
  if (!box.classList.contains("notice-act")) setTimeout(() => box.remove(), 9000);
}

function openDialog(id) {
  const dialog = document.getElementById(id);
  if (dialog && !dialog.open) dialog.showModal();
}

// --- lists: j and k move, Enter opens
function rowsOf(table) {
  return [...table.querySelectorAll("tr[data-href]:not([hidden])")];
}

function select(row) {
  for (const other of row.closest("table").querySelectorAll("tr.is-current")) {
    other.classList.remove("is-current");
  }
  row.classList.add("is-current");
  row.tabIndex = -1;
  row.focus({ preventScroll: true });
  const wrap = row.closest(".table-wrap");
  const left = wrap?.scrollLeft;
  row.scrollIntoView({ block: "nearest" });
  if (wrap) wrap.scrollLeft = left; // a wide row would push its first cell out of sight
}

function listKey(event) {
  const table = event.target.closest?.("table[data-keys]") ?? document.querySelector("table[data-keys]");
  if (!table) return false;
  const rows = rowsOf(table);
  if (!rows.length) return false;
  const at = rows.findIndex((row) => row.classList.contains("is-current"));
  if (event.key === "j") select(rows[Math.min(at + 1, rows.length - 1)]);
  else if (event.key === "k") select(rows[Math.max(at - 1, 0)]);
  else if (event.key === "Enter" && at >= 0 && !event.target.closest("a, button, summary")) {
    location.assign(rows[at].dataset.href);
  } else return false;
  return true;
}

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
  if (isTyping(event.target) || document.querySelector("dialog[open]")) return;
  if (event.key === "/") {
    const search = document.querySelector("[data-search]");
    if (!search) return;
    event.preventDefault();
    search.focus();
    search.select();
  } else if (event.key === "?") {
    event.preventDefault();
    openDialog("shortcuts");
  } else if (listKey(event)) {
    event.preventDefault();
  }
});

document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-open-dialog]");
  if (opener) openDialog(opener.dataset.openDialog);
  const dismiss = event.target.closest("[data-dismiss]");
  if (dismiss) dismiss.closest("[data-toast]")?.remove();
  if (event.target.closest("[data-print]")) window.print();
  const row = event.target.closest("tr[data-href]");
  // a link, button or text selection inside the row keeps its own meaning
  if (row && !event.target.closest("a, button, input, label, select, summary") && !String(getSelection())) {
    if (event.ctrlKey || event.metaKey) window.open(row.dataset.href, "_blank", "noopener");
    else location.assign(row.dataset.href);
  }
});

// a filter form sends itself when a choice changes: <form data-autosubmit>
document.addEventListener("change", (event) => {
  event.target.form?.matches("[data-autosubmit]") && event.target.form.requestSubmit();
});

// --- htmx: an answer that says so is swapped in although it is an error; others become a toast
document.addEventListener("htmx:beforeSwap", (event) => {
  if (event.detail.xhr.getResponseHeader("X-Swap-Error") === "yes") {
    event.detail.shouldSwap = true;
    event.detail.isError = false;
  }
});
document.addEventListener("htmx:responseError", (event) => {
  const { xhr } = event.detail;
  const page = new DOMParser().parseFromString(xhr.responseText, "text/html");
  const said = page.querySelector("[data-error-message]")?.textContent.trim();
  if (xhr.status === 401 || xhr.status === 403) {
    toast(said ?? "No access. You may have been signed out: reload the page.", "act");
  } else {
    toast(said ?? `The server answered ${xhr.status}. Nothing was changed; try again.`, "act");
  }
});
// an answer that got lost on the way back looks the same as a request that never arrived
document.addEventListener("htmx:sendError", (event) => {
  if (event.detail.requestConfig?.verb === "get") toast("The server can't be reached. Check the network.", "act");
  else {
    const again = event.target.closest("[data-again]")?.dataset.again ?? "Reload to see it, then try again.";
    toast(`No answer came, so it may or may not have been saved. Check the network. ${again}`, "act");
  }
});

// --- a part that is swapped takes the focus with it: the same control gets it again, else the heading
const focused = new Map(); // by the part's id: a selector of the control that had the focus

function selectorOf(control) {
  const name = ["id", "aria-label", "data-sign", "data-act", "name"].find((each) => control.getAttribute(each));
  if (!name) return null;
  const value = control.type === "radio" ? `[value="${CSS.escape(control.value)}"]` : "";
  return `${control.localName}[${name}="${CSS.escape(control.getAttribute(name))}"]${value}`;
}

// before the request: a button that is disabled meanwhile has lost the focus when the answer comes
document.addEventListener("htmx:beforeRequest", ({ detail: { target } }) => {
  const at = document.activeElement;
  if (target?.id && target !== at && target.contains(at)) focused.set(target.id, selectorOf(at));
});
// of this part alone: another that settles meanwhile has nothing to do with it
document.addEventListener("htmx:afterSettle", ({ detail: { target } }) => {
  const id = target?.id;
  if (!focused.has(id)) return;
  const control = focused.get(id);
  focused.delete(id);
  const part = document.getElementById(id);
  if (!part || document.activeElement !== document.body) return;
  const heading = part.querySelector("h1, h2, h3");
  const again = (control && part.querySelector(control)) ?? heading;
  if (again === heading && heading) heading.tabIndex = -1;
  again?.focus({ preventScroll: true });
});

// --- signed out with something typed: it stays, and a sign-in in another tab makes it sendable again
function typed() {
  return [...document.querySelectorAll("main input:not([type=hidden]), main textarea, main select")].some((field) => {
    if (field.matches("[type=checkbox], [type=radio]")) return field.checked !== field.defaultChecked;
    if (field.matches("select")) return [...field.options].some((option) => option.selected && !option.defaultSelected && option.index);
    return field.value !== field.defaultValue && !field.matches("[type=range]");
  });
}

document.addEventListener("htmx:beforeOnLoad", (event) => {
  const { xhr } = event.detail;
  if (xhr.status !== 401 || !typed()) return; // without that, htmx goes to the sign-in page
  event.preventDefault();
  if (document.querySelector("[data-signed-out]")) return;
  const notice = toast("Signed out: sign in again, nothing is lost. ", "act");
  notice.dataset.signedOut = "";
  const link = document.createElement("a");
  link.href = xhr.getResponseHeader("HX-Redirect") ?? "/login/";
  link.target = "_blank";
  link.rel = "noopener";
  link.textContent = "Sign in in another tab, then go on here.";
  notice.querySelector("p").append(link);
});
document.addEventListener("htmx:afterOnLoad", (event) => {
  if (event.detail.xhr.status < 400) document.querySelector("[data-signed-out]")?.remove();
});

/** The token of now: a sign-in elsewhere gives this browser a new one; forms of before send it too. */
export function token() {
  return /(?:^|; )csrftoken=([^;]+)/.exec(document.cookie)?.[1];
}

document.addEventListener(
  "submit",
  (event) => {
    const field = event.target.elements.namedItem("csrfmiddlewaretoken");
    if (field && token()) field.value = token();
  },
  true,
);
document.addEventListener("htmx:configRequest", (event) => {
  if (token()) event.detail.headers["X-CSRFToken"] = token();
});

document.querySelectorAll("#messages [data-toast]").forEach(fade);
