// The reader study: pairs of slices, a rating for each, and the reader's own AUC with its interval.
(function () {
  "use strict";

  const RATINGS = ["sure: left", "probably left", "guess: left", "guess: right", "probably right", "sure: right"];

  // A pair is judged rightly if the rating is on the side of the signal (0 left, 1 right).
  const isRight = (rating, side) => Number(rating >= 3) === side;

  // What the ratings say: proportion correct, area from the ratings, first and second half.
  function verdict(ratings, sides, stats) {
    const marks = ratings.map((rating, k) => Number(isRight(rating, sides[k])));
    const of = (side) => ratings.filter((_, k) => sides[k] === side);
    const sum = (list) => list.reduce((a, b) => a + b, 0);
    const half = marks.length / 2;
    return { right: sum(marks), share: stats.wilson(sum(marks), marks.length), area: stats.auc(of(1), of(0)),
      halves: [sum(marks.slice(0, half)), sum(marks.slice(half))] };
  }

  if (typeof module !== "undefined") {
    module.exports = { RATINGS, isRight, verdict };
    return;
  }

  const { el, store, where, download, data, title, button, show, two, range } = window.medtutLearn;
  const stats = window.medtutStats;
  const TASKS = {
    real: { name: "Which one was drawn by the model?", signal: "drawn by the model", noise: "held-out slice",
      observer: "A formula of one line (less power in the finest details) is right in " },
    lesion: { name: "Which one holds a lesion?", signal: "with a lesion", noise: "without",
      observer: "A formula that looks for the brightest spot of the lesion's size is right in " },
  };
  const memory = store("medtut-reader");
  const read = () => memory.read() || {};
  let panel = null;
  let study = null;
  let answers = null;

  const percent = (at, of) => (100 * at) / of + "%";

  // One tile of the sheet, as large as there is room; mark: row and column of a circle.
  function tile(number, words, mark) {
    const row = Math.floor(number / study.columns);
    const box = el("div", { class: "reader-tile", role: "img", "aria-label": words });
    box.style.backgroundImage = "url(" + document.documentElement.dataset.content_root + "_static/reader_study.png)";
    box.style.backgroundSize = 100 * study.columns + "% " + 100 * study.rows + "%";
    box.style.backgroundPosition = percent(number % study.columns, study.columns - 1) + " " + percent(row, study.rows - 1);
    if (mark) {
      const circle = el("span", { class: "reader-mark" });
      circle.style.top = percent(mark[0], study.size);
      circle.style.left = percent(mark[1], study.size);
      box.append(circle);
    }
    return box;
  }

  function homeParts() {
    const lines = Object.entries(TASKS).map(function ([name, task]) {
      const seen = (read()[name] || []).length;
      const all = study.pairs[name].length;
      const words = seen >= all ? "See the result" : (seen ? "Go on with pair " + (seen + 1) : "Begin");
      return el("li", {}, task.name + " " + all + " pairs. ", button(words, () => (seen >= all ? result(name) : ask(name)), true));
    });
    return [title("Your study"), el("ul", {}, lines), el("p", { class: "learn-note" }, where(memory))];
  }

  const home = () => show(panel, ...homeParts());

  function ask(name) {
    const kept = read()[name] || [];
    const pairs = study.pairs[name];
    if (kept.length >= pairs.length) {
      result(name);
      return;
    }
    const [left, right] = pairs[kept.length];
    const note = el("p", { role: "alert" });
    const ratings = RATINGS.map((text, k) => el("label", { class: "learn-option" },
      el("input", { type: "radio", name: "rating", value: k }), el("span", {}, text)));
    const form = el("form", { submit: function (event) {
      event.preventDefault();
      const box = form.querySelector("input:checked");
      if (!box) {
        note.textContent = "Choose one of the six answers first; guess if you do not know.";
        return;
      }
      memory.write({ ...read(), [name]: kept.concat(Number(box.value)) });
      ask(name);
    } },
    el("fieldset", {}, el("legend", {}, TASKS[name].name), ratings), note,
    el("div", { class: "learn-buttons" }, el("button", { type: "submit", class: "learn-main" }, "Next pair"),
      button("Stop for now", home)));
    show(panel, title("Pair " + (kept.length + 1) + " of " + pairs.length),
      el("div", { class: "reader-pair" }, tile(left, "left slice"), tile(right, "right slice")), form);
  }

  // One pair with the truth beside it.
  function feedback(name, rating, k) {
    const { side, truth } = answers[name];
    const pair = study.pairs[name][k];
    const words = (at) => (at === side[k] ? TASKS[name].signal : TASKS[name].noise);
    const tiles = [tile(pair[0], "left: " + words(0)), tile(pair[1], "right: " + words(1))];
    let text = (isRight(rating, side[k]) ? "Right" : "Not right") + ": you said “" + RATINGS[rating] + "”. Left: " +
      words(0) + ". Right: " + words(1) + ".";
    if (truth) {
      const mark = truth[k].slice(1);
      tiles[side[k]] = tile(pair[side[k]], "reconstruction, the lesion is circled", mark);
      tiles.push(tile(truth[k][0], "the truth, the lesion is circled", mark));
      text += " The third picture is the truth of the one with the lesion.";
    }
    return el("li", {}, el("p", {}, text), el("div", { class: "reader-pair reader-small" }, tiles));
  }

  const interval = (found) => "95 % interval " + range(found.low, found.high);

  function resultLines(name, found, n) {
    const formula = answers[name].observer.filter(([signal, noise]) => signal > noise).length;
    const its = stats.wilson(formula, n);
    const error = found.area.error ? " (" + interval(found.area) + ", DeLong)" :
      " (no interval: you separated all pairs, or none of your ratings differ)";
    return el("ul", {},
      el("li", {}, el("strong", {}, "Your AUC: " + two(found.share.value)), " (" + interval(found.share) +
        "). You were right in " + found.right + " of " + n + " pairs. For pairs, the proportion of right answers is the " +
        "AUC: the chance that a random pair is put in the right order. 0.50 is a coin."),
      el("li", {}, "From your ratings: " + two(found.area.value) + error + ". This is the area for telling the pairs with " +
        "the answer on the right from those with it on the left. Two slices say more than one, so this area is " +
        "usually the larger."),
      el("li", {}, "First half: " + found.halves[0] + " right, second half: " + found.halves[1] + " right, of " + n / 2 +
        " each. Readers learn while they read, and tire."),
      el("li", {}, TASKS[name].observer + formula + " of the same " + n + " pairs: AUC " + two(its.value) + " (" +
        interval(its) + ")."));
  }

  function result(name) {
    const ratings = read()[name];
    const side = answers[name].side;
    const file = { kind: "medtut-reader", version: 1, task: name, ratings: ratings, side: side };
    const forget = function () {
      const { [name]: _, ...rest } = read();
      memory.write(rest);
      home();
    };
    show(panel, title("Your result: " + TASKS[name].name),
      resultLines(name, verdict(ratings, side, stats), ratings.length),
      el("div", { class: "learn-buttons" },
        button("Save to a file", () => download("medtut-reader-" + name + ".json", JSON.stringify(file, null, 1)), true),
        button("Forget and start again", forget), button("Back", home)),
      el("h3", {}, "Pair by pair"),
      el("ol", { class: "reader-list" }, ratings.map((rating, k) => feedback(name, rating, k))));
  }

  document.addEventListener("DOMContentLoaded", function () {
    panel = document.querySelector(".reader-panel");
    study = data("reader-data");
    if (!panel || !study) return;
    answers = JSON.parse(atob(study.key));
    panel.replaceChildren(...homeParts());
  });
})();
