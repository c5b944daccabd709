// What the exercises, the quiz and the reader study share: elements, memory in this browser, small files.
(function () {
  "use strict";

  // el("p", {class: "note"}, "text", child): an element; functions become listeners.
  function el(name, attributes, ...children) {
    const made = document.createElement(name);
    Object.entries(attributes || {}).forEach(function ([key, value]) {
      if (typeof value === "function") made.addEventListener(key, value);
      else if (value !== false && value !== undefined) made.setAttribute(key, value === true ? "" : value);
    });
    made.append(...children.flat().filter((child) => child !== null && child !== undefined));
    return made;
  }

  // An object kept in this browser under `key`; in a browser without storage it lasts as long as the page.
  function store(key) {
    let kept = null;
    let lasting = true;
    try {
      kept = JSON.parse(window.localStorage.getItem(key) || "null");
      window.localStorage.setItem(key + "-test", "1");
      window.localStorage.removeItem(key + "-test");
    } catch {
      lasting = false;
    }
    return {
      lasting: lasting,
      read: () => kept,
      write: function (value) {
        kept = value;
        try {
          if (value === null) window.localStorage.removeItem(key);
          else window.localStorage.setItem(key, JSON.stringify(value));
        } catch { /* storage is off or full: the page goes on with what it holds */ }
      },
    };
  }

  const KEPT = "What you do here is kept in this browser only. Nothing is sent anywhere.";
  const LOST = "This browser keeps nothing for this page: it is forgotten when you close it. Nothing is sent anywhere.";
  const where = (memory) => (memory.lasting ? KEPT : LOST);

  // Offers text as a file.
  function download(name, text, type) {
    const address = URL.createObjectURL(new Blob([text], { type: type || "application/json" }));
    const link = el("a", { href: address, download: name });
    document.body.append(link);
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(address), 10000);
  }

  // A labelled button that opens files and hands over (name, text) of each.
  function opener(words, several, take) {
    const input = el("input", { type: "file", accept: ".json,application/json", multiple: several, change: function () {
      Promise.all(Array.from(input.files).map((file) => file.text().then((text) => [file.name, text])))
        .then((found) => { input.value = ""; take(found); });
    } });
    return el("label", { class: "learn-file" }, words, " ", input);
  }

  // JSON that the build has put into the page.
  function data(id) {
    const place = document.getElementById(id);
    return place && JSON.parse(place.textContent);
  }

  // Random numbers in [0, 1) that depend on the seed only (mulberry32), and a shuffled copy of a list.
  function random(seed) {
    let state = seed >>> 0;
    return function () {
      state = (state + 0x6d2b79f5) >>> 0;
      let t = Math.imul(state ^ (state >>> 15), 1 | state);
      t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
      return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
    };
  }

  function shuffled(list, next) {
    const mixed = Array.from(list);
    for (let i = mixed.length - 1; i > 0; i--) {
      const j = Math.floor(next() * (i + 1));
      [mixed[i], mixed[j]] = [mixed[j], mixed[i]];
    }
    return mixed;
  }

  const newSeed = () => Math.floor(Math.random() * 1e6);

  const title = (text) => el("h2", { tabindex: "-1", class: "learn-title" }, text);
  const button = (text, click, main) => el("button", { type: "button", click: click, class: main && "learn-main" }, text);

  // Replaces what a panel shows and takes the reader to its heading.
  function show(panel, ...parts) {
    panel.replaceChildren(...parts);
    panel.querySelector("h2").focus({ preventScroll: true });
    panel.scrollIntoView({ block: "start" });
  }

  // Two decimals; a range of them.
  const two = (value) => value.toFixed(2);
  const range = (low, high) => two(low) + " to " + two(high);

  // A bar with its numbers in words, for the eye and for a screen reader.
  function bar(value, of, words) {
    return el("div", { class: "learn-bar", role: "img", "aria-label": words },
      el("span", { style: "width:" + (of ? (100 * value) / of : 0) + "%" }));
  }

  const tools = { el, store, where, download, opener, data, random, shuffled, newSeed, title, button, show,
    two, range, bar };
  if (typeof module !== "undefined") module.exports = tools;
  else window.medtutLearn = tools;
})();
