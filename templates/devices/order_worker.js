{% load static %}// Order pages open without network once they were visited. Nothing else is kept: no list, no file, no
// answer of the API. Cleared at sign-out, and as soon as another person's page comes.
{% comment %}A view of its own, so that its folder, and with it its scope, is that of the order pages.{% endcomment %}
const PAGE = /^\/maintenance\/orders\/\d+\/$/;
const PARTS = "{% get_static_prefix %}";
const KEPT = "orders-"; // and the person's number
const STATIC = "orders-static";
const PATIENCE = 5000; // ms that a bad network gets before the kept page is shown

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

self.addEventListener("message", (event) => {
  const { page, parts } = event.data ?? {};
  if (!PAGE.test(page ?? "")) return;
  event.waitUntil(Promise.allSettled([fetchPage(page), ...parts.filter((each) => each.startsWith(PARTS)).map(fetchPart)]));
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== self.location.origin) return;
  if (request.mode === "navigate" && PAGE.test(url.pathname)) event.respondWith(pageOf(request, url.pathname));
  else if (url.pathname.startsWith(PARTS)) event.respondWith(partOf(request, url.pathname));
});

async function fetchPage(path) {
  return kept(path, await fetch(path, { credentials: "same-origin", redirect: "manual" }));
}

/** Keeps a page for the person it was made for, and nobody else's any more. */
async function kept(path, answer) {
  const person = answer.headers.get("X-Order-Person");
  if (!person) return answer;
  const mine = KEPT + person;
  for (const name of await caches.keys()) {
    if (name.startsWith(KEPT) && name !== mine && name !== STATIC) await caches.delete(name);
  }
  if (answer.status === 200) await (await caches.open(mine)).put(path, answer.clone());
  return answer;
}

async function fetchPart(path) {
  const answer = await fetch(path);
  if (answer.status === 200) await (await caches.open(STATIC)).put(path, answer.clone());
  return answer;
}

async function pageOf(request, path) {
  const fresh = fetch(request).then((answer) => kept(path, answer));
  const late = new Promise((done) => setTimeout(done, PATIENCE));
  try {
    const first = await Promise.race([fresh, late]);
    if (first) return first;
    return (await caches.match(path)) ?? (await fresh);
  } catch {
    return (await caches.match(path)) ?? nothing();
  }
}

async function partOf(request, path) {
  try {
    return await fetchPart(request.url);
  } catch {
    return (await caches.match(path, { cacheName: STATIC })) ?? Response.error();
  }
}

function nothing() {
  const text = "<!doctype html><html lang=en><title>No network</title><h1>No network</h1>"
    + "<p>This order was not opened in this browser before. Answers that wait are still kept.</p></html>";
  return new Response(text, { status: 503, headers: { "Content-Type": "text/html; charset=utf-8" } });
}
