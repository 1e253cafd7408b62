/* The ticket: begins at the newest words, keeps drafts, sends with Ctrl or ⌘ and Enter. */

function settle(root) {
  for (const talk of root.querySelectorAll("[data-talk]")) talk.scrollTop = talk.scrollHeight;
  for (const field of root.querySelectorAll("[data-draft]")) {
    if (!field.value) field.value = sessionStorage.getItem(field.dataset.draft) || "";
  }
}

document.addEventListener("input", (event) => {
  const key = event.target.dataset?.draft;
  if (key) sessionStorage.setItem(key, event.target.value);
});

/* Whoever turns to the reply or the note wants to write it. */
document.addEventListener("click", (event) => {
  if (!event.target.matches?.(".tab-choice")) return;
  const place = event.target.id.replace("compose-", "");
  document.getElementById(place)?.focus();
});

/* A draft is kept until its words have arrived */
document.addEventListener("htmx:beforeSwap", (event) => {
  if (event.detail.xhr.status >= 400) return;
  for (const field of event.detail.requestConfig.elt.querySelectorAll("[data-draft]")) {
    sessionStorage.removeItem(field.dataset.draft);
  }
});

document.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && event.target.dataset?.draft) {
    event.preventDefault();
    event.target.form.requestSubmit();
  }
});

document.addEventListener("htmx:afterSwap", (event) => settle(event.target.parentElement || document));
settle(document);

/* What can be done for a while only goes when it cannot be done any more */
setInterval(() => {
  for (const passing of document.querySelectorAll("[data-gone-at]")) {
    if (Date.parse(passing.dataset.goneAt) <= Date.now()) passing.remove();
  }
}, 500);

/* Whoever goes by keyboard goes on where they were, and not at the beginning of the page, when what
   they stood on is replaced: at what is wrong, at the same form, at the link it went back behind, or
   at the ticket's title. */

let left = null;

function whereabouts(element) {
  const form = element.closest("form");
  return { action: form?.getAttribute("action"), href: element.getAttribute("href") };
}

function cameFrom({ action, href }) {
  const link = href && document.querySelector(`main a[href="${CSS.escape(href)}"]`);
  const form = action && document.querySelector(`main form[action="${CSS.escape(action)}"]`);
  const places = [
    link,
    form?.querySelector("[aria-invalid='true']"),
    form?.querySelector("textarea, select, input:not([type=hidden]), button"),
    action && document.querySelector(`main a[href="${CSS.escape(action)}"]`),
    document.getElementById("ticket-title"),
  ];
  return places.find((place) => place?.checkVisibility());
}

document.addEventListener("htmx:beforeSwap", (event) => {
  const active = document.activeElement;
  left = event.detail.target.contains(active) ? whereabouts(active) : null;
});

document.addEventListener("htmx:afterSettle", () => {
  if (!left || (document.activeElement && document.activeElement !== document.body)) return;
  cameFrom(left)?.focus();
  left = null;
});
