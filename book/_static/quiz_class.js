// The lecturer's view of the quiz: reads many saved files, and shows the class's gain. Nothing leaves the computer.
(function () {
  "use strict";

  // The answers of a saved file, or null if it is none. Unknown questions are dropped, missing ones count as no answer.
  function parsed(text, items) {
    let found;
    try {
      found = JSON.parse(text);
    } catch {
      return null;
    }
    if (!found || found.kind !== "medtut-quiz") return null;
    const one = { code: String(found.code || "") };
    ["before", "after"].forEach(function (mode) {
      const answers = found[mode] && found[mode].answers;
      if (answers) one[mode] = items.map((item) => Number(answers[item.id] === item.right));
    });
    return one.before || one.after ? one : null;
  }

  // Joins files with the same code: what is missing in one is taken from another; a second "after" does not count.
  function joined(files) {
    const learners = [];
    files.forEach(function (file) {
      const known = file.code && learners.find((one) => one.code === file.code);
      if (!known) learners.push({ ...file });
      else ["before", "after"].forEach((mode) => { known[mode] = known[mode] || file[mode]; });
    });
    return learners;
  }

  const total = (marks) => marks.reduce((sum, mark) => sum + mark, 0);

  // Scores, gains and shares of a class; `paired` of stats.js gives the interval.
  function summary(learners, count, paired) {
    const of = (mode) => learners.filter((one) => one[mode]).map((one) => total(one[mode]));
    const both = learners.filter((one) => one.before && one.after);
    const gains = both.map((one) => total(one.after) - total(one.before));
    const share = (list, mode, k) => (list.length ? total(list.map((one) => one[mode][k])) / list.length : NaN);
    const shares = (k) => ({ before: share(both, "before", k), after: share(both, "after", k) });
    return { before: of("before"), after: of("after"), pairs: both.length,
      items: Array.from({ length: count }, (_, k) => shares(k)), gain: gains.length ? paired(gains) : null };
  }

  // One row for each learner: code, scores, then every question before and after. Quotes are doubled, formulas disarmed.
  function csv(learners, items) {
    const cell = (value) => '"' + String(value).replace(/^[=+\-@\t\r]/, "'$&").replace(/"/g, '""') + '"';
    const named = (mode) => items.map((item) => mode + " " + item.id);
    const head = ["code", "before", "after", ...named("before"), ...named("after")];
    const rows = learners.map(function (one) {
      const marks = (mode) => one[mode] || items.map(() => "");
      const sum = (mode) => (one[mode] ? total(one[mode]) : "");
      return [cell(one.code), sum("before"), sum("after"), ...marks("before"), ...marks("after")].join(",");
    });
    return [head.map(cell).join(","), ...rows].join("\r\n") + "\r\n";
  }

  if (typeof module !== "undefined") {
    module.exports = { parsed, joined, summary, csv };
    return;
  }

  const { el, download, opener, data, button, two, range } = window.medtutLearn;
  const stats = window.medtutStats;

  function scoreLine(words, scores, of) {
    if (!scores.length) return el("li", {}, words + ": no file.");
    return el("li", {}, words + ": mean " + two(stats.mean(scores)) + " of " + of + ", " + scores.length +
      (scores.length === 1 ? " learner." : " learners."));
  }

  function gainLine(found) {
    if (!found.pairs) return el("li", {}, "Gain: no learner took both.");
    const { value, low, high } = found.gain;
    const interval = found.pairs < 2 ? "; one learner has no interval." :
      " questions (95 % interval " + range(low, high) + "; " + found.pairs + " learners who took both).";
    return el("li", {}, "Mean gain: " + two(value) + interval);
  }

  // A gain from -1 to 1 as points and as a bar that begins in the middle.
  function gainCell(gain) {
    if (Number.isNaN(gain)) return el("td", {}, "–");
    const points = Math.round(100 * gain);
    const bar = el("span", { class: gain < 0 ? "learn-loss" : "" });
    bar.style.left = 50 * (1 + Math.min(0, gain)) + "%";
    bar.style.width = 50 * Math.abs(gain) + "%";
    const sign = points > 0 ? "+" : points < 0 ? "−" : "";
    return el("td", {}, sign + Math.abs(points), el("span", { class: "learn-gain", "aria-hidden": "true" }, bar));
  }

  function itemTable(items, shares) {
    const percent = (share) => el("td", {}, Number.isNaN(share) ? "–" : Math.round(100 * share) + " %");
    const rows = items.map((item, k) => el("tr", {},
      el("th", { scope: "row" }, el("a", { href: "misconceptions.html#misconception-" + item.id }, item.claim)),
      percent(shares[k].before), percent(shares[k].after), gainCell(shares[k].after - shares[k].before)));
    const heads = ["Belief", "before", "after", "gain"].map((text) => el("th", { scope: "col" }, text));
    return el("table", { class: "table learn-table" },
      el("caption", {}, "Share of right answers among those who took both, and the gain in points " +
        "(bar to the right: more right answers after)"),
      el("thead", {}, el("tr", {}, heads)), el("tbody", {}, rows));
  }

  function start(panel, items) {
    let files = [];
    let seen = new Set(); // the texts of the files, so that none counts twice
    const out = el("div", {});
    const message = el("p", { role: "status" });

    function update() {
      const learners = joined(files);
      const found = summary(learners, items.length, stats.paired);
      const again = function () {
        files = [];
        seen = new Set();
        message.textContent = "No file is loaded.";
        update();
      };
      const parts = () => [
        el("ul", {}, scoreLine("Before", found.before, items.length), scoreLine("After", found.after, items.length),
          gainLine(found)),
        itemTable(items, found.items),
        el("div", { class: "learn-buttons" },
          button("Save as CSV", () => download("medtut-class.csv", csv(learners, items), "text/csv"), true),
          button("Start again", again)),
      ];
      out.replaceChildren(...(learners.length ? parts() : []));
    }

    const load = opener("Choose the saved files", true, function (read) {
      const fresh = read.filter(([, text]) => !seen.has(text));
      fresh.forEach(([, text]) => seen.add(text));
      const good = fresh.map(([name, text]) => [name, parsed(text, items)]);
      files = files.concat(good.map(([, one]) => one).filter(Boolean));
      const bad = good.filter(([, one]) => !one).map(([name]) => name);
      message.textContent = good.length - bad.length + " files read, " + joined(files).length + " learners in all." +
        (bad.length ? " Not a file of this quiz: " + bad.join(", ") + "." : "");
      update();
    });
    panel.replaceChildren(load, message, out);
  }

  document.addEventListener("DOMContentLoaded", function () {
    const panel = document.querySelector(".class-panel");
    const items = data("quiz-data");
    if (panel && items) start(panel, items);
  });
})();
