// A page opened as a file may not fetch other files, so search lists titles without excerpts there.
if (location.protocol === "file:" && typeof DOCUMENTATION_OPTIONS !== "undefined") {
  DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;
}

// What is wider than the page scrolls inside itself: tables, equations, code. A faded edge says so.
// A figure is shrunk to the page; on a phone a tap shows it in its own size, to scroll.
(function () {
  "use strict";

  const wide = "article table, article div.math, article mjx-container[display=true], article pre, .figure-view";

  function mark(box) {
    box.classList.toggle("goes-on", box.scrollWidth - box.clientWidth - box.scrollLeft > 2);
  }

  function markAll() {
    document.querySelectorAll(wide).forEach(mark);
    document.querySelectorAll(".figure-view:not(.full) img").forEach(function (image) {
      image.parentNode.parentNode.classList.toggle("shrunk", image.naturalWidth > 1.2 * image.clientWidth);
    });
  }

  function hold(image) {
    const view = document.createElement("div");
    view.className = "figure-view";
    image.parentNode.insertBefore(view, image);
    view.appendChild(image);
    image.style.setProperty("--own-width", image.naturalWidth + "px");
    image.addEventListener("click", function () {
      if (view.parentNode.classList.contains("shrunk")) view.classList.toggle("full");
      mark(view);
    });
  }

  function start() {
    document.querySelectorAll(".cell:not(.tag_film) .cell_output img").forEach(hold);
    document.querySelectorAll(".cell_output pre").forEach(function (text) {
      text.classList.toggle("wraps", !/\S {3,}\S/.test(text.textContent));
    });
    document.addEventListener("scroll", function (e) { if (e.target.matches?.(wide)) mark(e.target); }, true);
    document.addEventListener("toggle", markAll, true);
    window.addEventListener("resize", markAll);
    const typeset = window.MathJax && window.MathJax.startup && window.MathJax.startup.promise;
    Promise.resolve(typeset).then(markAll);
  }

  window.addEventListener("load", start);
})();
