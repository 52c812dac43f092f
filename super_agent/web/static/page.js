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

// What comes within a frame is added at once: where the page ends is measured anew each time, over all that it holds.
const FRAME_MS = 16;
const waiting = [];

// Shows what is added by `change`, unless the reader has scrolled up to read something else.
function growing(change) {
  if (waiting.push(change) === 1) setTimeout(grow, FRAME_MS);
}

function grow() {
  const follow = atEnd();
  for (const change of waiting.splice(0)) change();
  if (follow) toEnd();
  else byId("newest").hidden = false;
}

function replaceFrom(url, ...names) {
  return fetch(url, { credentials: "same-origin" })
    .then((answer) => (answer.ok ? answer.text() : ""))
    .then((text) => {
      const page = new DOMParser().parseFromString(text, "text/html");
      for (const name of names) {
        const [fresh, old] = [page.getElementById(name), byId(name)];
        if (!fresh || !old || fresh.innerHTML === old.innerHTML || old.contains(document.activeElement)) continue;
        old.replaceWith(document.adoptNode(fresh));
      }
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

// A browser opens six connections to a host, and a stream takes one for as long as it lasts. So a page that nobody sees
// lets go of its own and goes on from its last number when it is seen again; and of pages that are seen, in windows side
// by side, a few hold theirs and the others look again and again.
const KINDS = ["piece", "part", "status", "ended", "ask", "state", "reset", "plan"];
const MOST_STREAMS = 3;
const QUIET_MS = 1000;
const LOOK_EVERY_MS = 2000;

// Gives what lets go of one of the places again, or null where all are taken. Pages that were not come by safely (with
// --insecure) know nothing of one another.
function takePlace(number = 0) {
  if (!navigator.locks) return Promise.resolve(() => undefined);
  if (number === MOST_STREAMS) return Promise.resolve(null);
  return new Promise((resolve) => {
    navigator.locks.request(`stream ${number}`, { ifAvailable: true }, (lock) =>
      lock ? new Promise((release) => resolve(release)) : resolve(takePlace(number + 1)));
  });
}

// Keeps a stream while the page is seen; `listen` adds to each new one what is to be done. Returns what ends it for good.
function keepStream(address, listen) {
  let [source, release, timer, trying, over] = [null, null, 0, false, false];
  const url = new URL(address, location.href);
  const end = () => {
    clearTimeout(timer);
    if (source) source.close();
    if (release) release();
    [source, release] = [null, null];
  };
  const lookLater = () => { end(); timer = setTimeout(begin, LOOK_EVERY_MS); };
  const heard = (event) => {
    if (event.lastEventId) url.searchParams.set("after", event.lastEventId);
    if (release) return;
    clearTimeout(timer);
    timer = setTimeout(lookLater, QUIET_MS);
  };
  async function begin() {
    if (source || trying || over || document.hidden) return;
    trying = true;
    release = await takePlace();
    trying = false;
    if (document.hidden || over) { end(); return; }
    source = new EventSource(url);
    for (const kind of ["open", "error", ...KINDS]) source.addEventListener(kind, heard);
    listen(source);
  }
  document.addEventListener("visibilitychange", () => (document.hidden ? end() : begin()));
  begin();
  return () => { over = true; end(); };
}

function followRun(place) {
  const stop = keepStream(place.dataset.url, (source) => hear(place, source, () => stop()));
  byId("newest").addEventListener("click", () => { byId("newest").hidden = true; toEnd(); });
  addEventListener("scroll", () => { if (atEnd()) byId("newest").hidden = true; }, { passive: true });
}

function hear(place, source, stop) {
  const on = (kind, act) => source.addEventListener(kind, (event) => act(JSON.parse(event.data)));
  const clear = () => byId("streaming").replaceChildren();
  const clearNext = () => (waiting.length ? growing(clear) : clear());
  source.addEventListener("open", () => { clearNext(); byId("status").textContent = ""; });
  source.addEventListener("error", () => { byId("status").textContent = place.dataset.lost; });
  on("piece", (data) => growing(() => stream(data.kind, data.text)));
  on("part", (data) => growing(() => { clear(); byId("story").insertAdjacentHTML("beforeend", data.html); }));
  on("status", (data) => { byId("status").textContent = data.text; });
  const changed = () => replaceFrom(place.dataset.head, "head", "steer");
  on("state", changed);
  on("ended", () => { clearNext(); changed(); });
  on("ask", ask);
  on("plan", plan);
  on("reset", () => { stop(); location.reload(); });
}

// The plan and where the run stands with it; a page that came later knows the steps already.
function plan(data) {
  const place = byId("plan");
  const { turn, passed, failed, ended } = place.dataset;
  if (data.steps.length) {
    const item = (step) => Object.assign(document.createElement("li"), { textContent: step });
    place.querySelector("ol").replaceChildren(...data.steps.map(item));
  }
  place.hidden = !place.querySelector("li");
  place.dataset.at = data.turn || place.dataset.at;
  place.dataset.check = data.check || place.dataset.check;
  const { at, check } = place.dataset;
  const stands = [Number(at) && `${turn} ${at}`, { passed, failed }[check], data.ended && ended];
  byId("plan-stands").textContent = stands.filter(Boolean).join(" · ");
}

// A question whether code may run, until it is answered here or elsewhere.
function ask(data) {
  const form = byId("ask");
  if (!form) return;
  form.hidden = !data.question;
  if (!data.question) return;
  form.elements.question.value = data.question;
  form.elements.code.value = data.code;
  form.elements.why.value = "";
  byId("ask-language").textContent = data.language;
  byId("ask-reasons").textContent = data.reasons;
}

// Sends a form and stays on the page; what stood in the way is said where the run's state stands.
async function send(form, submitter) {
  const body = new URLSearchParams(new FormData(form, submitter));
  const answer = await fetch(form.action, { method: "POST", body, headers: { Accept: "application/json" } });
  if (answer.ok) {
    for (const field of form.querySelectorAll("input[name=text]")) field.value = "";
    return;
  }
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  byId("status").textContent = (page.querySelector(".bad") || page.body).textContent;
}

addEventListener("submit", (event) => {
  const form = event.target;
  if (form.dataset.sure && !confirm(form.dataset.sure)) {
    event.preventDefault();
  } else if ("quiet" in form.dataset) {
    event.preventDefault();
    send(form, event.submitter).catch(() => { byId("status").textContent = byId("follow").dataset.lost; });
  }
});

function keepFresh(place) {
  setInterval(() => { if (!document.hidden) replaceFrom(location.href, "again"); }, Number(place.dataset.every));
}

if (byId("follow")) followRun(byId("follow"));
if (byId("again")) keepFresh(byId("again"));
