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

function followRun(place) {
  const source = new EventSource(place.dataset.url);
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
  on("reset", () => { source.close(); location.reload(); });
  byId("newest").addEventListener("click", () => { byId("newest").hidden = true; toEnd(); });
  addEventListener("scroll", () => { if (atEnd()) byId("newest").hidden = true; }, { passive: true });
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
