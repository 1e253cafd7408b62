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

document.addEventListener("submit", (event) => {
  for (const field of event.target.querySelectorAll("[data-draft]")) {
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
