// Filters the methods page by the axes that each entry carries. Without this script every entry is shown.
(function () {
  "use strict";

  document.addEventListener("DOMContentLoaded", function () {
    const place = document.querySelector(".finder");
    if (!place) return;
    const methods = Array.from(document.querySelectorAll(".method")).map(function (entry) {
      return { entry: entry, values: entry.querySelector(".method-axes").dataset.values.split("|") };
    });
    const axes = new Map();
    methods.forEach(function (method) {
      method.values.forEach(function (pair) {
        const [axis, value] = pair.split("=");
        if (!axes.has(axis)) axes.set(axis, new Set());
        axes.get(axis).add(value);
      });
    });

    const chosen = new Map();
    const count = document.createElement("p");
    count.setAttribute("role", "status");

    function update() {
      let shown = 0;
      methods.forEach(function (method) {
        const fits = Array.from(chosen).every(function ([axis, value]) {
          return !value || method.values.includes(axis + "=" + value) || method.values.includes(axis + "=any");
        });
        method.entry.classList.toggle("method-hidden", !fits);
        shown += fits;
      });
      count.textContent = shown + " of " + methods.length + " systems shown.";
    }

    axes.forEach(function (values, axis) {
      const label = document.createElement("label");
      label.textContent = axis;
      const select = document.createElement("select");
      select.add(new Option("all", ""));
      Array.from(values).filter((v) => v !== "any").sort().forEach((v) => select.add(new Option(v, v)));
      select.addEventListener("change", function () { chosen.set(axis, select.value); update(); });
      label.appendChild(select);
      place.appendChild(label);
    });
    place.after(count);
    update();
  });
})();
