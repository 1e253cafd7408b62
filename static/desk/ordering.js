/* Items that are put in order: moved up and down by buttons, where a number would have to be chosen.

   The numbers stay in the form, unseen, and follow the order of the list.                        */

const buttons = document.getElementById("moves");

for (const list of document.querySelectorAll("[data-ordering]")) {
  const items = () => [...list.children];
  const field = (item) => item.querySelector("select");
  const words = (item) => item.querySelector("span").textContent.trim();

  function number() {
    items().forEach((item, index, all) => {
      field(item).value = String(index + 1);
      item.querySelector('[data-move="up"]').disabled = index === 0;
      item.querySelector('[data-move="down"]').disabled = index === all.length - 1;
    });
  }

  function move(item, button) {
    if (button.dataset.move === "up") item.previousElementSibling.before(item);
    else item.nextElementSibling.after(item);
    number();
    // At an end of the list a button is of no use any more: the other one has the focus then.
    (button.disabled ? item.querySelector("[data-move]:enabled") : button).focus();
    const text = list.dataset.moved
      .replace("{item}", words(item))
      .replace("{place}", field(item).value);
    document.dispatchEvent(new CustomEvent("desk:announce", { detail: { text } }));
  }

  for (const item of items()) {
    const label = item.querySelector("label");
    const row = document.createElement("div");
    field(item).hidden = true;
    row.append(...label.childNodes, buttons.content.cloneNode(true));
    label.replaceWith(row);
    for (const button of row.querySelectorAll("[data-move]")) {
      button.setAttribute("aria-label", `${button.getAttribute("aria-label")}: ${words(item)}`);
      button.addEventListener("click", () => move(item, button));
    }
  }
  // What was chosen before and refused stands where it was put.
  const placed = items().filter((item) => field(item).value);
  placed.sort((one, other) => field(one).value - field(other).value);
  list.prepend(...placed);
  list.dataset.ordering = "moved";
  number();
}
