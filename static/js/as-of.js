// The slider of past moments: moving it names the moment, letting go opens the page as it was then.
const PAUSE = 700; // ms after the last move, so that arrow keys can go on
const KEPT = "as-of-focus";

for (const form of document.querySelectorAll("[data-as-of]")) {
  const slider = form.querySelector("[data-slider]");
  const field = form.elements.at;
  const format = new Intl.DateTimeFormat("sv-SE", {
    timeZone: form.dataset.zone,
    dateStyle: "short",
    timeStyle: "short",
  });
  let timer = 0;
  slider.hidden = false;
  const tell = () => {
    const now = slider.value === slider.max;
    field.value = now ? "" : format.format(new Date(slider.value * 3600 * 1000)).replace(" ", "T");
    slider.setAttribute("aria-valuetext", now ? "now" : field.value.replace("T", " "));
  };
  slider.setAttribute("aria-valuetext", field.value ? field.value.replace("T", " ") : "now");
  slider.addEventListener("input", () => {
    clearTimeout(timer);
    tell();
  });
  slider.addEventListener("change", () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      sessionStorage.setItem(KEPT, "yes");
      form.requestSubmit();
    }, PAUSE);
  });
  if (sessionStorage.getItem(KEPT)) {
    sessionStorage.removeItem(KEPT);
    slider.focus({ preventScroll: true });
  }
}
