/* A new token: copied with a button, and gone once its page is left.

   The page is not to be stored, but a browser may keep it for the way back all the same.      */

for (const button of document.querySelectorAll("[data-copy]")) {
  const field = document.getElementById(button.dataset.copy);
  button.addEventListener("click", async () => {
    field.select();
    try {
      await navigator.clipboard.writeText(field.value);
    } catch {
      // Without https there is no clipboard for pages; the old way still copies what is selected.
      if (!document.execCommand("copy")) return;
    }
    button.querySelector("span").textContent = button.dataset.copied;
    document.dispatchEvent(
      new CustomEvent("desk:announce", { detail: { text: button.dataset.copied } }),
    );
  });
}

window.addEventListener("pagehide", () => {
  for (const field of document.querySelectorAll("[data-once]")) field.value = "";
});
