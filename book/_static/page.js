// The contents of the book and those of the page, behind the two menu buttons: their names, and how they close.
(function () {
  "use strict";

  function name(selector, words) {
    document.querySelectorAll("button" + selector).forEach(function (button) {
      button.setAttribute("aria-label", words);
    });
  }

  // Who follows a link to a section wants to read it, and not the contents that cover it.
  function closeOnLink(dialog) {
    dialog.addEventListener("click", function (event) {
      const link = event.target.closest("a");
      if (link && link.hash && link.pathname === location.pathname) dialog.close();
    });
  }

  document.addEventListener("DOMContentLoaded", function () {
    name(".primary-toggle", "Contents of the book");
    name(".secondary-toggle", "On this page");
    document.querySelectorAll("dialog").forEach(closeOnLink);
  });
})();
