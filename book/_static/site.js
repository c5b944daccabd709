// A page opened as a file may not fetch other files, so search lists titles without excerpts there.
if (location.protocol === "file:" && typeof DOCUMENTATION_OPTIONS !== "undefined") {
  DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;
}

// What is wider than the page scrolls inside itself: tables, equations, code. A faded edge says so, and who has no
// mouse reaches it by Tab and scrolls by the arrow keys. A figure is shrunk to the page; on a phone a tap or its
// button shows it in its own size, to scroll.
(function () {
  "use strict";

  const names = {
    ".pst-scrollable-table-container": "Table",
    "article div.math, article mjx-container[display=true]": "Equation",
    "article .cell_output pre": "Output",
    "article pre": "Code",
    ".figure-view": "Figure",
  };
  const wide = Object.keys(names).join(", ");

  function mark(box) {
    const hidden = box.scrollWidth - box.clientWidth;
    box.classList.toggle("goes-on", hidden - box.scrollLeft > 2);
    if (hidden > 0) {
      const kind = Object.keys(names).find(function (selector) { return box.matches(selector); });
      box.tabIndex = 0;
      box.setAttribute("role", "group");
      box.setAttribute("aria-label", names[kind] + ", wider than the page");
    } else {
      ["tabindex", "role", "aria-label"].forEach(function (name) { box.removeAttribute(name); });
    }
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
    const button = document.createElement("button");
    Object.assign(button, { type: "button", className: "enlarge", textContent: "Enlarge the figure" });
    view.after(button);
    function turn() {
      if (!view.parentNode.classList.contains("shrunk")) return;
      button.textContent = view.classList.toggle("full") ? "Shrink the figure" : "Enlarge the figure";
      mark(view);
    }
    button.addEventListener("click", turn);
    image.addEventListener("click", turn);
  }

  function holdTable(table) {
    const view = document.createElement("div");
    view.className = "pst-scrollable-table-container";
    table.replaceWith(view);
    view.appendChild(table);
  }

  function start() {
    document.querySelectorAll(".cell:not(.tag_film) .cell_output img").forEach(hold);
    document.querySelectorAll("article table").forEach(function (table) {
      if (!table.closest(".pst-scrollable-table-container")) holdTable(table);
    });
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

// Names and roles that the theme leaves out: the side bar, the arrows of its list, entries of a bibliography.
(function () {
  "use strict";

  function start() {
    const bar = document.querySelector("#pst-primary-sidebar");
    bar?.setAttribute("role", "region");
    bar?.setAttribute("aria-label", "Site");
    document.querySelectorAll(".bd-docs-nav summary").forEach(function (arrow) {
      const link = arrow.closest("li").querySelector("a");
      arrow.setAttribute("aria-label", "Pages of " + link.textContent.trim());
    });
    document.querySelectorAll(".citation-list > [role=doc-biblioentry]").forEach(function (entry) {
      entry.setAttribute("role", "listitem");
    });
  }

  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();

// On paper: black on white, with hints and solutions unfolded, and afterwards the page as it was.
(function () {
  "use strict";

  let theme = "";
  let opened = [];

  window.addEventListener("beforeprint", function () {
    theme = document.documentElement.dataset.theme;
    document.documentElement.dataset.theme = "light";
    opened = Array.from(document.querySelectorAll("article details:not([open])"));
    opened.forEach(function (box) { box.open = true; });
  });
  window.addEventListener("afterprint", function () {
    document.documentElement.dataset.theme = theme;
    opened.forEach(function (box) { box.open = false; });
  });
})();
