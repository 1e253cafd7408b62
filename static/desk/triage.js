/* Triage: the chosen row's ticket stands in the third pane, and the list stays true without ever
   jumping under a hand: what changed is renewed in its place, what is new waits to be asked for. */

const triage = document.querySelector("[data-triage]");
const list = document.getElementById("list");
const pane = document.getElementById("ticket-pane");
const fresh = document.querySelector("[data-fresh]");
const wide = window.matchMedia("(min-width: 769px)");
const SETTLE = 130;

let chosen = "";
let shownMark = "";
let timer = 0;

const rows = () => [...list.querySelectorAll("[data-row]")];
const rowOf = (reference) => list.querySelector(`[data-row="${CSS.escape(reference)}"]`);

/* Choosing */

function mark() {
  for (const row of rows()) {
    if (row.dataset.row === chosen) row.setAttribute("aria-current", "true");
    else row.removeAttribute("aria-current");
  }
}

function remember() {
  const here = new URL(location.href);
  here.searchParams.set("ticket", chosen);
  history.replaceState(history.state, "", here);
}

function load(row) {
  shownMark = row.dataset.mark;
  const page = new URL(row.href);
  page.searchParams.set("pane", "1");
  return window.htmx.ajax("GET", page.pathname + page.search, { target: pane, swap: "innerHTML" });
}

function choose(row, wait = 0) {
  if (!wide.matches || !row) return;
  const again = row.dataset.row === chosen;
  chosen = row.dataset.row;
  mark();
  remember();
  if (again && pane.querySelector("article")) return;
  clearTimeout(timer);
  timer = setTimeout(() => load(row), wait);
}

list.addEventListener("click", (event) => {
  const row = event.target.closest("[data-row]");
  if (!row || !wide.matches || event.button || event.ctrlKey || event.metaKey || event.shiftKey) return;
  if (event.detail === 0) return; /* Enter opens the page, as o does */
  event.preventDefault();
  choose(row);
});
list.addEventListener("dblclick", (event) => {
  const row = event.target.closest("[data-row]");
  if (row) location.assign(row.href);
});
list.addEventListener("desk:select", (event) => choose(event.target, SETTLE));

/* What failed to load is said in its place */

pane.addEventListener("htmx:responseError", () => pane.replaceChildren());
pane.addEventListener("htmx:afterSwap", () => {
  if (!pane.matches(":focus-within")) pane.scrollTop = 0;
});

/* Staying true */

function busy() {
  const active = document.activeElement;
  if (pane.contains(active) && active.matches("input, textarea, select")) return true;
  if (pane.querySelector("details.act[open], dialog[open]")) return true;
  return [...pane.querySelectorAll("textarea")].some((field) => field.value !== field.defaultValue);
}

async function renewPane(row) {
  if (busy()) {
    offer(row);
    return;
  }
  const kept = [".tk-side", ".tk-talk"].map((name) => {
    const place = pane.querySelector(name);
    const bottom = place && place.scrollHeight - place.scrollTop - place.clientHeight < 24;
    return [name, place?.scrollTop ?? 0, name === ".tk-talk" && bottom];
  });
  await load(row);
  for (const [name, top, bottom] of kept) {
    const place = pane.querySelector(name);
    if (place) place.scrollTop = bottom ? place.scrollHeight : top;
  }
}

function offer(row) {
  if (pane.querySelector(".pane-changed")) return;
  const line = document.createElement("div");
  line.className = "pane-changed";
  line.setAttribute("role", "status");
  const said = document.createElement("span");
  said.className = "grow";
  said.textContent = pane.dataset.changed;
  const button = document.createElement("button");
  button.type = "button";
  button.className = "btn btn-sm";
  button.textContent = pane.dataset.show;
  button.addEventListener("click", () => load(row));
  line.append(said, button);
  pane.prepend(line);
}

function count(number) {
  if (!fresh) return;
  fresh.hidden = number === 0;
  if (number === 0) return;
  const words = number === 1 ? fresh.dataset.one : fresh.dataset.many.replace("%(n)s", number);
  const place = fresh.querySelector("span");
  if (place.textContent === words) return;
  place.textContent = words;
  document.dispatchEvent(new CustomEvent("desk:announce", { detail: { text: words } }));
}

async function asked() {
  const answer = await fetch(here(), { credentials: "same-origin", headers: { "HX-Request": "true" } });
  if (!answer.ok) return null;
  return new DOMParser().parseFromString(await answer.text(), "text/html");
}

function here() {
  const url = new URL(location.href);
  url.searchParams.delete("ticket");
  return url.pathname + url.search;
}

async function renewRows(marks) {
  const answer = await asked();
  if (!answer) return;
  for (const row of rows()) {
    if (marks[row.dataset.id] === undefined) continue;
    const found = answer.querySelector(`[data-row="${CSS.escape(row.dataset.row)}"]`);
    if (!found || found.dataset.mark === row.dataset.mark) continue;
    row.replaceChildren(...found.childNodes);
    row.dataset.mark = found.dataset.mark;
    row.classList.remove("gone");
  }
}

document.addEventListener("desk:versions", async (event) => {
  const marks = event.detail.rows;
  if (!marks || !triage.dataset.poll) return;
  const shown = new Map(rows().map((row) => [row.dataset.id, row]));
  count(Object.keys(marks).filter((id) => !shown.has(id)).length);
  if (shown.size <= Object.keys(marks).length + 1) {
    for (const [id, row] of shown) row.classList.toggle("gone", marks[id] === undefined);
  }
  const changed = [...shown].some(([id, row]) => marks[id] !== undefined && String(marks[id]) !== row.dataset.mark);
  if (changed) await renewRows(marks);
  const row = rowOf(chosen);
  if (row && wide.matches && shownMark && row.dataset.mark !== shownMark) await renewPane(row);
});

fresh?.addEventListener("click", async () => {
  fresh.hidden = true;
  await window.htmx.ajax("GET", here(), { target: list, swap: "innerHTML" });
  mark();
  list.closest(".pane-scroll").scrollTop = 0;
  rows()[0]?.focus();
});

/* After something was done in the pane, the list is asked for at once */

pane.addEventListener("htmx:afterRequest", (event) => {
  if (event.detail.requestConfig?.verb !== "get") document.dispatchEvent(new Event("desk:poll"));
});

/* Addresses say only what is asked for */

for (const form of document.querySelectorAll("form[data-spare]")) {
  form.addEventListener("submit", () => {
    for (const field of form.elements) if (field.name && !field.value) field.disabled = true;
  });
}

/* Beginning: the ticket of the address, or the first of the list */

function begin() {
  chosen = new URL(location.href).searchParams.get("ticket") || "";
  choose(rowOf(chosen) || rows()[0]);
}
if (window.htmx) begin();
else window.addEventListener("DOMContentLoaded", begin);
wide.addEventListener("change", begin);
