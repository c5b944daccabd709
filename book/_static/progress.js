// Ticks at exercises and memory of quiz answers, in chapters and in the list of all exercises (exercises.md).
(function () {
  "use strict";

  // An answer is right if its text begins with "Yes"; a test holds every question of the book to exactly one.
  const isRight = (text) => /^\s*Yes\b/.test(text);
  const QUESTION = /^\s*(\d+)\.\s/;
  const ANSWER = /^\s*([A-F])\.\s/;

  // Adds what another file knows: a tick stays a tick, a first answer stays the first.
  function merged(mine, theirs) {
    return { exercises: { ...theirs.exercises, ...mine.exercises }, quiz: { ...theirs.quiz, ...mine.quiz } };
  }

  // The progress that a file holds, or null if it is none.
  function parsed(text) {
    try {
      const found = JSON.parse(text);
      if (found.kind !== "medtut-progress" || !found.exercises || !found.quiz) return null;
      const exercises = Object.entries(found.exercises).filter(([, done]) => done === true);
      const quiz = Object.entries(found.quiz).filter(([, q]) => /^[A-F]$/.test(q.first) && typeof q.right === "boolean");
      return { exercises: Object.fromEntries(exercises), quiz: Object.fromEntries(quiz) };
    } catch {
      return null;
    }
  }

  if (typeof module !== "undefined") {
    module.exports = { isRight, merged, parsed };
    return;
  }

  const { el, store, where, download, opener, data, bar } = window.medtutLearn;
  const memory = store("medtut-progress");
  const read = () => memory.read() || { exercises: {}, quiz: {} };

  function tick(id, update) {
    const box = el("input", { type: "checkbox", "data-exercise": id, change: function () {
      const state = read();
      if (box.checked) state.exercises[id] = true;
      else delete state.exercises[id];
      memory.write(state);
      update();
    } });
    box.checked = Boolean(read().exercises[id]);
    return el("label", { class: "learn-done" }, box, " done");
  }

  // Chapters: a tick under the heading of each exercise, and a line of counts before the first.
  function exercisesHere() {
    const cells = Array.from(document.querySelectorAll("article .cell")).map(function (cell) {
      const tag = Array.from(cell.classList).find((name) => name.startsWith("tag_stub:"));
      return tag && { id: tag.slice("tag_stub:".length), section: cell.closest("section") };
    }).filter(Boolean);
    return cells;
  }

  function questionsHere() {
    const found = [];
    document.querySelectorAll("article p > strong:first-child").forEach(function (strong) {
      const number = QUESTION.exec(strong.textContent);
      const answers = [];
      let next = strong.parentNode.nextElementSibling;
      while (next && next.matches("details")) {
        const letter = ANSWER.exec(next.querySelector("summary").textContent);
        const text = Array.from(next.children).slice(1).map((part) => part.textContent).join(" ");
        if (letter) answers.push({ box: next, letter: letter[1], right: isRight(text) });
        next = next.nextElementSibling;
      }
      if (number && answers.length > 1) found.push({ number: number[1], place: strong.parentNode, answers: answers });
    });
    return found;
  }

  function startChapter(page) {
    const exercises = exercisesHere();
    if (!exercises.length) return;
    const list = document.documentElement.dataset.content_root + "book/exercises.html";
    const count = el("span", { role: "status" });
    const questions = questionsHere();

    function update() {
      const state = read();
      const done = exercises.filter((one) => state.exercises[one.id]).length;
      const right = questions.filter((q) => (state.quiz[page + "#" + q.number] || {}).right).length;
      count.textContent = done + " of " + exercises.length + " exercises done, " + right + " of " +
        questions.length + " quiz questions right at the first answer. ";
    }

    exercises.forEach((one) => one.section.querySelector("h2, h3, h4").after(tick(one.id, update)));
    exercises[0].section.before(el("p", { class: "learn-note" }, count, el("a", { href: list }, "All exercises"), ". ",
      where(memory)));
    questions.forEach(function (question) {
      const key = page + "#" + question.number;
      const note = el("p", { class: "learn-note", role: "status" });
      question.place.after(note);
      function tell() {
        const kept = read().quiz[key];
        note.hidden = !kept;
        if (kept) note.textContent = "You opened " + kept.first + " first: " + (kept.right ? "right." : "not right.");
      }
      question.answers.forEach(function (answer) {
        answer.box.addEventListener("toggle", function () {
          const state = read();
          if (!answer.box.open || state.quiz[key]) return;
          state.quiz[key] = { first: answer.letter, right: answer.right };
          memory.write(state);
          tell();
          update();
        });
      });
      tell();
    });
    update();
  }

  // The list of all exercises: the same ticks, a bar for each chapter and one for all.
  function startList(place, chapters) {
    const rows = Array.from(document.querySelectorAll(".exercise-row"));
    const message = el("p", { role: "status" });
    const bars = el("div", {});

    function line(state, chapter) {
      const done = chapter.exercises.filter((id) => state.exercises[id]).length;
      const kept = Object.keys(state.quiz).filter((key) => key.startsWith(chapter.page + "#"));
      const right = kept.filter((key) => state.quiz[key].right).length;
      return { done, of: chapter.exercises.length, seen: kept.length, right, questions: chapter.questions };
    }

    const words = (sum) => sum.done + " of " + sum.of + " exercises; quiz: " + sum.right + " right of " + sum.seen +
      " answered, " + sum.questions + " in all";

    function update() {
      const state = read();
      const all = { done: 0, of: 0, seen: 0, right: 0, questions: 0 };
      chapters.forEach(function (chapter) {
        const sum = line(state, chapter);
        Object.keys(all).forEach((key) => { all[key] += sum[key]; });
        const spot = document.getElementById(chapter.section).querySelector(".exercise-bar");
        spot.replaceChildren(bar(sum.done, sum.of, words(sum)), el("span", { class: "learn-note" }, words(sum)));
      });
      bars.replaceChildren(bar(all.done, all.of, words(all)), el("p", {}, "In all: " + words(all) + "."));
      document.querySelectorAll(".exercise-row input").forEach((box) => {
        box.checked = Boolean(state.exercises[box.dataset.exercise]);
      });
    }

    rows.forEach((row) => row.prepend(tick(row.id.slice("list-".length), update)));
    const forget = el("button", { type: "button", click: function () {
      if (forget.dataset.sure) {
        memory.write(null);
        update();
        message.textContent = "Everything is forgotten.";
      }
      forget.dataset.sure = forget.dataset.sure ? "" : "yes";
      forget.textContent = forget.dataset.sure ? "Really? Press again to forget everything" : "Forget everything";
    }, blur: function () { forget.dataset.sure = ""; forget.textContent = "Forget everything"; } }, "Forget everything");
    const save = el("button", { type: "button", click: function () {
      download("medtut-progress.json", JSON.stringify({ kind: "medtut-progress", version: 1, ...read() }, null, 1));
    } }, "Save to a file");
    const load = opener("Add from a file", false, function ([[name, text]]) {
      const found = parsed(text);
      if (found) memory.write(merged(read(), found));
      update();
      message.textContent = found ? "Added what " + name + " holds." : name + " holds no progress of this course.";
    });
    place.append(el("p", {}, where(memory)), bars, el("div", { class: "learn-buttons" }, save, load, forget), message);
    update();
  }

  document.addEventListener("DOMContentLoaded", function () {
    const chapters = data("progress-data");
    const place = document.querySelector(".progress-panel");
    if (chapters && place) startList(place, chapters);
    else startChapter(DOCUMENTATION_OPTIONS.pagename.replace(/^notebooks\//, ""));
  });
})();
