/* A lesson. Slides: arrow keys, Page Down where the slide's end is in sight, and swiping press the
   buttons that are there without this script, too. A video: where it stands is kept. */

const FIELDS = "input, textarea, select, video, [contenteditable]";
const SWIPE = 60; /* pixels */
const EVERY = 5000; /* milliseconds between two notes of where the video stands */

const slide = () => document.getElementById("slide");

/* Slides */

/* A slide on its way has no htmx on it yet: what is pressed meanwhile is done when it is there. */
let turning = false;
let pressed = null;

function turn(forward) {
  if (turning) {
    pressed = forward;
    return true;
  }
  const way = slide()?.querySelector(forward ? "[data-slide-after]" : "[data-slide-before]");
  if (!way) return false;
  way.click();
  return true;
}

function inSight(edge) {
  const box = slide()?.querySelector(".course")?.getBoundingClientRect();
  if (!box) return false;
  return edge === "end" ? box.bottom <= innerHeight : box.top >= 0;
}

document.addEventListener("htmx:beforeRequest", (event) => {
  if (slide()?.contains(event.target)) turning = true;
});
document.addEventListener("htmx:afterRequest", (event) => {
  if (!event.detail.successful) turning = false;
});

const WAYS = {
  ArrowRight: () => turn(true),
  ArrowLeft: () => turn(false),
  PageDown: () => inSight("end") && turn(true),
  PageUp: () => inSight("begin") && turn(false),
};

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
  if (event.isComposing || event.target.closest?.(FIELDS)) return;
  if (document.querySelector("dialog[open]")) return;
  if (WAYS[event.key]?.()) event.preventDefault();
});

let began = null;

/* What can itself be moved sideways is not swiped away. */
function scrolls(element) {
  for (let each = element; each && each !== slide(); each = each.parentElement) {
    if (each.scrollWidth > each.clientWidth + 1 && getComputedStyle(each).overflowX !== "visible") return true;
  }
  return false;
}

document.addEventListener(
  "touchstart",
  (event) => {
    const touch = event.touches[0];
    const fits = event.touches.length === 1 && slide()?.contains(event.target) && !scrolls(event.target);
    began = fits ? { x: touch.clientX, y: touch.clientY } : null;
  },
  { passive: true },
);

document.addEventListener(
  "touchend",
  (event) => {
    if (!began || getSelection()?.type === "Range") return;
    const touch = event.changedTouches[0];
    const [x, y] = [touch.clientX - began.x, touch.clientY - began.y];
    began = null;
    if (Math.abs(x) > SWIPE && Math.abs(x) > 2 * Math.abs(y)) turn(x < 0);
  },
  { passive: true },
);

/* Reading aloud, by a voice of this machine alone: others would send the text elsewhere */

const speech = window.speechSynthesis;

function voice(language) {
  return speech?.getVoices().find((each) => each.localService && each.lang.startsWith(language));
}

function tend() {
  const button = slide()?.querySelector("[data-speak]");
  if (!button) return;
  const said = slide().querySelector("[data-said]");
  button.hidden = !voice(said.lang);
  if (button.dataset.tended) return;
  button.dataset.tended = "1";
  const word = button.querySelector("span");
  const read = word.textContent;
  button.addEventListener("click", () => {
    if (speech.speaking) {
      speech.cancel();
      return;
    }
    const words = new SpeechSynthesisUtterance(said.textContent);
    words.voice = voice(said.lang);
    words.lang = said.lang;
    words.onend = words.onerror = () => {
      word.textContent = read;
    };
    word.textContent = button.dataset.stop;
    speech.speak(words);
  });
}

tend();
speech?.addEventListener?.("voiceschanged", tend);

document.addEventListener("htmx:afterSettle", () => {
  speech?.cancel();
  tend();
  const title = document.getElementById("slide-title");
  title?.focus({ preventScroll: true });
  title?.scrollIntoView({ block: "nearest" });
  turning = false;
  const next = pressed;
  pressed = null;
  if (next !== null) turn(next);
});

/* The video */

const video = document.querySelector("[data-lesson-video]");
const form = document.querySelector("[data-lesson-position]");
let noted = 0;

function note(ended = false) {
  noted = Date.now();
  const body = new FormData(form);
  body.set("second", video.currentTime.toFixed(1));
  if (ended) body.set("ended", "1");
  fetch(form.action, { method: "POST", body, keepalive: true }).catch(() => {});
}

if (video) {
  video.addEventListener("timeupdate", () => {
    if (!video.paused && Date.now() - noted > EVERY) note();
  });
  video.addEventListener("pause", () => video.ended || note());
  video.addEventListener("ended", () => note(true));
  addEventListener("pagehide", () => video.paused || note());
}

/* Paper */

const print = document.querySelector("[data-print]");
if (print) {
  print.hidden = false;
  print.addEventListener("click", () => window.print());
}
