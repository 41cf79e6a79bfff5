// The screen "Futures": move a lever, and the whole future is drawn again over the same futures without the change.
//
// `decoupling.futures(box, settings, ask)` fills an element and returns { take(answer) }. `ask(request)` sends what is to
// be computed; settings and answers have the form that sim/futures/about.py and answers.py make. The policy is held
// here and in the address alone. `settings.still` marks a page without a server: { levels: {key: [values]}, words }.
(() => {
  const { escape, figure, info, signed, quarterOf, start } = decoupling;
  const PATIENCE = 3000; // milliseconds until a request without an answer no longer holds the next one back
  const ONE_MOVE = 1500; // milliseconds within which moves of one lever are one step of undo
  const YEARS = ["2030", "2035"];
  const POLICY = { label: "your world", colour: "var(--blue)", text: "var(--blue)", dash: "", width: 2.8 };
  const BASE = { label: "if nothing changes", colour: "var(--grey)", text: "var(--soft)", dash: "6 4", width: 2.2 };

  // Things to try, as policies of levers that the world may have.
  const TRIES = [
    ["How much money would it take to make a third of the chips at home by 2030?", { "subsidy.annual": 300 }],
    ["Does money help more when buyers must buy domestic as well?", { "subsidy.annual": 200, "mandate.domestic": 0.3 }],
    ["Half as strict controls: who gains, and who sells more?", { "controls.severity": 0.5 }],
    ["All the money into research: what happens to the technology gap?", { "subsidy.annual": 200, "subsidy.research_share": 1 }],
    ["The allies stop following: how much of the controls is left?", { "controls.alignment": 0 }],
    ["No more cap on quality: how much more computing power is added, and what do home designers lose?", { "controls.quality_cap": 1 }],
    ["No more refusal to buy abroad: who gains by it?", { "mandate.refusal": 0 }],
  ];

  // -- the policy and its address

  const same = (one, other) => JSON.stringify(sorted(one)) == JSON.stringify(sorted(other));
  const sorted = ({ set, acts, ...rest }) => [Object.entries(rest).sort(), Object.entries(set).sort(), acts];

  function address(policy, settings) {
    const query = new URLSearchParams({ config: policy.config });
    if (policy.from != settings.dates.default_from) query.set("from", policy.from);
    if (policy.seed != 1) query.set("seed", policy.seed);
    for (const [key, value] of Object.entries(policy.set)) query.set(key, value);
    for (const act of policy.acts) query.append("act", typeof act == "string" ? act : JSON.stringify(act));
    return "?" + query;
  }

  // The policy of an address, and a sentence by field for what could not be used.
  function read(search, settings) {
    const policy = { config: settings.config, from: settings.dates.default_from, set: {}, acts: [], seed: 1 };
    const faults = {};
    const levers = Object.fromEntries(settings.levers.map((lever) => [lever.key, lever]));
    for (const [key, text] of new URLSearchParams(search)) {
      if (key == "config") {
        if (text != settings.config) faults[""] = `The config ${text.slice(0, 40)} is not known; this is ${settings.config}.`;
      } else if (key == "from") {
        if (settings.dates.from.includes(text)) policy.from = text;
        else faults[""] = `from = ${text.slice(0, 20)}: must be a quarter from ${settings.dates.from[0]} to ${settings.dates.from.at(-1)}.`;
      } else if (key == "seed") {
        if (/^\d{1,15}$/.test(text)) policy.seed = Number(text);
        else faults[""] = `seed = ${text.slice(0, 20)}: must be a whole number from 0.`;
      } else if (key == "act") {
        const act = text[0] == "{" ? parsed(text) : settings.presets.some(({ id }) => id == text) ? text : null;
        if (act) policy.acts.push(act);
        else faults[""] = `act = ${text.slice(0, 60)}: is not known.`;
      } else if (levers[key]) {
        const [value, fault] = valued(levers[key], text, 1);
        if (fault) faults[key] = fault;
        else policy.set[key] = value;
      } else faults[""] = `${key.slice(0, 40)}: is not known; a link holds config, from, seed, levers and act.`;
    }
    policy.acts = named(policy.acts, settings);
    return [policy, faults];
  }

  // The acts of a button by its id, where an address has them one by one, as a link from Watch does.
  function named(acts, settings) {
    const text = (act) => JSON.stringify(Object.entries(act).sort());
    const written = acts.map(text);
    const preset = settings.presets.find((each) => each.acts.length && each.acts.length == acts.length && each.acts.every((act) => written.includes(text(act))));
    return preset ? [preset.id] : acts;
  }

  function parsed(text) {
    try {
      return JSON.parse(text);
    } catch {
      return null;
    }
  }

  // A lever's value as somebody writes it, and what is wrong with it. `factor`: 100 where it is written in %.
  function valued(lever, text, factor) {
    if (lever.choices.length) return lever.choices.includes(text) ? [text, ""] : [null, `${lever.label}: must be one of ${lever.choices.join(", ")}.`];
    const value = Number(String(text).trim().replace(",", ".").replace("−", "-")) / factor;
    const between = `${written(lever, lever.minimum)} to ${written(lever, lever.maximum)}`;
    if (String(text).trim() == "" || !Number.isFinite(value)) return [null, `${lever.label}: must be a number from ${between}.`];
    if ((lever.minimum != null && value < lever.minimum) || (lever.maximum != null && value > lever.maximum)) return [null, `${lever.label}: must be from ${between}.`];
    return [value, ""];
  }

  const plain = (value) => String(Number(Number(value).toPrecision(6))).replace("-", "−");

  // A lever's value with its unit, for people.
  function written(lever, value) {
    if (value == null) return "any";
    if (typeof value != "number") return decoupling.word(value);
    return lever.percent ? plain(100 * value) + " %" : plain(value);
  }

  // -- HTML of the parts

  function about({ meaning, unit, source, grade, example, percent }) {
    const texts = [meaning && sentence(meaning), unit && !percent && `Unit: ${unit}.`, example && `Example: ${sentence(example)}`, source && `Source: ${source}${grade ? ` (${grade})` : ""}.`];
    return texts.filter(Boolean).map(escape).join(" ");
  }

  const sentence = (text) => text[0].toUpperCase() + text.slice(1).replace(/\.?$/, ".");

  function row(lever, still) {
    const id = "lever-" + lever.key;
    const levels = still?.levels[lever.key];
    const [low, high, step] = levels ? [0, levels.length - 1, 1] : [lever.low, lever.high, lever.step];
    const control = lever.choices.length
      ? `<select id="${id}">${lever.choices.map((choice) => `<option value="${escape(choice)}">${escape(decoupling.word(choice))}</option>`).join("")}</select>`
      : `<input type="range" id="${id}" min="${low}" max="${high}" step="${step}">`;
    const exact = lever.choices.length ? "" : levels
      ? `<output for="${id}"></output>`
      : `<span class="exact"><input inputmode="decimal" size="5" aria-label="${escape(lever.label)}, exact">${lever.percent ? " %" : ""}</span>`;
    const range = lever.choices.length ? "" : levels ? levels.map((level) => written(lever, level)).join(", ") : `${written(lever, lever.low)} to ${written(lever, lever.high)}`;
    return `<div class="lever" data-key="${escape(lever.key)}"><label for="${id}">${escape(lever.label)}</label>${exact}${info(id + "-about", lever.label)}${control}
      <p class="hint">${escape(range && !lever.percent ? `${range} ${lever.unit}` : range)}<span class="own"></span></p>
      <p class="why" hidden></p><p class="message" role="alert" hidden></p><p class="about" id="${id}-about" hidden>${about(lever)}</p></div>`;
  }

  function leverGroups(settings) {
    const usable = settings.levers.filter((lever) => !settings.still || settings.still.levels[lever.key]);
    const groups = [...new Set(usable.map((lever) => lever.group))];
    return groups.map((group) => `<fieldset><legend>${escape(group)}</legend>${usable.filter((lever) => lever.group == group).map((lever) => row(lever, settings.still)).join("")}</fieldset>`).join("");
  }

  function options(values, label = String) {
    return values.map((value) => `<option value="${escape(value)}">${escape(label(value))}</option>`).join("");
  }

  function page(settings) {
    const { still } = settings;
    const [first, ...others] = settings.trust;
    const configs = settings.configs || [];
    return `${decoupling.top("futures", still)}
      <main class="futures">
        <header class="ask">
          <h1>${escape(settings.question)}</h1>
          <p class="lead">Press a button or move a lever, and the model runs to ${settings.dates.last} at once. <span>Blue is your world, grey the same futures if nothing changes; the bands hold half and nine tenths of them.</span></p>
          ${settings.invented ? `<p class="invented">This world is invented: every figure in it is assumed, so read it as an illustration.</p>` : ""}
        </header>
        <div class="presets" role="group" aria-label="ready-made policies">${settings.presets.map((preset) => `<button data-preset="${escape(preset.id)}" aria-pressed="false" title="${escape(preset.meaning)}">${escape(preset.label)}</button>`).join("")}</div>
        <section class="said" aria-label="the answer"><p class="sentence" aria-live="polite">The futures are being computed…</p><ul class="warnings" aria-live="polite"></ul><p class="message" role="alert" hidden></p></section>
        <section class="trust" aria-label="how far to trust it"><h2>How far to trust it</h2><p>${escape(first || "")}</p>${others.length ? `<details><summary>More</summary><ul>${others.map((text) => `<li>${escape(text)}</li>`).join("")}</ul></details>` : ""}</section>
        <figure class="panel main-chart"></figure>
        <aside class="panel levers" id="levers" aria-label="levers">
          <div class="moves"><button data-do="undo" title="Ctrl Z">Undo</button><button data-do="redo" title="Ctrl Y">Redo</button><button data-do="reset">Reset</button></div>
          <h2>${still ? `Levers, from ${settings.dates.default_from.slice(0, 4)} on` : `<label for="from">Levers, from</label> <select id="from">${options(settings.dates.from)}</select> on`}</h2>
          ${still ? `<p class="hint">${escape(still.words)}</p>` : ""}
          ${leverGroups(settings)}
        </aside>
        <section class="panel differences" aria-label="what your change does"><h2>What your change does</h2><div></div></section>
        <div class="small">${settings.measures.slice(1).map(({ name, of }, place) => `${of && of != settings.measures[place].of ? `<h2>${escape(of)}</h2>` : ""}<figure class="panel" data-measure="${escape(name)}"></figure>`).join("")}
        <section class="panel keep" aria-label="keep this future"><h2>Keep this future</h2>
          <div class="row"><button data-do="keep">Config and experiment</button><button data-do="link">Copy link</button>${still ? "" : `<a class="button watch" href="watch">Watch it quarter by quarter</a>`}</div>
          <p class="told" role="status"></p>
          ${still ? "" : `<div class="row"><label>World and policy of the start <select id="config">${options(configs.map(({ name }) => name), (name) => name + (configs.find((each) => each.name == name).invented ? " (invented)" : ""))}</select></label>
          <label>Seed <input id="seed" size="5" inputmode="numeric"></label></div>`}
          <p class="hint">${escape(settings.config)}: ${escape(settings.purpose)}.${still ? "" : ` <a href="learn">What the others are for</a>`}</p></section>
        ${still ? "" : `<section class="panel tries" aria-label="things to try"><h2>Things to try</h2><ul>${tries(settings).map(([text], place) => `<li><button data-try="${place}">${escape(text)}</button></li>`).join("")}</ul></section>`}</div>
      </main>
      <nav class="thumb" aria-label="levers at hand"><a class="button" href="#levers">Levers</a><button data-do="undo">Undo</button><button data-do="redo">Redo</button><button data-do="reset">Reset</button></nav>`;
  }

  // The things to try that change something here: questions with their policies.
  function tries(settings) {
    if (settings.still) return [];
    const levers = Object.fromEntries(settings.levers.map((lever) => [lever.key, lever]));
    return TRIES.filter(([, set]) => Object.keys(set).every((key) => levers[key]) && levers[Object.keys(set)[0]].effect && Object.entries(set).some(([key, value]) => levers[key].value != value));
  }

  // -- what an answer looks like

  const yearOf = (date) => Number(date.slice(0, 4)) + 0.5;

  function drawing(answer, measure, settings, large) {
    const which = answer.runs > 1 || !answer.policy ? "median" : "line";
    const [base, policy] = [answer.base[measure.name], answer.policy?.[measure.name]];
    const worlds = policy ? [["base", BASE, base], ["policy", POLICY, policy]] : [["base", { ...POLICY, label: "as it is" }, base]];
    const banded = worlds.filter(([, , values]) => values.q05);
    const band = (low, high, label, opacity) => banded.map(([line, { colour }, values]) => ({ line, label, colour, opacity, low: values[low], high: values[high] }));
    const published = (settings.published[measure.name] || []).map(({ date, value, source }) => ({
      year: yearOf(date), value, colour: "var(--ink)", text: `published for ${date.slice(0, 4)}: ${figure(value, measure.percent)}${measure.percent ? " %" : ""}. ${source}`,
    }));
    const goal = large && settings.goal && { value: settings.goal.share, label: `the goal of ${Math.round(100 * settings.goal.share)} % for ${settings.goal.year}` };
    return {
      title: measure.label, unit: large ? `% of the ${settings.goods} that ${settings.target} uses` : measure.percent ? "%" : measure.logarithmic ? decoupling.logarithmic(measure.unit) : measure.unit, percent: measure.percent, logarithmic: measure.logarithmic, about: about({ ...measure, unit: "" }),
      first: Math.min(settings.dates.first, ...published.map(({ year }) => Math.floor(year))), last: settings.dates.last,
      at: answer.dates.map(yearOf), names: answer.dates.map((date) => date.slice(0, 4)), period: "year",
      lines: worlds.map(([key, look, values]) => ({ key, ...look, values: values[which] || values.line })),
      bands: [...band("q05", "q95", "90 %", 0.15), ...band("q25", "q75", "50 %", 0.25)],
      points: published, marks: marks(answer, settings.marks.filter(({ of }) => large || (of && of == measure.of))),
      goal: goal || null, height: !large ? 210 : innerWidth < 760 ? 210 : 400, file: `${settings.config}-${measure.name}-${answer.key}`.replace(/[^\w.-]/g, ""),
      source: `Decoupling Race, ${settings.config}: ${answer.runs > 1 ? `${answer.runs} futures` : "one future"}${answer.more ? " so far" : ""}${published.length ? "; circles are published figures" : ""}.${large ? ` ${settings.futures}` : ""}`,
      note: large ? "Point at the chart or use its arrow keys to read a year." : "",
    };
  }

  function marks(answer, shown) {
    const dated = shown.map(({ date, label }) => ({ year: start(quarterOf(date)), text: `${date}, ${label}` }));
    return answer.policy ? [...dated, { year: start(answer.from), text: "from here on your changes act", yours: true }] : dated;
  }

  function spread(difference, measure) {
    if (!difference) return "–";
    const unit = measure.percent ? " points" : "";
    const write = (value) => signed(value, measure.percent, measure.logarithmic);
    const between = difference.low == null ? "" : ` <small>${write(difference.low)} to ${write(difference.high)}</small>`;
    return `<b>${write(difference.median)}${unit}</b>${between}`;
  }

  function differences(answer, settings) {
    if (!answer.differences) return `<p class="hint">Nothing is changed yet: move a lever or press a button.</p>`;
    const head = YEARS.map((year) => `<th scope="col">${year}</th>`).join("");
    const body = settings.measures.filter(({ name }) => answer.differences[name]).map((measure) => {
      const cells = YEARS.map((year) => `<td>${spread(answer.differences[measure.name][year], measure)}</td>`).join("");
      return `<tr><th scope="row">${escape(measure.label)}${measure.percent ? "" : ` <small>${escape(measure.unit)}</small>`}</th>${cells}</tr>`;
    });
    const pairs = Object.values(answer.differences)[0]?.[YEARS[0]]?.pairs;
    const caption = `Your world less the same future if nothing changes${pairs > 1 ? `, in ${pairs} pairs: the middle, and nine of ten` : ", in one pair so far"}`;
    return `<div class="scroll" tabindex="0" role="region" aria-label="table of differences"><table><caption>${caption}</caption><thead><tr><th scope="col">measure</th>${head}</tr></thead><tbody>${body.join("")}</tbody></table></div>${parts(answer, settings)}`;
  }

  // Bite, answer and total: of the first measure in view, of the others on a click.
  function parts(answer, settings) {
    if (!answer.parts) return "";
    const [first, ...others] = settings.measures.filter(({ name }) => answer.parts[name]);
    return `<h3>Bite, answer and total of the controls</h3><p class="hint">${escape(answer.parts_words)}</p>${partsTable([first], answer)}<details><summary>Of the other measures</summary>${partsTable(others, answer)}</details>`;
  }

  function partsTable(measures, answer) {
    const rows = measures.flatMap((measure) =>
      ["bite", "answer", "total"].map((part, place) => `<tr>${place ? "" : `<th scope="rowgroup" rowspan="3">${escape(measure.label)}</th>`}<th scope="row">${part}</th>${YEARS.map((year) => `<td>${spread(answer.parts[measure.name][year]?.[part], measure)}</td>`).join("")}</tr>`));
    return `<div class="scroll" tabindex="0" role="region" aria-label="bite, answer and total of ${escape(measures.length > 1 ? "the other measures" : measures[0].label)}"><table><thead><tr><th scope="col">measure</th><th scope="col">part</th>${YEARS.map((year) => `<th scope="col">${year}</th>`).join("")}</tr></thead><tbody>${rows.join("")}</tbody></table></div>`;
  }

  // -- the screen

  // The address of a set of levers, for links from elsewhere.
  const linked = (set, settings) => address({ config: settings.config, from: settings.dates.default_from, seed: 1, set, acts: [] }, settings);
  Object.assign(decoupling, { tries, linked });

  decoupling.futures = (box, settings, ask) => {
    box.classList.add("screen");
    box.innerHTML = page(settings);
    const find = (selector) => box.querySelector(selector);
    const levers = Object.fromEntries(settings.levers.map((lever) => [lever.key, lever]));
    const charts = [...box.querySelectorAll(".main-chart, .small figure")].map((figure, place) => ({ measure: settings.measures[place], chart: decoupling.chart(figure), large: !place }));
    let [policy, faults] = read(location.search, settings);
    let answer = null, number = 0, waiting = 0, again = false, moved = ["", 0], writing = 0, idle = {};
    const memory = recalled();

    // What could be undone and redone before the page was loaded again. It stands with the address, and in the tab's
    // storage for a page of another config; the storage alone may be read before all is in it.
    function recalled() {
      const texts = [(history.state || {}).futures, sessionStorage.getItem("futures")];
      const held = texts.map((text) => parsed(text || "null"));
      return held.find((each) => each && each.now == JSON.stringify(policy)) || { past: [], next: [] };
    }

    function remembered() {
      return JSON.stringify({ ...memory, now: JSON.stringify(policy) });
    }

    // Goes on to another policy. Moves of one lever soon after each other are one step of undo.
    function go(next, lever = "") {
      if (same(next, policy)) return draw();
      const goesOn = lever && moved[0] == lever && performance.now() - moved[1] < ONE_MOVE;
      if (!goesOn) memory.past.push(policy);
      memory.next = [];
      moved = [lever, performance.now()];
      become(next);
    }

    function become(next) {
      policy = next;
      sessionStorage.setItem("futures", remembered());
      if (policy.config != settings.config) return location.assign(location.pathname + address(policy, settings));
      // Browsers refuse an address that changes too often, as with a key held down.
      clearTimeout(writing);
      writing = setTimeout(write, 250);
      draw();
      send();
    }

    function write() {
      history.replaceState({ ...history.state, futures: remembered() }, "", location.pathname + address(policy, settings));
    }

    // One request at a time; of what is moved meanwhile the last alone is asked for.
    function send() {
      if (waiting && performance.now() - waiting < PATIENCE) {
        again = true;
        return;
      }
      waiting = performance.now();
      again = false;
      box.classList.add("computing");
      ask({ number: ++number, ...policy });
    }

    function take(given) {
      if (given.number != number) return;
      waiting = 0;
      if (again) return send();
      if (given.fault) {
        faults = { [given.field && levers[given.field] ? given.field : ""]: given.fault };
        box.classList.remove("computing");
        return draw();
      }
      idle = { ...(answer && answer.from == given.from ? idle : {}), ...given.presets };
      answer = given;
      box.classList.remove("computing");
      faults = {};
      draw();
      tell();
    }

    // -- what is seen

    function tell() {
      for (const { measure, chart, large } of charts) if (answer.base[measure.name]) chart.show(drawing(answer, measure, settings, large));
      // What is unchanged is not written, or it would be read aloud again.
      put(find(".sentence"), answer.sentence.map(({ text, role }) => (role ? `<b class="${role}">${escape(text)}</b>` : escape(text))).join(""));
      put(find(".warnings"), answer.warnings.map((text) => `<li>${escape(text)}</li>`).join(""));
      put(find(".differences > div"), differences(answer, settings));
      const watch = find(".watch");
      if (watch) watch.href = "watch" + answer.watch;
    }

    function put(element, html) {
      if (element.dataset.html != html) element.innerHTML = element.dataset.html = html;
    }

    // Every control as the policy has it.
    function draw() {
      for (const preset of settings.presets) drawPreset(find(`[data-preset="${CSS.escape(preset.id)}"]`), preset);
      for (const each of box.querySelectorAll(".lever")) drawLever(each, levers[each.dataset.key]);
      for (const [id, value] of [["from", policy.from], ["config", policy.config], ["seed", policy.seed]]) if (find("#" + id) && document.activeElement != find("#" + id)) find("#" + id).value = value;
      for (const button of box.querySelectorAll('[data-do="undo"]')) button.disabled = !memory.past.length;
      for (const button of box.querySelectorAll('[data-do="redo"]')) button.disabled = !memory.next.length;
      complain(find(".said > .message"), faults[""]);
    }

    // A button that was found to do nothing says so.
    function drawPreset(button, preset) {
      const why = idle[preset.id] || "";
      button.setAttribute("aria-pressed", same({ ...policy, set: preset.set, acts: acts(preset) }, policy));
      button.classList.toggle("idle", !!why);
      button.title = why || preset.meaning;
    }

    function drawLever(each, lever) {
      const now = answer?.levers?.[lever.key] || lever;
      const own = now.value, value = policy.set[lever.key] ?? own;
      const changed = lever.key in policy.set;
      each.classList.toggle("changed", changed);
      each.classList.toggle("idle", now.effect === false);
      show(each, lever, value);
      each.querySelector(".own").textContent = changed ? `${lever.choices.length ? "" : "; "}if nothing changes ${written(lever, own)}` : "";
      complain(each.querySelector(".why"), now.effect === false ? now.why_not : "");
      complain(each.querySelector(".message"), faults[lever.key]);
    }

    // What is being typed or moved is left alone.
    function show(each, lever, value) {
      const control = each.querySelector("select, [type=range]"), exact = each.querySelector(".exact input"), output = each.querySelector("output");
      const levels = settings.still?.levels[lever.key];
      control.value = levels && !lever.choices.length ? nearest(levels, value) : value;
      if (!lever.choices.length) control.setAttribute("aria-valuetext", written(lever, value) + (lever.percent ? "" : " " + lever.unit));
      if (output) output.textContent = written(lever, value);
      if (exact && document.activeElement != exact) exact.value = plain(lever.percent ? 100 * value : value);
      if (exact) exact.setAttribute("aria-invalid", !!faults[lever.key]);
    }

    const nearest = (levels, value) => levels.reduce((best, level, place) => (Math.abs(level - value) < Math.abs(levels[best] - value) ? place : best), 0);

    function complain(element, text) {
      element.hidden = !text;
      if (element.textContent != (text || "")) element.textContent = text || "";
    }

    // -- what is done

    const acts = (preset) => (preset.acts.length ? [preset.id] : []);

    function set(lever, value) {
      const own = (answer?.levers?.[lever.key] || lever).value;
      const rest = settings.still ? {} : { ...policy.set };
      const left = settings.still ? [] : policy.acts;
      delete rest[lever.key];
      delete faults[lever.key];
      const close = typeof value == "number" ? Math.abs(value - own) < 1e-9 * Math.max(1, Math.abs(own)) : value == own;
      go({ ...policy, acts: left, set: close ? rest : { ...rest, [lever.key]: value } }, lever.key);
    }

    function moveTo(lever, control) {
      if (control.matches("select")) return control.value;
      const levels = settings.still?.levels[lever.key];
      return levels ? levels[Number(control.value)] : Number(control.value);
    }

    box.addEventListener("input", ({ target }) => {
      const each = target.closest(".lever");
      if (each && target.type == "range") show(each, levers[each.dataset.key], moveTo(levers[each.dataset.key], target));
    });

    box.addEventListener("change", ({ target }) => {
      const each = target.closest(".lever");
      if (each) {
        const lever = levers[each.dataset.key];
        if (!target.closest(".exact")) return set(lever, moveTo(lever, target));
        const [value, fault] = valued(lever, target.value, lever.percent ? 100 : 1);
        if (!fault) return set(lever, value);
        faults = { ...faults, [lever.key]: fault };
        return draw();
      }
      if (target.id == "from") go({ ...policy, from: target.value });
      if (target.id == "config") go({ ...policy, config: target.value });
      if (target.id == "seed") seed(target.value);
    });

    function seed(text) {
      faults = { ...faults, "": /^\d{1,15}$/.test(text) ? "" : `seed = ${text.slice(0, 20)}: must be a whole number from 0.` };
      if (faults[""]) draw();
      else go({ ...policy, seed: Number(text) });
    }

    const deeds = {
      undo: () => memory.past.length && (memory.next.push(policy), become(memory.past.pop())),
      redo: () => memory.next.length && (memory.past.push(policy), become(memory.next.pop())),
      reset: () => go({ ...policy, set: {}, acts: [] }),
      keep() {
        const files = answer?.files || [];
        for (const { name, text } of files) decoupling.save(name, text);
        find(".keep .told").textContent = files.length ? `Saved ${files.map(({ name }) => name).join(" and ")}. decoupling run and decoupling batch replay them.` : `Nothing is changed: decoupling run ${settings.config} has it.`;
      },
      async link() {
        write();
        const copied = await decoupling.copy(location.href);
        find(".keep .told").textContent = copied ? "Copied." : `This browser gives no clipboard here; the address is ${location.href}`;
      },
    };

    box.addEventListener("click", ({ target }) => {
      const button = target.closest("button");
      if (!button) return;
      const preset = settings.presets.find(({ id }) => id == button.dataset.preset);
      if (preset) return go({ ...policy, set: { ...preset.set }, acts: acts(preset) });
      if (button.dataset.try) return go({ ...policy, set: { ...tries(settings)[button.dataset.try][1] }, acts: [] });
      if (!button.closest(".chart")) deeds[button.dataset.do]?.();
    });

    const keys = (event) => {
      if (!(event.ctrlKey || event.metaKey) || event.target.matches("input:not([type=range])")) return;
      const wanted = { z: event.shiftKey ? "redo" : "undo", y: "redo" }[event.key.toLowerCase()];
      if (!wanted) return;
      event.preventDefault();
      deeds[wanted]();
    };
    window.addEventListener("keydown", keys);

    draw();
    send();
    return {
      take,
      end() {
        window.removeEventListener("keydown", keys);
        for (const { chart } of charts) chart.end();
      },
    };
  };
})();
