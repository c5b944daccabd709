// Filters the methods page by the axes and the words that each card carries. What is chosen stands in the
// address: methods.html#task=reconstruction&modality=CT. Without this script every card is shown.
(function () {
  "use strict";

  const AXES = ["task", "modality", "organ", "framework", "mechanism", "operator", "targets"];
  const NOTHING = { framework: "none of the three" };
  const MISSING = ": not covered";

  function make(name, settings, ...children) {
    const made = Object.assign(document.createElement(name), settings);
    made.append(...children);
    return made;
  }

  // Words as they are typed: "score-MRI", "scoremri" and "score mri" meet, and so do "pi-GDM" and "ΠGDM".
  function words(text) {
    const plain = text.normalize("NFKD").replace(/[\u0300-\u036f]/g, "").toLowerCase().replace(/π/g, "pi");
    const parts = plain.split(/\s+/).flatMap((w) => [w.replace(/[^\p{L}\p{N}]/gu, ""), ...w.split(/[^\p{L}\p{N}]+/u)]);
    return parts.filter(Boolean);
  }

  function typed(text) {
    return text.split(/\s+/).map((w) => words(w)[0]).filter(Boolean);
  }

  function read(card) {
    const mark = card.querySelector(".method-axes");
    return { card: card, pairs: new Set(mark.dataset.values.split("|")),
             words: words(mark.dataset.words + " " + card.textContent) };
  }

  function has(method, axis, value) {
    return method.pairs.has(axis + "=" + value) || (value !== "none" && method.pairs.has(axis + "=any"));
  }

  function fits(method, chosen) {
    const text = typed(chosen.q || "");
    return text.every((w) => method.words.some((other) => other.startsWith(w)))
      && AXES.every((axis) => !chosen[axis] || has(method, axis, chosen[axis]));
  }

  function fromAddress() {
    const found = new URLSearchParams(location.hash.slice(1));
    const chosen = {};
    [...AXES, "q"].forEach((name) => { if (found.get(name)) chosen[name] = found.get(name); });
    return chosen;
  }

  function toAddress(chosen) {
    const said = [...AXES, "q"].filter((name) => chosen[name])
      .map((name) => name + "=" + encodeURIComponent(chosen[name])).join("&");
    const target = said ? "#" + said : location.pathname + location.search;
    try { history.replaceState(null, "", target); } catch (e) { if (said) location.hash = said; }
  }

  class Finder {
    constructor(place) {
      this.methods = Array.from(document.querySelectorAll(".method")).map(read);
      this.bare = new Set(place.dataset.uncovered.split("|").filter(Boolean));
      this.chosen = {};
      this.selects = {};
      this.build(place);
      window.addEventListener("hashchange", () => this.arrive());
      this.arrive();
    }

    count(chosen) { return this.methods.filter((method) => fits(method, chosen)).length; }

    without(name) { return Object.fromEntries(Object.entries(this.chosen).filter(([key]) => key !== name)); }

    valuesOf(axis) {
      const values = new Set();
      this.methods.forEach((method) => method.pairs.forEach((pair) => {
        if (pair.startsWith(axis + "=")) values.add(pair.slice(axis.length + 1));
      }));
      values.delete("any");
      if (!NOTHING[axis]) values.delete("none");
      return Array.from(values).sort((a, b) => (a === "none") - (b === "none") || a.localeCompare(b));
    }

    makeSelect(axis) {
      const select = make("select", { id: "finder-" + axis });
      select.add(new Option("all", ""));
      this.valuesOf(axis).forEach((value) => select.add(new Option(value, value)));
      const missing = Array.from(this.bare).filter((pair) => pair.startsWith(axis + "="));
      if (missing.length) {
        const options = missing.map((pair) => pair.slice(axis.length + 1)).map((v) => new Option(v + MISSING, v));
        select.append(make("optgroup", { label: "not covered" }, ...options));
      }
      select.addEventListener("change", () => this.choose(axis, select.value));
      this.selects[axis] = select;
      const label = make("label", { htmlFor: select.id, textContent: axis });
      return make("div", { className: "finder-field" }, label, select);
    }

    build(place) {
      const button = { type: "button", className: "finder-button" };
      this.box = make("input", { type: "search", id: "finder-q", autocomplete: "off",
        placeholder: "DPS, Chung, sparse-view CT …" });
      this.summary = make("summary", { textContent: "Filters" });
      this.status = make("p", { className: "finder-status", id: "finder-status", tabIndex: -1 });
      this.status.setAttribute("role", "status");
      this.clear = make("button", { ...button, textContent: "Clear" });
      this.drop = make("button", button);
      const fields = make("div", { className: "finder-fields" }, ...AXES.map((axis) => this.makeSelect(axis)));
      const filters = make("details", { className: "finder-filters" }, this.summary, fields);
      filters.open = !window.matchMedia("(max-width: 600px)").matches;
      this.box.addEventListener("input", () => this.choose("q", this.box.value.trim()));
      this.clear.addEventListener("click", () => { this.chosen = {}; this.changed(); this.box.focus(); });
      this.drop.addEventListener("click", () => { this.choose(this.drop.dataset.name, ""); this.status.focus(); });
      const label = make("label", { htmlFor: this.box.id, textContent: "Name, author, key or plain words" });
      place.append(make("div", { className: "finder-field finder-search" }, label, this.box), filters, this.status,
        make("p", { className: "finder-buttons" }, this.drop, this.clear));
    }

    choose(name, value) {
      this.chosen = this.without(name);
      if (value) this.chosen[name] = value;
      this.changed();
    }

    changed() {
      toAddress(this.chosen);
      this.show();
    }

    said(name) {
      const value = this.chosen[name];
      return name === "q" ? "the words “" + value + "”" : name + ": " + (value === "none" ? NOTHING[name] : value);
    }

    // Beside each value stands how many systems it would show with the other choices as they are.
    showCounts() {
      AXES.forEach((axis) => {
        const select = this.selects[axis], others = this.without(axis), options = Array.from(select.options);
        const now = this.chosen[axis] || "";
        if (!options.some((option) => option.value === now)) select.add(new Option(now + MISSING, now));
        options.filter((option) => option.value && !option.text.endsWith(MISSING)).forEach((option) => {
          const name = option.value === "none" ? NOTHING[axis] : option.value;
          option.text = name + " (" + this.count({ ...others, [axis]: option.value }) + ")";
        });
        select.value = now;
      });
    }

    // With no hit: drop the choice that alone leaves the fewest systems, if that leaves any of them.
    narrowest() {
      const names = Object.keys(this.chosen), alone = (name) => this.count({ [name]: this.chosen[name] });
      const useful = names.filter((name) => this.count(this.without(name)) > 0);
      return (useful.length ? useful : names).sort((a, b) => alone(a) - alone(b))[0];
    }

    show() {
      this.methods.forEach((m) => m.card.classList.toggle("method-hidden", !fits(m, this.chosen)));
      const names = Object.keys(this.chosen), active = names.filter((name) => name !== "q").length;
      if (this.box.value.trim() !== (this.chosen.q || "")) this.box.value = this.chosen.q || "";
      this.summary.textContent = active ? "Filters (" + active + " set)" : "Filters";
      this.showCounts();
      this.clear.hidden = !names.length;
      const shown = this.count(this.chosen), all = names.map((name) => this.said(name)).join(", ");
      const bare = names.find((n) => n !== "q" && (this.bare.has(n + "=" + this.chosen[n])
        || !this.count({ [n]: this.chosen[n] })));
      const missing = bare ? " Not covered: no system of this course is about " + this.said(bare) + "." : "";
      const filter = names.length ? " for " + all + "." : ".";
      const none = missing || " No system has all of these: " + all + ".";
      this.status.textContent = shown + " of " + this.methods.length + " systems shown"
        + (shown ? filter + missing : "." + none);
      this.drop.hidden = shown > 0;
      if (shown) return;
      const name = this.narrowest();
      this.drop.dataset.name = name;
      this.drop.textContent = "Drop " + this.said(name) + " (shows " + this.count(this.without(name)) + ")";
    }

    arrive() {
      const card = location.hash.startsWith("#method-") && document.getElementById(location.hash.slice(1));
      this.chosen = fromAddress();
      this.show();
      if (card) card.scrollIntoView();
      else if (Object.keys(this.chosen).length) this.status.scrollIntoView();
    }
  }

  document.addEventListener("DOMContentLoaded", function () {
    const place = document.querySelector(".finder");
    if (place) new Finder(place);
  });
})();
