// Starts the live page: says why it cannot run, or waits for the reader to press "Start" in one of its parts,
// whose data-part names the function that fills it.
(function (Live) {
  "use strict";

  function say(place, text) {
    place.replaceChildren(Live.element("p", { role: "status", class: "live-why" }, text));
  }

  function offer(place, press) {
    const size = place.dataset.megabytes, status = Live.element("p", { role: "status", class: "live-status" });
    const start = Live.button("Start", press);
    const note = "Nothing is loaded yet. Start fetches " + size + " MB from this site: the runtime and our network.";
    place.replaceChildren(Live.element("p", {}, start, " ", note), status);
    return function () {
      start.disabled = true;
      status.textContent = "Loading " + size + " MB …";
    };
  }

  document.addEventListener("DOMContentLoaded", function () {
    const places = Array.from(document.querySelectorAll(".live[data-part]"));
    const why = Live.obstacle() || (places.some(function (p) { return !p.dataset.megabytes; }) &&
      "This copy of the site was built without ONNX Runtime, because npm failed; build it again with make book.");
    if (why) {
      places.forEach(function (place) { say(place, why + " The films below show what was drawn before."); });
      return;
    }
    let started = false;
    function press(first) {
      if (started) return;
      started = true;
      waiting.forEach(function (tell) { tell(); });
      Live.load().then(async function (model) {
        await Live[first.dataset.part](first, model); // the other part waits, so that this one comes soon
        places.filter(function (place) { return place !== first; }).forEach(function (place) {
          Live[place.dataset.part](place, model);
        });
      }).catch(function (error) {
        const text = "The network could not be loaded: " + error.message + ". Reload the page to try again.";
        places.forEach(function (place) { say(place, text + " The films below show what was drawn before."); });
      });
    }
    const waiting = places.map(function (place) { return offer(place, function () { press(place); }); });
  });
})(globalThis.Live = globalThis.Live || {});
