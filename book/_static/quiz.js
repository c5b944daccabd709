// The quiz of the twenty misconceptions, before and after the course. Kept in this browser; saved to a file on demand.
(function () {
  "use strict";

  // Answers are kept as the number of the option in the book's order, or null for none.
  const isRight = (item, answer) => answer === item.right;
  const score = (items, answers) => items.filter((item) => isRight(item, answers[item.id] ?? null)).length;
  const guessed = (items) => items.reduce((sum, item) => sum + 1 / item.options.length, 0);

  if (typeof module !== "undefined") {
    module.exports = { isRight, score, guessed };
    return;
  }

  const { el, store, where, download, data, random, shuffled, newSeed, title, button, show, two, range } =
    window.medtutLearn;
  const stats = window.medtutStats;
  const MODES = { before: "before the course", after: "after the course" };
  const memory = store("medtut-quiz");
  const read = () => memory.read() || { code: "" };
  const taken = (state) => Object.keys(MODES).filter((mode) => state[mode] && state[mode].done);
  let panel = null;
  let items = null;

  // The option that was chosen, as far as the quiz still has it.
  function chosen(run, item) {
    const answer = run.answers[item.id] ?? null;
    return item.options[answer] ? answer : null;
  }

  function begin(mode) {
    const state = read();
    if (!state[mode] || state[mode].done) state[mode] = { seed: newSeed(), answers: {}, at: 0, done: false };
    memory.write(state);
    ask(mode);
  }

  function saveFile() {
    const state = read();
    const file = { kind: "medtut-quiz", version: 1, code: state.code };
    taken(state).forEach((mode) => { file[mode] = { seed: state[mode].seed, answers: state[mode].answers }; });
    const name = state.code ? "-" + state.code.replace(/[^\w-]/g, "_") : "";
    download("medtut-quiz" + name + ".json", JSON.stringify(file, null, 1));
  }

  function codeField() {
    const input = el("input", { type: "text", maxlength: 20, autocomplete: "off", size: 14, change: function () {
      memory.write({ ...read(), code: input.value.trim() });
    } });
    input.value = read().code;
    return el("label", {}, "Nickname code for your file (optional, not your name) ", input);
  }

  function modeLine(mode) {
    const run = read()[mode];
    let [words, verb] = ["not taken yet", "Take it "];
    if (run && run.done) [words, verb] = [score(items, run.answers) + " of " + items.length, "Replace my answers: take it again "];
    else if (run) [words, verb] = ["begun, question " + (run.at + 1), "Go on with it "];
    return el("li", {}, "Quiz " + MODES[mode] + ": " + words + ". ", button(verb + MODES[mode], () => begin(mode), true));
  }

  function homeParts() {
    const done = taken(read());
    const more = el("div", { class: "learn-buttons" },
      button("Show my result", () => result(done.at(-1))),
      button("Save to a file", saveFile),
      button("Forget my answers", () => { memory.write(null); show(panel, ...homeParts()); }));
    return [title("Your quiz"), el("ul", {}, Object.keys(MODES).map(modeLine)), codeField(),
      ...(done.length ? [more] : []), el("p", { class: "learn-note" }, where(memory))];
  }

  const home = () => show(panel, ...homeParts());

  function ask(mode) {
    const state = read();
    const run = state[mode];
    const next = random(run.seed);
    const order = shuffled(items, next);
    const orders = order.map((item) => shuffled(item.options.map((_, k) => k), next));
    const item = order[run.at];

    function keep(step) {
      const box = panel.querySelector("input:checked");
      run.answers[item.id] = box ? Number(box.value) : null;
      run.at = Math.max(0, run.at + step);
      run.done = run.at >= order.length;
      memory.write(state);
      if (run.done) result(mode);
      else ask(mode);
    }

    const options = orders[run.at].map(function (k) {
      const radio = el("input", { type: "radio", name: "answer", value: k });
      radio.checked = run.answers[item.id] === k;
      return el("label", { class: "learn-option" }, radio, el("span", {}, item.options[k][0]));
    });
    const last = run.at === order.length - 1;
    show(panel, title("Question " + (run.at + 1) + " of " + order.length),
      el("form", { submit: (event) => { event.preventDefault(); keep(1); } },
        el("fieldset", {}, el("legend", {}, item.case), options),
        el("div", { class: "learn-buttons" },
          el("button", { type: "submit", class: "learn-main" }, last ? "Finish" : "Next"),
          run.at ? button("Back", () => keep(-1)) : null,
          button("Stop for now", home))));
  }

  function scoreLine(mode, answers) {
    const right = score(items, answers);
    const found = stats.wilson(right, items.length);
    return el("li", {}, "Score " + MODES[mode] + ": " + right + " of " + items.length + ", a share of " +
      two(found.value) + " (95 % interval " + range(found.low, found.high) + ").");
  }

  function gainLine(state) {
    const marks = (mode) => items.map((item) => Number(isRight(item, chosen(state[mode], item))));
    const before = marks("before");
    const gain = stats.paired(marks("after").map((mark, k) => mark - before[k]));
    return el("p", {}, "Gain: " + Math.round(gain.value * items.length) + " questions; per question " + two(gain.value) +
      " (95 % interval " + range(gain.low, gain.high) + ", over the questions).");
  }

  function whatItTells() {
    const middle = stats.wilson(items.length / 2, items.length);
    return el("p", {}, "What " + items.length + " questions can tell: the interval is " + two(middle.high - middle.low) +
      " wide for someone who knows half of the answers, and guessing alone gives " + guessed(items).toFixed(1) +
      " right on average. So a difference of two or three questions may be chance, for one person.");
  }

  function itemRow(item, state) {
    const mark = (mode) => (taken(state).includes(mode) ?
      (isRight(item, chosen(state[mode], item)) ? "right" : "not right") : "–");
    const answer = chosen(state.after, item);
    const right = isRight(item, answer);
    const [text, reason] = item.options[answer ?? item.right];
    const own = answer === null ? "No answer." : "You chose “" + text + "”. " + (right ? "Right. " : "") + reason;
    const [best, why] = item.options[item.right];
    return el("tr", {},
      el("th", { scope: "row" }, el("p", {}, item.claim), el("p", {}, item.case), el("p", {}, own),
        right ? null : el("p", {}, "Right is “" + best + "”. " + why),
        el("a", { href: "misconceptions.html#misconception-" + item.id }, "The cell that refutes it")),
      el("td", {}, mark("before")), el("td", {}, mark("after")));
  }

  function table(state) {
    const heads = ["Belief, question and your answer", "before", "after"].map((text) => el("th", { scope: "col" }, text));
    return el("table", { class: "table learn-table" }, el("thead", {}, el("tr", {}, heads)),
      el("tbody", {}, items.map((item) => itemRow(item, state))));
  }

  const LATER = "Which answers were right is shown after the course, so that the second score measures the course " +
    "and not your memory of this page. Now save your file, and begin.";

  function result(mode) {
    const state = read();
    const done = taken(state);
    show(panel, title("Your result"), el("ul", {}, done.map((name) => scoreLine(name, state[name].answers))),
      ...(done.length === 2 ? [gainLine(state)] : []), whatItTells(),
      mode === "before" ? el("p", {}, LATER) : table(state),
      el("div", { class: "learn-buttons" }, button("Save to a file", saveFile, true), button("Back to the start", home)));
  }

  document.addEventListener("DOMContentLoaded", function () {
    panel = document.querySelector(".quiz-panel");
    items = data("quiz-data");
    if (panel && items) panel.replaceChildren(...homeParts());
  });
})();
