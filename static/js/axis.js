// One time axis for all plots of a page: zoomed together, kept in the address, moved by keys.

/** Times as the hospital's clock shows them, from seconds since 1970. */
export function clockOf(timeZone) {
  const format = (options) => {
    const formatter = new Intl.DateTimeFormat("en-GB", { timeZone, ...options });
    return (seconds) => formatter.format(new Date(seconds * 1000));
  };
  return {
    minute: format({ day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" }),
    full: format({ day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit" }),
    day: format({ weekday: "short", day: "numeric", month: "short" }),
  };
}

const SHORTEST = 120; // seconds that can be zoomed to

/** Joins plots; `page` is the section with the zoom bar and the links that carry the span. */
export class Axis {
  constructor(page, { start, end, resolution, zone }) {
    Object.assign(this, { page, start, end, resolution, clock: clockOf(zone) });
    this.plots = [];
    this.now = [start, end];
    page?.querySelector("[data-whole]")?.addEventListener("click", () => this.set(start, end));
    for (const box of page?.querySelectorAll("[data-lanes]") ?? []) {
      box.addEventListener("keydown", (event) => this.key(event, box));
    }
  }

  add(plot) {
    this.plots.push(plot);
    return plot;
  }

  /** A plot's scale changed: the others follow. */
  changed(plot) {
    const { min, max } = plot.scales.x;
    if (min == null || max == null || (min === this.now[0] && max === this.now[1])) return;
    if (!this.plots.includes(plot)) return; // it is still being made
    this.set(min, max);
  }

  set(min, max) {
    if (max - min < SHORTEST) {
      const middle = (min + max) / 2;
      [min, max] = [middle - SHORTEST / 2, middle + SHORTEST / 2];
    }
    [min, max] = [Math.max(min, this.start), Math.min(max, this.end)];
    this.now = [min, max];
    for (const plot of this.plots) {
      if (plot.scales.x.min !== min || plot.scales.x.max !== max) plot.setScale("x", { min, max });
    }
    this.tell();
  }

  /** The address, the zoom bar and the links say what is shown. */
  tell() {
    if (!this.page) return;
    const [min, max] = this.now;
    const whole = min === this.start && max === this.end;
    const [from, to] = [min, max].map((seconds) => new Date(Math.round(seconds) * 1000).toISOString());
    const address = new URL(this.whole ?? (this.whole = location.href));
    if (!whole) {
      address.searchParams.delete("range");
      address.searchParams.set("from", from);
      address.searchParams.set("to", to);
    }
    history.replaceState(history.state, "", address);
    for (const link of document.querySelectorAll("[data-span-link]")) {
      const target = new URL(link.href);
      target.searchParams.set("from", from);
      target.searchParams.set("to", to);
      link.href = target;
    }
    const bar = this.page.querySelector("[data-zoom]");
    if (!bar) return;
    bar.hidden = whole;
    bar.querySelector("[data-zoom-text]").textContent = `${this.clock.full(min)} to ${this.clock.full(max)}`;
    const finer = bar.querySelector("[data-finer]");
    finer.hidden = this.resolution === "raw";
    finer.href = address;
  }

  key(event, box) {
    if (event.target !== box || event.ctrlKey || event.metaKey || event.altKey) return;
    const [min, max] = this.now;
    const length = max - min;
    const steps = {
      "+": () => this.set(min + length / 4, max - length / 4),
      "-": () => this.set(min - length / 2, max + length / 2),
      0: () => this.set(this.start, this.end),
      ArrowLeft: () => this.pan(-length / 4),
      ArrowRight: () => this.pan(length / 4),
    };
    const step = steps[event.key === "=" ? "+" : event.key];
    if (!step) return;
    event.preventDefault();
    step();
  }

  pan(by) {
    const [min, max] = this.now;
    const allowed = by < 0 ? Math.max(by, this.start - min) : Math.min(by, this.end - max);
    this.set(min + allowed, max + allowed);
  }
}
