// Follows a run, and keeps lists fresh. Whatever arrives as HTML was escaped by the server; text that streams is text.
"use strict";

const byId = (name) => document.getElementById(name);
const NEAR_END_PX = 160;

function atEnd() {
  const page = document.scrollingElement;
  return page.scrollHeight - page.scrollTop - page.clientHeight < NEAR_END_PX;
}

function toEnd() {
  document.scrollingElement.scrollTop = document.scrollingElement.scrollHeight;
}

// Shows what is added by `change`, unless the reader has scrolled up to read something else.
function growing(change) {
  const follow = atEnd();
  change();
  if (follow) toEnd();
  else byId("newest").hidden = false;
}

function replaceFrom(url, name) {
  return fetch(url, { credentials: "same-origin" })
    .then((answer) => (answer.ok ? answer.text() : ""))
    .then((text) => {
      const fresh = new DOMParser().parseFromString(text, "text/html").getElementById(name);
      const old = byId(name);
      if (!fresh || !old || fresh.innerHTML === old.innerHTML || old.contains(document.activeElement)) return;
      old.replaceWith(document.adoptNode(fresh));
    })
    .catch(() => undefined); // the next look will tell
}

function stream(kind, text) {
  const box = byId("streaming");
  let last = box.lastElementChild;
  if (!last || last.dataset.kind !== kind) {
    last = document.createElement("pre");
    last.className = kind;
    last.dataset.kind = kind;
    last.append(document.createElement("span"));
    box.append(last);
  }
  last.firstElementChild.append(text);
}

function followRun(place) {
  const source = new EventSource(place.dataset.url);
  const on = (kind, act) => source.addEventListener(kind, (event) => act(JSON.parse(event.data)));
  const clear = () => byId("streaming").replaceChildren();
  source.addEventListener("open", () => { clear(); byId("status").textContent = ""; });
  source.addEventListener("error", () => { byId("status").textContent = place.dataset.lost; });
  on("piece", (data) => growing(() => stream(data.kind, data.text)));
  on("part", (data) => growing(() => { clear(); byId("story").insertAdjacentHTML("beforeend", data.html); }));
  on("status", (data) => { byId("status").textContent = data.text; });
  on("state", () => replaceFrom(place.dataset.head, "head"));
  on("ended", () => { clear(); replaceFrom(place.dataset.head, "head"); });
  on("reset", () => { source.close(); location.reload(); });
  byId("newest").addEventListener("click", () => { byId("newest").hidden = true; toEnd(); });
  addEventListener("scroll", () => { if (atEnd()) byId("newest").hidden = true; }, { passive: true });
}

function keepFresh(place) {
  setInterval(() => { if (!document.hidden) replaceFrom(location.href, "again"); }, Number(place.dataset.every));
}

if (byId("follow")) followRun(byId("follow"));
if (byId("again")) keepFresh(byId("again"));
