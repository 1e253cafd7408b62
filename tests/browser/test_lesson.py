"""A lesson as people take it: by keyboard, by touch on a small screen, as a video, on paper."""

from __future__ import annotations

from base64 import b64decode
from pathlib import Path

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from tests.browser.conftest import PASSWORD, Watched, may_sign_in
from tests.browser.soundness import NARROW, faults
from tests.house import House
from tests.processes import Installation, eventually
from tests.training.films import CAPTIONS, draft
from training import defaults, versions
from training.models import LessonProgress, LessonVideo, ProcedureVersion

pytestmark = [pytest.mark.slow, pytest.mark.browser]
PAGE = "/training/ticket-escalation/lesson/"

#: Four seconds of a canvas that changes its colour.
_RECORD = """async () => {
  const canvas = document.createElement("canvas");
  canvas.width = 160; canvas.height = 90;
  const brush = canvas.getContext("2d");
  const recorder = new MediaRecorder(canvas.captureStream(10), {mimeType: "video/webm;codecs=vp8"});
  const parts = [];
  recorder.ondataavailable = event => parts.push(event.data);
  const stopped = new Promise(done => { recorder.onstop = done; });
  recorder.start();
  let shade = 0;
  const timer = setInterval(() => {
    brush.fillStyle = `hsl(${shade += 20} 80% 50%)`;
    brush.fillRect(0, 0, 160, 90);
    if (shade >= 800) { clearInterval(timer); recorder.stop(); }
  }, 100);
  await stopped;
  const bytes = new Uint8Array(await new Blob(parts).arrayBuffer());
  return btoa(Array.from(bytes, byte => String.fromCharCode(byte)).join(""));
}"""


def swipe(page: Page, by: int) -> None:
    """Move a finger sideways over the slide."""
    touching = page.context.new_cdp_session(page)
    for kind, x in (("touchStart", 180), ("touchMove", 180 + by // 2), ("touchMove", 180 + by)):
        point = [{"x": x, "y": 300}]
        touching.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": point})
    touching.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    touching.detach()


def test_a_lesson_is_taken_by_keyboard_touch_video_and_paper(
    installation: Installation, watched: Watched, tmp_path: Path
) -> None:
    house = House()
    may_sign_in(house.anna, house.marco)
    defaults.load_defaults(now=timezone.now())
    installation.start("web")

    # By keyboard: no page is loaded anew, and the focus goes with the slides.
    anna = watched.sign_in(house.anna.email, PASSWORD)
    anna.goto(PAGE)
    anna.evaluate("window.stayed = true")
    title, place = anna.locator("#slide-title"), anna.locator("#slide-place")
    anna.keyboard.press("ArrowRight")
    expect(title).to_contain_text("Assess complexity and urgency")
    expect(title).to_be_focused()
    anna.keyboard.press("ArrowRight")
    expect(place).to_contain_text("Slide 3 of 8")
    anna.keyboard.press("ArrowLeft")
    expect(place).to_contain_text("Slide 2 of 8")
    anna.keyboard.press("ArrowRight")
    expect(place).to_contain_text("Slide 3 of 8")
    assert anna.evaluate("window.stayed")
    assert anna.url.endswith("?step=gather")
    anna.go_back()
    expect(place).to_contain_text("Slide 2 of 8")
    assert faults(anna) == []

    # By touch on a small screen, from where she left; nothing to answer before the last slide.
    phone = watched.sign_in(
        house.anna.email, PASSWORD, viewport=NARROW, has_touch=True, is_mobile=True
    )
    phone.goto(PAGE)
    place = phone.locator("#slide-place")
    expect(place).to_contain_text("Slide 3 of 8")
    # There and back, a slide at a time; the browser's own gesture, which would go back a page besides,
    # comes only now and then.
    style = "getComputedStyle(document.getElementById('slide')).touchAction"
    assert phone.evaluate(style) == "pan-y pinch-zoom"
    for by, numbers in ((-160, range(4, 8)), (160, range(6, 1, -1)), (-160, range(3, 9))):
        for number in numbers:
            swipe(phone, by)
            expect(place).to_contain_text(f"Slide {number} of 8")
    expect(phone.locator("#slide")).to_contain_text("You have seen all that is asked of you.")
    assert LessonProgress.objects.get().finished_at is not None

    # On paper: the slides alone, all of them.
    anna.goto(f"{PAGE}?print=1")
    assert faults(anna) == []
    anna.emulate_media(media="print")
    expect(anna.locator(".slide-paper")).to_have_count(8)
    for hidden in (".rail", ".settings-tabs", "[data-print]"):
        expect(anna.locator(hidden).first).to_be_hidden()
    anna.emulate_media(media="screen")

    # A lead adds a video to the next version.
    version = draft(ProcedureVersion.objects.get())
    marco = watched.sign_in(house.marco.email, PASSWORD)
    marco.goto("/training/ticket-escalation/versions/2/lesson/")
    (tmp_path / "lesson.webm").write_bytes(b64decode(marco.evaluate(_RECORD)))
    (tmp_path / "lesson.vtt").write_bytes(CAPTIONS)
    marco.get_by_label("Video (MP4 or WebM)").set_input_files(tmp_path / "lesson.webm")
    marco.get_by_label("Captions (WebVTT)").set_input_files(tmp_path / "lesson.vtt")
    marco.get_by_role("button", name="Add the video").click()
    expect(marco.locator("video")).to_have_count(1)
    assert faults(marco) == []
    assert LessonVideo.objects.get().size == (tmp_path / "lesson.webm").stat().st_size
    versions.publish(version_id=version.pk, by=None, now=timezone.now())

    # It is watched in two sittings, and finished at its end.
    def state(page: Page, name: str) -> float:
        found: float = page.evaluate(f"document.querySelector('video').{name}")
        return found

    anna.goto(PAGE)
    anna.evaluate("(v => { v.muted = true; return v.play() })(document.querySelector('video'))")
    eventually(lambda: state(anna, "currentTime") > 1.5, what="a second and a half of the video")
    anna.evaluate("document.querySelector('video').pause()")
    left = state(anna, "currentTime")
    kept = LessonProgress.objects.filter(version=version)
    eventually(
        lambda: kept.filter(at_second__range=(left - 0.2, left + 0.2)).exists(), what="the position"
    )
    assert state(anna, "textTracks[0].cues.length") == 2
    assert faults(anna) == []
    anna.goto("/training/")
    anna.goto(PAGE)
    eventually(
        lambda: abs(state(anna, "currentTime") - left) < 0.2, what="the video where she left it"
    )
    anna.evaluate("(v => { v.muted = true; return v.play() })(document.querySelector('video'))")
    eventually(lambda: kept.filter(finished_at__isnull=False).exists(), what="its end")
    assert kept.get().at_second == 0
