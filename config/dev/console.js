"use strict";
const $ = (id) => document.getElementById(id);
const token = document.querySelector("meta[name=provision-token]").content;
const clock = new Intl.DateTimeFormat(undefined, {
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  hourCycle: "h23",
});
let seen = "";

// Everything that comes from outside goes into the page as text, never as markup.
function element(name, text, className) {
  const made = document.createElement(name);
  made.textContent = text;
  if (className) made.className = className;
  return made;
}
function say(id, text) {
  // Unchanged text is left alone, or a screen reader would repeat it each second.
  if ($(id).textContent !== text) $(id).textContent = text;
}
function table(id, facts) {
  $(id).replaceChildren(
    ...facts.flatMap((fact) => [element("dt", fact.name), element("dd", fact.value)]),
  );
}
const ms = (time) => (time < 10 ? time.toFixed(2) : time.toFixed(0)) + " ms";

function cell(text, className) {
  return element("td", text, className);
}
function tagged(text, kind) {
  const made = document.createElement("td");
  made.append(element("span", text, "tag " + kind));
  return made;
}
function row(visit) {
  const made = document.createElement("tr");
  const level =
    visit.status >= 500
      ? visit.xCache === "LambdaGeneratedResponse"
        ? "warn"
        : "bad"
      : visit.status >= 400
        ? "warn"
        : "good";
  const cache = visit.xCache.startsWith("Lambda")
    ? visit.xCache === "LambdaGeneratedResponse"
      ? "warn"
      : "bad"
    : "";
  const path = cell(visit.path, "path");
  path.title = visit.path;
  const run =
    visit.run === null
      ? "–"
      : visit.cold === null
        ? `warm ${ms(visit.run)}`
        : `cold ${ms(visit.cold)} + ${ms(visit.run)}`;
  made.append(
    cell(clock.format(visit.at)),
    cell(visit.method),
    path,
    tagged(visit.status, level),
    tagged(visit.xCache, cache),
    cell(run),
    cell(ms(visit.took), "number"),
  );
  return made;
}

function problem(text) {
  $("problem").hidden = !text;
  say("problem", text ?? "");
}
function show(state) {
  const text = JSON.stringify(state);
  if (text === seen) return;
  seen = text;
  const { on, facts, error } = state.switch;
  $("switch").dataset.state = error ? "unknown" : on ? "on" : "off";
  say("now", error ? "Unknown" : on ? "Maintenance is on" : "Maintenance is off");
  $("on").setAttribute("aria-pressed", String(on === true));
  $("off").setAttribute("aria-pressed", String(on === false));
  document.title = (on ? "● maintenance" : "○ site") + " · provision dev";
  problem(error);
  table("facts", facts ?? []);
  table("about", state.about);
  say("name", state.about[0]?.value ?? "");
  $("site").href = state.viewer;
  say("site", state.viewer);
  say("count", state.count === 1 ? "1 so far" : `${state.count.toLocaleString()} so far`);
  $("rows").replaceChildren(...state.visits.map(row));
  $("no-visits").hidden = state.visits.length > 0;
  const log = $("log");
  const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 8;
  say("log", state.log.join("\n") || "The function has printed nothing.");
  if (atEnd) log.scrollTop = log.scrollHeight;
}

async function look() {
  try {
    const answer = await fetch("/__provision/state", { cache: "no-store" });
    if (!answer.ok) throw new Error(await answer.text());
    show(await answer.json());
  } catch (error) {
    seen = "";
    $("switch").dataset.state = "unknown";
    say("now", "Not connected");
    problem(
      error instanceof TypeError
        ? "provision dev has ended. Start it again, then load this page again."
        : error.message,
    );
  }
}
async function turn(on) {
  $("on").disabled = $("off").disabled = true;
  try {
    const headers = { "Content-Type": "application/json", "X-Provision-Token": token };
    const answer = await fetch("/__provision/switch", {
      method: "POST",
      headers,
      body: JSON.stringify({ on }),
    });
    if (!answer.headers.get("content-type").includes("json"))
      throw new Error(await answer.text());
    show(await answer.json());
  } catch (error) {
    problem(error.message);
  } finally {
    $("on").disabled = $("off").disabled = false;
    $(on ? "on" : "off").focus();
  }
}
$("on").addEventListener("click", () => turn(true));
$("off").addEventListener("click", () => turn(false));

// One look after the other, never two at once; none while nobody looks.
async function follow() {
  if (!document.hidden) await look();
  setTimeout(follow, 1000);
}
document.addEventListener("visibilitychange", () => {
  if (!document.hidden) look();
});
follow();
