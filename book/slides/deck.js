// Starts a deck: typesets, gives each slide the largest type that fits, then hands over to reveal.js.
// With ?print in the address nothing is started: the slides stand below one another, one for each page.
(function () {
  "use strict";

  const SMALLEST = 0.5; // of the size in the style sheet
  const LARGEST = { text: 1.5, list: 1.4, table: 1.4, measured: 1.5, code: 1.2, question: 1.4, statement: 1.1 };

  // An equation leaves room for its number.
  function tooWide(box) {
    const drawn = box.querySelector("svg");
    return drawn && drawn.clientWidth > box.clientWidth - parseFloat(getComputedStyle(box).paddingRight) + 1;
  }

  function tooLarge(body) {
    if ([...body.querySelectorAll("div.math")].some(tooWide)) return true;
    return body.scrollHeight > body.clientHeight + 1 || body.scrollWidth > body.clientWidth + 1;
  }

  function fit(section) {
    const body = section.querySelector(".body");
    const size = parseFloat(getComputedStyle(body).fontSize);
    let scale = LARGEST[section.classList[0]] || 1;
    do {
      body.style.fontSize = size * scale + "px";
      scale -= 0.05;
    } while (scale >= SMALLEST && tooLarge(body));
    section.classList.toggle("overfull", tooLarge(body));
  }

  function fitAll() {
    document.querySelectorAll(".slides > section").forEach(fit);
  }

  async function start() {
    const print = location.search.includes("print");
    document.body.classList.toggle("print", print);
    document.querySelectorAll(".slides > section").forEach(function (section) { section.style.position = "relative"; });
    await window.MathJax.startup.promise;
    fitAll();
    if (!print) {
      document.querySelectorAll(".slides > section").forEach(function (section) { section.style.position = ""; });
      await window.Reveal.initialize({
        width: 1280, height: 720, margin: 0, minScale: 0.1, maxScale: 3, center: false, display: "flex",
        hash: true, history: false, slideNumber: false, controls: true, transition: "none",
        plugins: [window.RevealNotes],
      });
    }
    document.documentElement.dataset.ready = "yes";
  }

  window.addEventListener("load", start);
})();
