// What was usual for a machine (its own four weeks before): fetched after the charts stand, drawn behind them.

/** Seconds that the hospital's clock is ahead of UTC, at a time; daylight saving changes it. */
function aheadOf(zone) {
  const parts = new Intl.DateTimeFormat("en-GB", { timeZone: zone, hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  const known = new Map();
  return (seconds) => {
    const day = Math.floor(seconds / 10800); // clocks change on a whole hour, so not within three of them twice
    if (!known.has(day)) {
      const [hour, minute] = parts.format(new Date(day * 10800 * 1000)).split(":").map(Number);
      const utc = (day * 10800) % 86400;
      known.set(day, (((hour * 3600 + minute * 60 - utc) % 86400) + 86400) % 86400);
    }
    return known.get(day);
  };
}

/** Fills `usual[key]` of each chart; charts stand without where it can't be had. */
export async function loadUsual(address, usual, { zone, start, end, redraw }) {
  const query = new URLSearchParams({
    from: new Date(start * 1000).toISOString(),
    to: new Date(end * 1000).toISOString(),
  });
  const answer = await fetch(`${address}?${query}`, { credentials: "same-origin" }).catch(() => null);
  if (!answer?.ok) return;
  const { kind, metrics } = await answer.json();
  const ahead = aheadOf(zone);
  for (const [key, hours] of Object.entries(metrics)) {
    const one = usual[key];
    if (!one) continue;
    const values = Object.values(hours);
    one.edges = [...values.map(([low]) => ({ value: low })), ...values.map(([, , high]) => ({ value: high }))];
    one.at = (time) =>
      kind === "day" ? hours.day : hours[Math.floor(((time + 1800 + ahead(time)) % 86400) / 3600)];
    one.say?.();
  }
  redraw();
}
