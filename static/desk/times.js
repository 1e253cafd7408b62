/* Keeps times true while a page stays open; desk/timewords.py says them first, by the same rules. */

const MINUTE = 60;
const HOUR = 3600;
const DAY = 86400;
const words = JSON.parse(document.body.dataset.words || "{}");

const fill = (pattern, values) => pattern.replace(/%\((\w+)\)s/g, (_all, name) => values[name]);

function span(seconds) {
  const s = Math.floor(Math.abs(seconds));
  if (s < MINUTE) return fill(words.seconds, { n: s });
  if (s < HOUR) return fill(words.minutes, { n: Math.floor(s / MINUTE) });
  if (s < DAY) {
    const minutes = Math.floor((s % HOUR) / MINUTE);
    return fill(minutes ? words.hoursMinutes : words.hours, {
      n: Math.floor(s / HOUR),
      m: String(minutes).padStart(2, "0"),
    });
  }
  const days = Math.floor(s / DAY);
  const hours = Math.floor((s % DAY) / HOUR);
  return fill(hours && days < 7 ? words.daysHours : words.days, { n: days, m: hours });
}

function left(at, now) {
  const seconds = (at - now) / 1000;
  if (seconds <= 0) return fill(words.late, { span: span(seconds) });
  if (seconds >= 5 * MINUTE) return span(seconds);
  const whole = Math.ceil(seconds);
  return `${Math.floor(whole / MINUTE)}:${String(whole % MINUTE).padStart(2, "0")}`;
}

function relative(at, now) {
  const seconds = (at - now) / 1000;
  const size = Math.abs(seconds);
  if (size < MINUTE) return words.now;
  const unit = [DAY, HOUR, MINUTE].find((one) => size >= one);
  const said = span(Math.floor(size / unit) * unit);
  return fill(seconds > 0 ? words.in : words.ago, { span: said });
}

function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function level(chip, now) {
  const due = Date.parse(chip.dataset.due);
  const name = due <= now ? "bad" : Date.parse(chip.dataset.warn) <= now ? "warn" : "ok";
  if (chip.classList.contains(`chip-${name}`)) return;
  chip.classList.remove("chip-bad", "chip-warn", "chip-ok");
  chip.classList.add(`chip-${name}`);
  const icon = chip.querySelector(".ti");
  if (icon) icon.className = `ti ti-${name === "bad" ? "flame" : chip.dataset.symbol}`;
  const row = chip.closest("[data-level]");
  if (row) row.dataset.level = name;
}

function tick() {
  const now = Date.now();
  for (const element of document.querySelectorAll("time[data-countdown]")) {
    say(element, left(Date.parse(element.dateTime), now));
  }
  for (const element of document.querySelectorAll("time[data-moment]")) {
    const at = Date.parse(element.dateTime);
    if (Math.abs(at - now) < 7 * DAY * 1000) say(element, relative(at, now));
  }
  for (const chip of document.querySelectorAll("[data-due]")) level(chip, now);
}

if (words.seconds) {
  tick();
  setInterval(tick, 1000);
  document.addEventListener("visibilitychange", tick);
  document.addEventListener("htmx:afterSwap", tick);
}
