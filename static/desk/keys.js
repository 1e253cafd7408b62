/* Single keys. A page says what they do with attributes, so that a new page needs no new script:

     data-key="r"          the element is clicked, or focused if it is a field; a field comes first
     data-list             a list whose links with data-row are walked with j and k
     #keys                 the dialog that ? opens

   Nothing happens while somebody types, with a modifier held, or when the reader turned single
   keys off; Esc and the list of keys work always. */

const dialog = document.getElementById("keys");
const single = document.body.hasAttribute("data-single-keys");
const FIELDS = "input, textarea, select, [contenteditable]:not([contenteditable='false'])";

function typing(target) {
  const field = target.closest?.(FIELDS);
  return field && !["checkbox", "radio", "button", "submit"].includes(field.type);
}

function shown(element) {
  return element.checkVisibility ? element.checkVisibility() : element.offsetParent !== null;
}

function rows() {
  return [...document.querySelectorAll("[data-list] [data-row]")].filter(shown);
}

function current(list) {
  const focused = document.activeElement?.closest?.("[data-list] [data-row]");
  const found = focused || document.querySelector("[data-list] [data-row][aria-current]");
  return list.indexOf(found);
}

function move(step) {
  const list = rows();
  if (!list.length) return false;
  const at = current(list);
  const to = list[at < 0 ? 0 : Math.min(Math.max(at + step, 0), list.length - 1)];
  to.focus({ preventScroll: true });
  to.scrollIntoView({ block: "nearest" });
  to.dispatchEvent(new CustomEvent("desk:select", { bubbles: true }));
  return true;
}

function open() {
  const list = rows();
  const at = current(list);
  if (at < 0) return false;
  location.assign(list[at].href);
  return true;
}

function press(key) {
  const targets = [...document.querySelectorAll(`[data-key="${CSS.escape(key)}"]`)].filter(shown);
  const target = targets.find(typing) || targets[0];
  if (!target) return false;
  if (typing(target)) target.focus();
  else target.click();
  return true;
}

function help() {
  document.querySelectorAll("[popover]:popover-open").forEach((menu) => menu.hidePopover());
  if (!dialog.open) dialog.showModal();
  return true;
}

for (const button of document.querySelectorAll("[data-keys-help]")) {
  button.addEventListener("click", help);
}

dialog?.addEventListener("click", (event) => {
  if (event.target === dialog) dialog.close();
});

const WAYS = {
  j: () => move(1),
  k: () => move(-1),
  o: open,
  "]": () => press("]") || move(1),
  "[": () => press("[") || move(-1),
  "?": help,
};

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.isComposing || document.querySelector("dialog[open]")) return;
  if (event.key === "Escape") {
    if (typing(event.target)) event.target.blur();
    return;
  }
  if (!single || typing(event.target)) return;
  const way = WAYS[event.key];
  if (way ? way() : event.key.length === 1 && press(event.key)) event.preventDefault();
});
