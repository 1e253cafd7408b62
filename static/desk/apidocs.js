/* The API's operations, drawn by Swagger UI from the schema. */

const place = document.getElementById("operations");
const root = document.documentElement;

/** Its dark colours hang on a class; ours on the theme. */
const darken = () => root.classList.toggle("dark-mode", root.dataset.bsTheme === "dark");
new MutationObserver(darken).observe(root, { attributeFilter: ["data-bs-theme"] });
darken();

/** A problem's type leads to its kind, which is folded away. */
const unfold = () => {
  const kind = document.getElementById(location.hash.slice(1));
  if (kind && kind.closest("details")) {
    kind.closest("details").open = true;
    kind.scrollIntoView();
  }
};
window.addEventListener("hashchange", unfold);
unfold();

const spec = await (await fetch(place.dataset.schema)).json();
// A session reads the schema alone, and is nothing to be typed in.
delete spec.components.securitySchemes.session;
for (const methods of Object.values(spec.paths)) {
  for (const operation of Object.values(methods)) {
    operation.security = operation.security?.filter((each) => !("session" in each));
  }
}

window.SwaggerUIBundle({
  spec,
  domNode: place,
  presets: [window.SwaggerUIBundle.presets.apis],
  layout: "BaseLayout",
  deepLinking: true,
  docExpansion: "list",
  defaultModelsExpandDepth: 0,
  // Would ask a server of others whether the schema is valid.
  validatorUrl: null,
  // A token that was tried is forgotten with the page.
  persistAuthorization: false,
  withCredentials: false,
});
