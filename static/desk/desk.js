/* The frame: theme switch, announcements, messages that leave, and the poll behind the counts.

   Other scripts speak to it by events on the document:
     desk:announce {text}            says it to a screen reader
     desk:versions {stamp, …}        what the last poll answered; sent only when something changed
     desk:poll                       ask now                                                     */

const announcer = document.getElementById("announce");

document.addEventListener("desk:announce", (event) => {
  announcer.textContent = "";
  setTimeout(() => {
    announcer.textContent = event.detail.text;
  }, 50);
});

/* Theme */

const ICONS = { auto: "brightness-auto", light: "sun", dark: "moon" };
const NEXT = { auto: "light", light: "dark", dark: "auto" };
const switches = document.querySelectorAll("[data-theme-switch]");

function showTheme() {
  const choice = document.documentElement.dataset.themeChoice || "auto";
  for (const button of switches) {
    const word = button.dataset[choice];
    button.querySelector(".ti").className = `ti ti-${ICONS[choice]}`;
    button.querySelector(".rail-word, [data-theme-word]").textContent = word;
  }
}

for (const button of switches) {
  button.addEventListener("click", () => {
    const choice = NEXT[document.documentElement.dataset.themeChoice || "auto"];
    try {
      localStorage.setItem("theme", choice);
    } catch {
      return;
    }
    window.dispatchEvent(new Event("desk:theme"));
    showTheme();
    document.dispatchEvent(
      new CustomEvent("desk:announce", { detail: { text: button.dataset[choice] } }),
    );
  });
}
showTheme();

/* Messages: good news leaves by itself, anything else waits to be dismissed */

function tend(line) {
  line.querySelector("[data-dismiss]")?.addEventListener("click", () => line.remove());
  if (line.classList.contains("toast-success") || line.classList.contains("toast-info")) {
    setTimeout(() => line.remove(), 8000);
  }
}

const toasts = document.getElementById("toasts");
toasts.querySelectorAll(".toast-line").forEach(tend);
new MutationObserver((changes) => {
  for (const change of changes) {
    for (const node of change.addedNodes) {
      if (node.classList?.contains("toast-line")) tend(node);
    }
  }
}).observe(toasts, { childList: true });

/* A line at the top while a request of a person is under way */

document.addEventListener("htmx:beforeRequest", () => document.body.classList.add("busy"));
document.addEventListener("htmx:afterRequest", () => document.body.classList.remove("busy"));

/* What did not arrive is said; what was written stands where it was */

function complain(text) {
  const line = document.createElement("div");
  line.className = "toast-line toast-error";
  line.setAttribute("role", "alert");
  const said = document.createElement("span");
  said.className = "grow";
  said.textContent = text;
  line.append(said);
  toasts.querySelectorAll(".toast-error[role=alert]").forEach((old) => old.remove());
  toasts.append(line);
}

document.addEventListener("htmx:sendError", () => complain(document.body.dataset.notSent));
document.addEventListener("htmx:responseError", (event) => {
  const large = event.detail.xhr.status === 413;
  complain(large ? document.body.dataset.tooLarge : document.body.dataset.notDone);
});

/* Whose session is over is led to the sign-in page instead of finding it within this one */
document.addEventListener("htmx:beforeSwap", (event) => {
  const signIn = document.body.dataset.signIn;
  const answered = event.detail.xhr.responseURL;
  if (!answered || new URL(answered).pathname !== signIn) return;
  event.detail.shouldSwap = false;
  location.assign(`${signIn}?next=${encodeURIComponent(location.pathname + location.search)}`);
});

/* The poll: answered 304 until something happened */

const versions = document.body.dataset.versions;
const RHYTHM = 10_000;
let etag = "";
let pause = RHYTHM;
let timer = 0;

async function ask() {
  clearTimeout(timer);
  if (document.visibilityState === "visible") {
    const url = new URL(versions, location.href);
    const place = document.querySelector("[data-poll]");
    if (place) url.search = new URLSearchParams(JSON.parse(place.dataset.poll)).toString();
    try {
      const answer = await fetch(url, {
        credentials: "same-origin",
        headers: { Accept: "application/json", ...(etag ? { "If-None-Match": etag } : {}) },
      });
      if (answer.status === 401 || answer.status === 403) return;
      pause = answer.ok || answer.status === 304 ? RHYTHM : Math.min(pause * 2, 120_000);
      if (answer.ok) {
        etag = answer.headers.get("ETag") || "";
        show(await answer.json());
      }
    } catch {
      pause = Math.min(pause * 2, 120_000);
    }
  }
  timer = setTimeout(ask, pause);
}

function show(news) {
  for (const [name, count] of Object.entries(news.counts || {})) {
    for (const badge of document.querySelectorAll(`[data-count="${CSS.escape(name)}"]`)) {
      badge.textContent = count;
      badge.hidden = !count && badge.classList.contains("rail-count");
    }
  }
  document.dispatchEvent(new CustomEvent("desk:versions", { detail: news }));
}

if (versions) {
  document.addEventListener("desk:poll", ask);
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible") ask();
  });
  timer = setTimeout(ask, RHYTHM);
}
