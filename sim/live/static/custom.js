// What the parts of Watch share: the race as the frames tell it.
(() => {
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
    decoupling.spoken = frame.parts.spoken || decoupling.spoken;
    race = Object.freeze({ head: frame.head, series, parts });
    for (const tell of watchers) tell(race);
  }

  // Calls `tell` with the race now and whenever it changes; returns what ends that.
  function watch(tell) {
    watchers.add(tell);
    tell(race);
    return () => watchers.delete(tell);
  }

  // The page's own address with a query, also where an old link opened it without its name.
  function place(query) {
    return location.pathname.replace(/[^/]*$/, "watch") + query;
  }

  Object.assign(window.decoupling, { take, watch, empty, place });
  Object.defineProperty(window.decoupling, "race", { get: () => race });
})();
