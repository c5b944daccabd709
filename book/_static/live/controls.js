// Small builders of the live page: elements, labelled controls, pictures, and a task that a newer one replaces.
(function (Live) {
  "use strict";

  let count = 0;

  // element("p", {role: "status"}, child, "text") with properties as attributes.
  function element(name, attributes, ...children) {
    const made = document.createElement(name);
    Object.entries(attributes || {}).forEach(function ([key, value]) { made.setAttribute(key, value); });
    made.append(...children);
    return made;
  }

  function named(text, input) {
    input.id = input.id || "live-" + count++;
    return element("div", { class: "live-control" }, element("label", { for: input.id }, text), input);
  }

  // A slider that says its value in words; `words` turns the number into them.
  function slider(text, range, value, words, changed) {
    const input = element("input", { type: "range", min: range[0], max: range[1], step: range[2] });
    const said = element("span", { class: "live-value", "aria-hidden": "true" });
    input.value = value;
    function say() {
      said.textContent = words(Number(input.value));
      input.setAttribute("aria-valuetext", said.textContent);
    }
    input.addEventListener("input", function () { say(); changed(); });
    say();
    const box = named(text, input);
    box.firstChild.append(" ", said);
    return { box, input, say, get: function () { return Number(input.value); } };
  }

  function choice(text, options, changed) {
    const input = element("select", {}, ...options.map(function ([value, shown]) {
      return element("option", { value: value }, shown);
    }));
    input.addEventListener("change", changed);
    return { box: named(text, input), input, get: function () { return input.value; } };
  }

  function tick(text, on, changed) {
    const input = element("input", { type: "checkbox", id: "live-" + count++ });
    input.checked = on;
    input.addEventListener("change", changed);
    const box = element("div", { class: "live-control live-tick" }, input, element("label", { for: input.id }, text));
    return { box, input, get: function () { return input.checked; } };
  }

  function button(text, pressed) {
    const made = element("button", { type: "button", class: "live-button" }, text);
    made.addEventListener("click", pressed);
    return made;
  }

  // A picture of 64 x 64 values. `paint(values, colour, words, mark)`: colour(v) is [r, g, b], words its alternative;
  // two ticks at the edges point to the row and the column of `mark`, if there is one.
  function picture(title) {
    const size = { width: Live.SIZE, height: Live.SIZE };
    const canvas = element("canvas", { ...size, role: "img", "aria-label": title + ", empty" });
    const caption = element("figcaption", {}, title);
    const box = element("figure", { class: "live-picture" }, canvas, caption);
    function paint(values, colour, words, mark) {
      const pen = canvas.getContext("2d"), data = pen.createImageData(Live.SIZE, Live.SIZE);
      for (let k = 0; k < values.length; k++) data.data.set([...colour(values[k]), 255], 4 * k);
      pen.putImageData(data, 0, 0);
      if (mark) {
        pen.fillStyle = "rgb(255, 170, 0)";
        pen.fillRect(0, mark.row, 4, 1);
        pen.fillRect(mark.column, 0, 1, 4);
      }
      canvas.setAttribute("aria-label", title + ": " + words);
      caption.textContent = title + ": " + words;
    }
    return { box, canvas, caption, paint };
  }

  const colours = {
    grey: function (v) { return [255 * v, 255 * v, 255 * v]; },
    // white at 0, orange above, blue below: told apart by colour-blind readers too
    signed: function (v) {
      const a = Math.min(Math.abs(v), 1);
      return v > 0 ? [255 - 25 * a, 255 - 130 * a, 255 - 255 * a] : [255 - 255 * a, 255 - 130 * a, 255 - 75 * a];
    },
  };

  // run(work) waits a moment, then calls work(current); it ends what ran before, which sees current() false.
  function replaceable(delay) {
    let latest = 0, timer = 0;
    return function (work) {
      const mine = ++latest;
      clearTimeout(timer);
      timer = setTimeout(function () { work(function () { return mine === latest; }); }, delay);
    };
  }

  Object.assign(Live, { element, slider, choice, tick, button, picture, colours, replaceable });
})(globalThis.Live = globalThis.Live || {});
