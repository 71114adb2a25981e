// The board on the wall: the hospital's clock, and pages of rows where it was told to turn them.

const clock = document.querySelector("[data-clock]");
const board = document.getElementById("wall");
const time = new Intl.DateTimeFormat("en-GB", { timeZone: clock.dataset.zone, hour: "2-digit", minute: "2-digit" });
const day = new Intl.DateTimeFormat("en-GB", { timeZone: clock.dataset.zone, weekday: "long", day: "numeric", month: "long" });

// a wall's own clock may be off: ours runs on what the server last said
let ahead = 0;
board.addEventListener("htmx:afterRequest", ({ detail: { xhr } }) => {
  const said = Date.parse(xhr?.getResponseHeader("Date") ?? "");
  if (!Number.isNaN(said)) ahead = said - Date.now();
});
function tell() {
  const now = new Date(Date.now() + ahead);
  const text = time.format(now);
  if (clock.textContent !== text) clock.textContent = text;
  document.querySelector(".wall-day").textContent = day.format(now).replace(",", "");
}
setInterval(tell, 1000);
tell();

let page = 0;
function show() {
  const list = board.querySelector(".wall-rows");
  if (!list) return;
  const rows = [...list.children];
  const each = Number(list.dataset.rows);
  const pages = Math.ceil(rows.length / each);
  page %= pages;
  rows.forEach((row, index) => {
    row.hidden = Math.floor(index / each) !== page;
  });
  if (pages > 1) board.querySelector("[data-more]").textContent = `page ${page + 1} of ${pages}`;
}
if (Number(board.dataset.rotate)) {
  show();
  board.addEventListener("htmx:afterSwap", show);
  setInterval(() => {
    page += 1;
    show();
  }, Number(board.dataset.rotate) * 1000);
}
