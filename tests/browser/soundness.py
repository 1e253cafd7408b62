"""What is asked of every page in a real browser: axe finds nothing serious, and it fits its screen."""

from __future__ import annotations

from playwright.sync_api import Locator, Page

from tests.processes import ROOT

AXE = ROOT / "node_modules/axe-core/axe.min.js"
WIDE = {"width": 1440, "height": 900}
NARROW = {"width": 360, "height": 780}
#: What can differ between two sizes or schemes of one page.
_OF_LOOKS = ["color-contrast", "scrollable-region-focusable", "target-size", "aria-hidden-focus"]
#: Colours on their way from one scheme to the other are nobody's.
_STILL = """() => {
  const still = new CSSStyleSheet();
  still.replaceSync("*, *::before, *::after { transition: none !important; animation: none !important }");
  document.adoptedStyleSheets = [still];
}"""
_RUN = """rules => axe.run(document, {
  resultTypes: ["violations"], iframes: false,
  ...(rules.length ? {runOnly: {type: "rule", values: rules}} : {}),
})"""
_TOO_WIDE = """width => [...document.querySelectorAll("body *")]
  .filter(each => each.getBoundingClientRect().right > width + 1 && each.checkVisibility())
  .slice(0, 3).map(each => each.outerHTML.slice(0, 120))"""


def follow(pressed: Locator) -> None:
    """Click what leads to another page, and wait until that one is there: a click alone does not."""
    with pressed.page.expect_navigation():
        pressed.click()


def faults(page: Page) -> list[str]:
    """What is wrong with the page that is open: wide and narrow, in the light and in the dark."""
    found = []
    # Without its styles it would be another page.
    page.wait_for_load_state()
    page.evaluate(AXE.read_text())
    page.evaluate(_STILL)
    for size in (WIDE, NARROW):
        page.set_viewport_size(size)  # type: ignore[arg-type]
        width = page.evaluate("document.documentElement.scrollWidth")
        if width > size["width"]:
            found.append(f"{width} px wide: {page.evaluate(_TOO_WIDE, size['width'])}")
        # Colours do not follow the size; what stands beside what, and is in reach, does.
        for scheme in ("light", "dark") if size is WIDE else ("dark",):
            page.emulate_media(color_scheme=scheme)
            first = size is WIDE and scheme == "light"
            for one in page.evaluate(_RUN, [] if first else _OF_LOOKS)["violations"]:
                if one["impact"] in ("serious", "critical"):
                    nodes = [node["html"][:160] for node in one["nodes"][:3]]
                    why = one["nodes"][0].get("failureSummary", "").replace("\n", " ")[:200]
                    found.append(f"{size['width']} px, {scheme}: {one['id']}: {nodes} {why}")
    page.set_viewport_size(WIDE)  # type: ignore[arg-type]
    page.emulate_media(color_scheme="light")
    return found
