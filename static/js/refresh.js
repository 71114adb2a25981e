// Parts of a page that renew themselves: <div data-refresh="20" hx-get=… hx-trigger="refresh">.
// Nothing is asked while the page is hidden or a dialog is open; the chosen row keeps the focus.
// The mark [data-live=ID OF THE PART] says when it was last heard of. A part with data-keep stays on its
// page when the session has ended, and says so.

const SOON = 5000; // ms: while the server is away, it is asked this often

/** Times as the hospital's clock shows them; with the day where it isn't today's. */
function clockOf(zone) {
  const timeZone = zone || undefined;
  const time = new Intl.DateTimeFormat("en-GB", { timeZone, hour: "2-digit", minute: "2-digit" });
  const full = new Intl.DateTimeFormat("en-GB", { timeZone, timeStyle: "medium" });
  const day = new Intl.DateTimeFormat("en-GB", { timeZone, day: "numeric", month: "short" });
  const dated = (moment) => (day.format(moment) === day.format(new Date()) ? "" : `${day.format(moment)} `);
  return { minute: (moment) => dated(moment) + time.format(moment), second: (moment) => full.format(moment) };
}

function liveMark(part) {
  const mark = document.querySelector(`[data-live="${CSS.escape(part.id)}"]`);
  const text = mark?.querySelector("[data-live-text]");
  if (!text) return { heard() {}, away() {}, ended() {} };
  const clock = clockOf(mark.dataset.zone);
  let last = new Date();
  const say = (state, words) => {
    mark.dataset.state = state;
    if (text.textContent !== words) text.textContent = words;
  };
  return {
    heard(xhr) {
      const said = Date.parse(xhr?.getResponseHeader("Date") ?? "");
      last = Number.isNaN(said) ? new Date() : new Date(said);
      // spoken by screen readers when it comes back, not every time
      mark.setAttribute("aria-live", mark.dataset.state === "live" ? "off" : "polite");
      say("live", `live ${clock.second(last)}`);
    },
    away() {
      mark.setAttribute("aria-live", "polite");
      say("away", `not live since ${clock.minute(last)}, trying again`);
    },
    ended(address) {
      mark.setAttribute("aria-live", "polite");
      if (mark.dataset.state === "ended") return;
      say("away", `signed out: this is how it was at ${clock.minute(last)}. `);
      mark.dataset.state = "ended";
      const link = document.createElement("a");
      link.href = address;
      link.textContent = "Sign in";
      text.append(link);
    },
  };
}

function keepRenewed(part) {
  const mark = liveMark(part);
  const every = Number(part.dataset.refresh) * 1000;
  let tag = "";
  let timer = 0;
  let asking = false;
  const later = (pause) => {
    clearTimeout(timer);
    timer = setTimeout(renew, pause);
  };
  function renew() {
    later(every);
    if (asking || document.hidden || document.querySelector("dialog[open]")) return;
    part.dispatchEvent(new CustomEvent("refresh"));
  }
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) renew();
  });
  later(every);
  mark.heard();

  part.addEventListener("htmx:configRequest", (event) => {
    if (event.target === part && tag) event.detail.headers["If-None-Match"] = tag;
  });
  part.addEventListener("htmx:beforeRequest", (event) => {
    if (event.target === part) asking = true;
  });
  part.addEventListener("htmx:afterRequest", (event) => {
    if (event.target === part) asking = false;
  });
  // a failure is said by the mark; a message each time would bury the page
  for (const name of ["htmx:sendError", "htmx:timeout", "htmx:responseError"]) {
    part.addEventListener(name, (event) => {
      if (event.target !== part) return;
      event.stopPropagation();
      if (event.detail.xhr?.status === 401) return;
      mark.away();
      later(Math.min(SOON, every));
    });
  }
  part.addEventListener("htmx:beforeOnLoad", (event) => {
    const { xhr } = event.detail;
    if (event.target !== part) return;
    if (xhr.status === 401 && "keep" in part.dataset) {
      event.preventDefault();
      asking = false;
      mark.ended(xhr.getResponseHeader("HX-Redirect") ?? "/login/");
    } else if (xhr.status === 200 || xhr.status === 304) mark.heard(xhr);
  });

  let current = "";
  let focused = "";
  part.addEventListener("htmx:beforeSwap", (event) => {
    if (event.target !== part) return;
    if (event.detail.xhr.status === 304) event.detail.shouldSwap = false; // it says the same
    else tag = event.detail.xhr.getResponseHeader("ETag") ?? "";
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

for (const part of document.querySelectorAll("[data-refresh]")) keepRenewed(part);
