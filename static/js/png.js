// The charts of a page as one PNG, with all that a picture needs to be read elsewhere: whose, when, in
// which zone, limits, legend. And plots as wide as paper while the page is printed.

const EDGE = 16; // CSS px
const LINE = 18;
const PAPER = 660; // CSS px between the margins of A4
const FONT = "system-ui, sans-serif";

function plotsOf(page) {
  return [...page.querySelectorAll("figure")]
    .map((figure) => ({ figure, canvas: figure.querySelector("canvas") }))
    .filter(({ canvas, figure }) => canvas && figure.offsetParent !== null);
}

function titleOf(figure) {
  const words = [...figure.querySelectorAll("figcaption > :not([data-readout], .spacer)")];
  return words.map((each) => (each.hidden ? "" : each.textContent.trim())).filter(Boolean).join("  ");
}

/** The picture as a canvas. */
export function paint(page, axis, zone) {
  const plots = plotsOf(page);
  const ratio = devicePixelRatio;
  const width = Math.max(...plots.map(({ canvas }) => canvas.width)) + 2 * EDGE * ratio;
  const head = (EDGE + 4 * LINE) * ratio;
  const height = plots.reduce((sum, { canvas }) => sum + canvas.height + 1.5 * LINE * ratio, head) + (EDGE + LINE) * ratio;
  const picture = document.createElement("canvas");
  picture.width = width;
  picture.height = height;
  const ctx = picture.getContext("2d");
  const [min, max] = axis.now;
  const write = (text, y, font, ink = "#17212b") => {
    ctx.fillStyle = ink;
    ctx.font = font.replace(/(\d+)px/, (_all, size) => `${size * ratio}px`);
    ctx.fillText(text, EDGE * ratio, y * ratio, width - 2 * EDGE * ratio);
  };
  ctx.fillStyle = "#ffffff";
  ctx.fillRect(0, 0, width, height);
  write(page.dataset.title, EDGE + LINE * 0.7, `650 15px ${FONT}`);
  write(`${axis.clock.full(min)} to ${axis.clock.full(max)}, times in ${zone}`, EDGE + LINE * 1.8, `13px ${FONT}`);
  const limits = "limits: line = act, dashed = watch · grey band = usual (5 to 95 %), dots = its median · dotted upright = event";
  write(limits, EDGE + LINE * 2.8, `12px ${FONT}`, "#4a5763");
  let y = head / ratio;
  for (const { figure, canvas } of plots) {
    write(titleOf(figure), y + LINE * 0.8, `650 13px ${FONT}`);
    ctx.drawImage(canvas, EDGE * ratio, (y + LINE * 1.2) * ratio);
    y += canvas.height / ratio + 1.5 * LINE;
  }
  write(`${page.dataset.hospital} · TwinHealth · made ${axis.clock.full(Date.now() / 1000)}`, y + LINE, `12px ${FONT}`, "#4a5763");
  return picture;
}

function save(page, axis, zone) {
  paint(page, axis, zone).toBlob((blob) => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    const day = new Date(axis.now[1] * 1000).toISOString().slice(0, 10);
    link.download = `${page.dataset.file.replace(/[^\w.-]+/g, "-") || "machine"}-${day}.png`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  }, "image/png");
}

/** Shows the button, and fits the plots to the paper when the page is printed. */
export function offerPng(page, axis, zone) {
  const button = page.querySelector("[data-png]");
  if (button) {
    button.hidden = false;
    button.addEventListener("click", () => save(page, axis, zone));
  }
  const fit = (width) => {
    for (const plot of axis.plots) {
      const target = width ?? Math.max(plot.root.parentElement.clientWidth, 200);
      if (target !== plot.width) plot.setSize({ width: target, height: plot.height });
    }
  };
  window.addEventListener("beforeprint", () => fit(PAPER));
  window.addEventListener("afterprint", () => fit());
}
