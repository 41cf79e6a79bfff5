// What the page's parts share: the race as the frames tell it, and how numbers, names and scales are written.
window.decoupling = (() => {
  const FIRST = 2020;
  const empty = { head: null, series: {}, parts: {} };
  const watchers = new Set();
  let race = empty;

  // Merges a frame into what is known. A part that is null is gone; a series goes on from the quarter that it names.
  function take(frame) {
    const series = { ...race.series };
    const parts = { ...race.parts };
    for (const [name, part] of Object.entries(frame.parts)) {
      if (!name.startsWith("series ")) {
        if (part == null) delete parts[name];
        else parts[name] = part;
      } else if (part == null) delete series[name.slice(7)];
      else {
        const before = series[name.slice(7)] || {};
        const after = {};
        for (const [measure, values] of Object.entries(part.values))
          after[measure] = (before[measure] || []).slice(0, part.from).concat(values);
        series[name.slice(7)] = after;
      }
    }
    race = Object.freeze({ head: frame.head, series, parts });
    for (const tell of watchers) tell(race);
  }

  // Calls `tell` with the race now and whenever it changes; returns what ends that.
  function watch(tell) {
    watchers.add(tell);
    tell(race);
    return () => watchers.delete(tell);
  }

  // At least three digits; percentages have one decimal.
  function figure(value, percent) {
    if (value == null) return "–";
    const number = percent ? 100 * value : value;
    const size = Math.abs(number);
    const text = percent ? number.toFixed(size < 9.95 ? 1 : size < 99.95 ? 1 : 0) : number.toFixed(size < 9.995 ? 2 : size < 99.95 ? 1 : 0);
    return text.replace("-", "−");
  }

  function word(text) {
    return String(text).replaceAll("_", " ");
  }

  // The middle of a quarter counted from 2020-Q1, as a year; and the middle of a period that ends on a date.
  const middle = (quarter) => FIRST + (quarter + 0.5) / 4;
  const start = (quarter) => Number(quarter.slice(0, 4)) + (Number(quarter.slice(6)) - 1) / 4;
  const name = (quarter) => `${FIRST + Math.floor(quarter / 4)}-Q${(quarter % 4) + 1}`;

  // Round steps for an axis from low to high, about `count` of them.
  function ticks(low, high, count) {
    const rough = (high - low) / count || 1;
    const power = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 5, 10].find((factor) => factor * power >= rough * 0.999) * power;
    const found = [];
    for (let place = Math.ceil(low / step - 1e-9); place * step <= high + 1e-9 * step; place++) found.push(place * step);
    return { step, found };
  }

  return { take, watch, empty, figure, word, middle, start, name, ticks, get race() { return race; } };
})();
