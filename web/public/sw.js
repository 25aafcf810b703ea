// Keeps a copy of the whole site, so that the page works offline. A template: the build fills in the two lines below.

const VERSION = "{{version}}";
const FILES = ["{{files}}"];

// Sites that share an origin share its caches: the scope tells ours from theirs.
const PREFIX = `site ${self.registration.scope} `;
const CACHE = PREFIX + VERSION;

// All files or none. It then waits until no page is open that uses an earlier version, because files of two versions do not fit
// together. Where there is no room, the installation fails, and the page goes on from the network.
self.addEventListener("install", (event) => {
  event.waitUntil(
    caches.open(CACHE).then((cache) => cache.addAll(FILES.map((file) => new Request(file, { cache: "reload" })))),
  );
});

self.addEventListener("activate", (event) => {
  const forget = async () => {
    const old = (await caches.keys()).filter((name) => name.startsWith(PREFIX) && name !== CACHE);
    await Promise.all(old.map((name) => caches.delete(name)));
    await self.clients.claim();
  };
  event.waitUntil(forget());
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method === "GET" && new URL(request.url).origin === self.location.origin) {
    event.respondWith(kept(request).then((response) => response ?? fetch(request)));
  }
});

/** The copy of a file, if there is one. */
async function kept(request) {
  const options = { cacheName: CACHE, ignoreVary: true };
  if (request.mode !== "navigate") {
    return caches.match(request, options);
  }
  // The page's settings are in its query: it is one page all the same.
  const url = new URL(request.url);
  url.search = "";
  url.pathname = url.pathname.replace(/\/index\.html$/, "/");
  return caches.match(url.href, options);
}
