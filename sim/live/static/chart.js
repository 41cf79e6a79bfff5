// The project's one chart: lines over time with bands, points, dates and a goal; read by mouse and by keys, as a table,
// and kept as PNG, SVG, CSV or a piece of HTML.
//
// `decoupling.chart(box)` fills an element and returns { show(drawing), end() }. A drawing holds
//   title, unit, percent (values of 0 to 1 are written as %), difference (percent without a sign),
//   first, last          years of the axis
//   at, names            where values lie, in years, and the names of those periods
//   lines                [{ key, label, colour, dash, width, values, quiet }], the last drawn on top; quiet: no end label
//   bands                [{ line, label, low, high, colour, opacity, at }]
//   points               [{ year, value, colour, text }]   published figures
//   marks                [{ year, text, yours }]           dates of controls
//   goal                 { value, label, year }            named at the edge where it lies outside
//   logarithmic          equal steps of the axis are equal ratios; what is not above zero is not drawn
//   floor, ceiling, least, height, source, note, about, file      file: the name that files are kept under
//   period               "quarter" or "year"
//   pick                 called with the key of a line that is chosen in the legend; picked: its key
(() => {
  const { figure, escape, word, ticks } = decoupling;
  const FONT = "system-ui, sans-serif";
  const NARROW = 420;

  // -- geometry: where a drawing's values come to lie in so many pixels

  function numbers(drawing) {
    const all = drawing.lines.flatMap((line) => line.values);
    for (const band of drawing.bands || []) all.push(...band.low, ...band.high);
    for (const point of drawing.points || []) all.push(point.value);
    return all.filter((value) => value != null);
  }

  function limits(drawing) {
    const known = numbers(drawing);
    if (drawing.logarithmic) return logarithmicLimits(known);
    const span = drawing.least || 0.001;
    let low = Math.min(...known, drawing.floor ?? Infinity);
    let high = Math.max(...known, drawing.ceiling ?? -Infinity);
    if (!known.length) [low, high] = [drawing.floor ?? 0, (drawing.floor ?? 0) + span];
    // Zoomed to what is drawn, but from zero where zero is near.
    if (low > 0 && low < 0.35 * high) low = 0;
    const room = Math.max(span, high - low);
    return [low == 0 || low === drawing.floor ? low : low - 0.06 * room, Math.max(high, low + span) + 0.05 * room];
  }

  // Around what is above zero, a hundred thousand to one at most.
  function logarithmicLimits(known) {
    const drawn = known.filter((value) => value > 0);
    const high = drawn.length ? 1.2 * Math.max(...drawn) : 10;
    return [Math.max(drawn.length ? Math.min(...drawn) / 1.2 : 1, high / 1e5), high];
  }

  // Powers of ten, and where these are few twice and five times as much.
  function logarithmicTicks(low, high) {
    const powers = Array.from({ length: 40 }, (_, place) => place - 20);
    const within = (factors) => powers.flatMap((power) => factors.map((factor) => Number(`${factor}e${power}`))).filter((tick) => tick >= low && tick <= high);
    return { step: 1, found: within(within([1]).length < 3 ? [1, 2, 5] : [1]) };
  }

  function frame(drawing, width, height) {
    const [low, high] = limits(drawing);
    const factor = drawing.percent ? 100 : 1;
    const [top, bottom] = [drawing.goal ? 24 : 14, 26];
    const { step, found } = drawing.logarithmic ? logarithmicTicks(low, high) : ticks(factor * low, factor * high, (height - top - bottom) / (width < NARROW ? 40 : 48));
    const decimals = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
    const level = drawing.logarithmic ? Math.log10 : (value) => value;
    const years = drawing.last + 1 - drawing.first;
    // As many decimals as an axis needs on it, and elsewhere figures that can be compared.
    const write = (value, more = 0) => {
      if (value == null) return "–";
      if (more && !drawing.percent && !drawing.difference) return figure(value, false, drawing.logarithmic);
      const digits = drawing.logarithmic ? Math.max(0, -Math.floor(Math.log10(value) + 1e-9)) : Math.min(decimals + more, 3);
      return decoupling.grouped(factor * value, digits) + (drawing.percent && !drawing.difference ? " %" : "");
    };
    const room = (values, more) => Math.max(...values.map((value) => write(value, more).length), 2) * 7.5;
    const left = 14 + room(found.map((tick) => tick / factor), 0);
    const right = 16 + room(drawing.lines.filter(({ quiet }) => !quiet).map(({ values }) => values.findLast((value) => value != null)), 1);
    const edge = { left, right, top, bottom };
    return {
      ...edge, width, height, low, high, write, ticks: found.map((tick) => tick / factor),
      x: (year) => edge.left + ((year - drawing.first) / years) * (width - edge.left - edge.right),
      y: (value) => height - edge.bottom - ((level(value) - level(low)) / (level(high) - level(low))) * (height - edge.top - edge.bottom),
      drawn: (value) => value != null && (!drawing.logarithmic || value >= low),
      year: (x) => drawing.first + ((x - edge.left) / (width - edge.left - edge.right)) * years,
    };
  }

  // -- the drawing as SVG

  const number = (value) => value.toFixed(1);

  function path(values, at, { x, y, drawn }) {
    let pen = "M";
    return values
      .map((value, index) => {
        if (!drawn(value)) {
          pen = "M";
          return "";
        }
        const part = pen + number(x(at[index])) + " " + number(y(value));
        pen = "L";
        return part;
      })
      .join("");
  }

  function area({ low, high, at }, { x, y, drawn }) {
    const known = low.map((value, index) => index).filter((index) => drawn(low[index]) && drawn(high[index]));
    const side = (values) => known.map((index) => number(x(at[index])) + " " + number(y(values[index])));
    return known.length ? "M" + side(high).concat(side(low).reverse()).join("L") + "Z" : "";
  }

  // Values at the ends of the lines, moved apart where they would lie on each other.
  function ends(drawing, place) {
    const found = drawing.lines
      .filter((line) => !line.quiet)
      .map((line) => ({ line, last: line.values.findLastIndex((value) => value != null) }))
      .filter(({ line, last }) => place.drawn(line.values[last]))
      .map(({ line, last }) => ({
        colour: line.text || line.colour, x: place.x((line.at || drawing.at)[last]) + 6, y: place.y(line.values[last]) + 4,
        text: place.write(line.values[last], 1),
      }))
      .sort((one, other) => one.y - other.y)
      // Lines that end in the same figure at the same place say it once.
      .filter((end, index, all) => !index || end.text != all[index - 1].text || end.y - all[index - 1].y > 3);
    for (let index = 1; index < found.length; index++) found[index].y = Math.max(found[index].y, found[index - 1].y + 14);
    const over = found.length ? found[found.length - 1].y - (place.height - place.bottom + 4) : 0;
    if (over > 0) for (const end of found) end.y -= over;
    return found;
  }

  function goal({ goal }, place) {
    if (!goal) return "";
    const [left, right] = [place.left, place.width - place.right];
    if (goal.value <= place.high && goal.value >= place.low) {
      const y = place.y(goal.value);
      return `<g class="goal"><path d="M${left} ${number(y)}H${right}" stroke="var(--ink)" stroke-dasharray="2 4"/>
        <text x="${left + 6}" y="${number(y - 6)}" fill="var(--ink)" stroke="var(--panel)" stroke-width="4" paint-order="stroke">${escape(goal.label)}</text></g>`;
    }
    const above = goal.value > place.high;
    const y = above ? 12 : place.height - place.bottom - 6;
    return `<g class="goal"><path d="M${right - 12} ${above ? y + 2 : y - 8}l5 ${above ? -9 : 9}l5 ${above ? 9 : -9}z" fill="var(--ink)"/>
      <text x="${right - 18}" y="${y + 1}" text-anchor="end" fill="var(--ink)">${escape(goal.label)}, ${above ? "above" : "below"} this chart</text></g>`;
  }

  function axes(drawing, place) {
    const right = place.width - place.right;
    const step = place.width < 320 ? 10 : place.width < 600 ? 5 : 2;
    let text = "";
    for (const tick of place.ticks) {
      const y = number(place.y(tick));
      text += `<path d="M${place.left} ${y}H${right}" stroke="var(--line)"/><text x="${place.left - 6}" y="${Number(y) + 4}" text-anchor="end">${place.write(tick)}</text>`;
    }
    for (let year = Math.ceil(drawing.first / step) * step; year <= drawing.last; year += step)
      text += `<text x="${number(place.x(year))}" y="${place.height - 6}" text-anchor="middle">${year}</text>`;
    if (place.low < 0 && place.high > 0)
      text += `<path d="M${place.left} ${number(place.y(0))}H${right}" stroke="var(--soft)"/>`;
    return `<g class="axes" fill="var(--soft)">${text}</g>`;
  }

  function marks(drawing, place) {
    return (drawing.marks || [])
      .map(({ year, text, yours }) => {
        const colour = yours ? "var(--red)" : "var(--grey)";
        return `<path class="mark" d="M${number(place.x(year))} ${place.top}l-4 -7h8zV${place.height - place.bottom}" stroke="${colour}" fill="${colour}" stroke-width="${yours ? 1.4 : 1}" stroke-dasharray="2 4" opacity="${yours ? 1 : 0.7}"><title>${escape(text)}</title></path>`;
      })
      .join("");
  }

  function picture(drawing, place) {
    const bands = (drawing.bands || []).map(
      (band) => `<path class="band" d="${area({ at: drawing.at, ...band }, place)}" fill="${band.colour}" opacity="${band.opacity}"/>`,
    );
    const lines = drawing.lines.map(
      (line) => `<path data-testid="line-${escape(line.key)}" d="${path(line.values, line.at || drawing.at, place)}" fill="none" stroke="${line.colour}" stroke-width="${line.width || 2.2}" stroke-dasharray="${line.dash || ""}" opacity="${line.opacity || 1}" stroke-linejoin="round"/>`,
    );
    const points = (drawing.points || []).map(
      ({ year, value, colour, text }) => `<circle cx="${number(place.x(year))}" cy="${number(place.y(value))}" r="4" fill="var(--panel)" stroke="${colour}" stroke-width="1.8"><title>${escape(text)}</title></circle>`,
    );
    const labels = ends(drawing, place).map(
      (end) => `<text class="end" x="${number(end.x)}" y="${number(end.y)}" fill="${end.colour}" font-weight="600">${end.text}</text>`,
    );
    return [axes(drawing, place), ...bands, marks(drawing, place), ...lines, ...points, ...labels, goal(drawing, place)].join("");
  }

  // A text in lines of at most so many characters.
  function folded(text, most) {
    return text.split(" ").reduce((lines, word) => {
      const last = lines.at(-1);
      if (last == null || last.length + word.length >= most) return [...lines, word];
      return [...lines.slice(0, -1), `${last} ${word}`];
    }, []);
  }

  // A picture that stands alone: title, legend and source in it, colours resolved, on the panel's ground.
  function standing(drawing, width = 960, height = 540) {
    const lines = folded(drawing.source || "", 150);
    const foot = 14 * lines.length;
    const place = frame(drawing, width, height - 82 - foot);
    const legend = shown(drawing)
      .map((line, index) => {
        const x = 16 + (index % 3) * 310, y = 66 + Math.floor(index / 3) * 18;
        return `<path d="M${x} ${y - 4}h28" fill="none" stroke="${line.colour}" stroke-width="2.4" stroke-dasharray="${line.dash || ""}"/><text x="${x + 36}" y="${y}">${escape(line.label)}</text>`;
      })
      .join("");
    const text = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="${FONT}" font-size="12.5" fill="var(--ink)" role="img"><title>${escape(drawing.title)}</title>
      <rect width="${width}" height="${height}" fill="var(--panel)"/><text x="16" y="26" font-size="17" font-weight="600">${escape(drawing.title)}</text><text x="16" y="46" fill="var(--soft)">${escape(drawing.unit)}</text>
      ${legend}<g transform="translate(0 72)">${picture(drawing, place)}</g><text font-size="11" fill="var(--soft)">${lines.map((line, row) => `<tspan x="16" y="${height - foot + 6 + 14 * row}">${escape(line)}</tspan>`).join("")}</text></svg>`;
    const colours = getComputedStyle(document.documentElement);
    return text.replace(/var\((--[\w-]+)\)/g, (_, name) => colours.getPropertyValue(name).trim());
  }

  function png(svg, take) {
    const image = new Image();
    image.onload = () => {
      const canvas = document.createElement("canvas");
      [canvas.width, canvas.height] = [2 * image.width, 2 * image.height];
      const pen = canvas.getContext("2d");
      pen.scale(2, 2);
      pen.drawImage(image, 0, 0);
      canvas.toBlob(take, "image/png");
    };
    image.src = "data:image/svg+xml;charset=utf-8," + encodeURIComponent(svg);
  }

  // -- the drawn numbers in words and as a table

  const shown = (drawing) => drawing.lines.filter((line) => line.label && !line.hidden);

  // Every column of the drawing's numbers: its lines, and the ends of their bands.
  function columns(drawing) {
    const own = (thing) => thing.values.length && !thing.at;
    return drawing.lines.filter((line) => line.label && own(line)).flatMap((line) => [
      { label: line.label, values: line.values },
      ...(drawing.bands || []).filter((band) => band.line == line.key && !band.at).flatMap((band) => [
        { label: `${line.label}, ${band.label}: from`, values: band.low },
        { label: `${line.label}, ${band.label}: to`, values: band.high },
      ]),
    ]);
  }

  function said(drawing, index, place) {
    const parts = shown(drawing).filter((line) => !line.at && line.values[index] != null).map((line) => {
      const spread = (drawing.bands || [])
        .filter((band) => band.line == line.key && !band.at && band.low[index] != null)
        .map((band) => `${band.label}: ${place.write(band.low[index], 1)} to ${place.write(band.high[index], 1)}`);
      return { colour: line.colour, dash: line.dash, name: line.label, value: place.write(line.values[index], 1), spread: spread.join("; ") };
    });
    const half = drawing.period == "year" ? 0.5 : 0.125;
    const within = ({ year }) => year >= drawing.at[index] - half && year < drawing.at[index] + half;
    const dated = (drawing.marks || []).filter(within).map(({ text }) => text);
    const dots = (drawing.points || []).filter(within).map(({ text }) => text);
    return { parts, also: [...dots, ...dated] };
  }

  function readout(drawing, index, place) {
    const { parts, also } = said(drawing, index, place);
    const lines = parts.map((part) => `<span class="value"><svg width="22" height="8" aria-hidden="true"><path d="M1 4H21" stroke="${part.colour}" stroke-width="2.4" stroke-dasharray="${part.dash || ""}"/></svg>${escape(part.name)} <b>${part.value}</b>${part.spread ? ` <small>(${part.spread})</small>` : ""}</span>`);
    return `<b>${drawing.names[index]}</b> ${lines.join(" ")}${also.length ? ` <small class="also">${also.map(escape).join(" · ")}</small>` : ""}`;
  }

  function table(drawing, place) {
    const all = columns(drawing);
    const head = all.map(({ label }) => `<th scope="col">${escape(label)}</th>`).join("");
    const rows = drawing.names
      .map((name, index) => (all.some(({ values }) => values[index] != null) ? `<tr><th scope="row">${name}</th>${all.map(({ values }) => `<td>${place.write(values[index], 1)}</td>`).join("")}</tr>` : ""))
      .join("");
    const dots = (drawing.points || []).map(({ text }) => `<li>${escape(text)}</li>`).join("");
    return `<table><caption>${escape(drawing.title)}, ${escape(drawing.unit)}</caption><thead><tr><th scope="col">${drawing.period}</th>${head}</tr></thead><tbody>${rows}</tbody></table>${dots ? `<p>Published figures</p><ul>${dots}</ul>` : ""}`;
  }

  function csv(drawing) {
    const cell = (text) => (/[",\n]/.test(text) ? `"${String(text).replaceAll('"', '""')}"` : String(text));
    const all = columns(drawing);
    const rows = drawing.names.map((name, index) => [name, ...all.map(({ values }) => values[index] ?? "")]);
    return [[drawing.period, ...all.map(({ label }) => label)], ...rows].map((row) => row.map(cell).join(",") + "\n").join("");
  }

  function summary(drawing, place) {
    const last = Math.max(-1, ...shown(drawing).map((line) => line.values.findLastIndex((value) => value != null)));
    const values = last < 0 ? [] : said(drawing, last, place).parts.map(({ name, value }) => `${name} ${value}`);
    return `${drawing.title}, ${drawing.unit}.${values.length ? ` ${drawing.names[last]}: ${values.join("; ")}.` : ""} Arrow keys read it ${drawing.period} by ${drawing.period}.`;
  }

  // -- one chart on the page

  const TOOLS = [
    ["png", "PNG", "Save as a picture"],
    ["svg", "SVG", "Save as a drawing that can be scaled and edited"],
    ["csv", "CSV", "Save the drawn numbers"],
    ["embed", "Embed", "Copy the chart as a piece of HTML that needs no server"],
    ["full", "Full screen", "Show the chart alone"],
  ];

  let count = 0;

  decoupling.chart = (box) => {
    box.classList.add("chart");
    box.innerHTML = `<div class="heading"></div><ul class="legend"></ul><div class="drawing" tabindex="0" role="img"></div>
      <p class="readout" aria-live="polite"></p><div class="numbers scroll" tabindex="0" role="region" hidden></div>
      <div class="below"><p class="source"></p><div class="tools"><button data-do="table" aria-pressed="false">Table</button>
      <details><summary>Save or share</summary><div>${TOOLS.map(([what, label, title]) => `<button data-do="${what}" title="${title}">${label}</button>`).join("")}
      <p class="told" role="status"></p></div></details></div></div>`;
    const part = (name) => box.querySelector("." + name);
    const [heading, legend, canvas, tells, numbersTable, source, told] = ["heading", "legend", "drawing", "readout", "numbers", "source", "told"].map(part);
    const id = `chart-${++count}-about`;
    let drawing = null, place = null, at = null, width = 0;

    function draw() {
      if (!drawing || !width) return;
      const full = document.fullscreenElement == box;
      place = frame(drawing, width, full ? Math.max(200, innerHeight - 210) : drawing.height || 250);
      canvas.innerHTML = `<svg width="${width}" height="${place.height}" aria-hidden="true" font-size="12">${picture(drawing, place)}<g class="cross"></g></svg>`;
      canvas.setAttribute("aria-label", summary(drawing, place));
      if (!numbersTable.hidden) numbersTable.innerHTML = table(drawing, place);
      point(at);
    }

    // Shows a period's values; null shows none.
    function point(index) {
      const known = index != null && drawing.lines.some((line) => !line.at && line.values[index] != null);
      at = known ? index : null;
      const x = known ? number(place.x(drawing.at[at])) : 0;
      const dots = known ? shown(drawing).filter((line) => !line.at && line.values[at] != null) : [];
      canvas.querySelector(".cross").innerHTML = known
        ? `<path d="M${x} ${place.top}V${place.height - place.bottom}" stroke="var(--soft)"/>` +
          dots.filter((line) => place.drawn(line.values[at])).map((line) => `<circle cx="${x}" cy="${number(place.y(line.values[at]))}" r="3.5" fill="${line.colour}"/>`).join("")
        : "";
      const text = known ? readout(drawing, at, place) : drawing.note ? escape(drawing.note) : "";
      if (tells.innerHTML != text) tells.innerHTML = text;
    }

    function near(event) {
      const year = place.year(event.clientX - canvas.getBoundingClientRect().left);
      let best = null;
      drawing.at.forEach((each, index) => {
        if (best == null || Math.abs(each - year) < Math.abs(drawing.at[best] - year)) best = index;
      });
      point(year < drawing.at[0] - 0.5 ? null : best);
    }

    const last = () => Math.max(...drawing.lines.filter((line) => !line.at).map((line) => line.values.findLastIndex((value) => value != null)));
    const KEYS = { ArrowRight: 1, ArrowLeft: -1, PageUp: 4, PageDown: -4, Home: -Infinity, End: Infinity };
    function press(event) {
      if (!drawing) return;
      if (event.key == "Escape") return point(null);
      const step = KEYS[event.key];
      if (step == null) return;
      event.preventDefault();
      const end = last();
      point(at == null ? (step < 0 && step != -Infinity ? end : step == Infinity ? end : 0) : Math.min(end, Math.max(0, at + (event.shiftKey ? 4 * step : step))));
    }

    const deeds = {
      table(button) {
        numbersTable.hidden = !numbersTable.hidden;
        button.setAttribute("aria-pressed", !numbersTable.hidden);
        numbersTable.setAttribute("aria-label", `${drawing.title}: the drawn numbers`);
        draw();
      },
      svg: () => decoupling.save(drawing.file + ".svg", standing(drawing)),
      png: () => png(standing(drawing), (blob) => decoupling.save(drawing.file + ".png", blob)),
      csv: () => decoupling.save(drawing.file + ".csv", csv(drawing)),
      async embed() {
        const html = `<figure>${standing(drawing)}<figcaption><a href="${escape(location.href)}">${escape(drawing.title)}</a></figcaption></figure>`;
        if (await decoupling.copy(html)) told.textContent = "Copied: paste it into a page's HTML.";
        else {
          told.textContent = "This browser gives no clipboard here, so the HTML was saved as a file.";
          decoupling.save(drawing.file + ".html", html);
        }
      },
      full: () => (document.fullscreenElement == box ? document.exitFullscreen() : box.requestFullscreen?.()),
    };

    canvas.addEventListener("pointermove", (event) => drawing && near(event));
    canvas.addEventListener("pointerdown", (event) => drawing && near(event));
    canvas.addEventListener("pointerleave", () => drawing && point(null));
    canvas.addEventListener("keydown", press);
    box.addEventListener("click", (event) => {
      const button = event.target.closest("[data-do]");
      if (button && drawing) deeds[button.dataset.do](button);
      const choice = event.target.closest("[data-line]");
      if (choice) drawing.pick(choice.dataset.line);
    });
    const sizes = new ResizeObserver(([entry]) => {
      const room = Math.floor(entry.contentRect.width);
      if (room && room != width) {
        width = Math.max(240, room);
        draw();
      }
    });
    sizes.observe(canvas);
    box.addEventListener("fullscreenchange", draw);

    return {
      heading,
      show(next) {
        drawing = next;
        const [button, about] = drawing.about ? [decoupling.info(id, drawing.title), `<p class="about" id="${id}" hidden>${escape(drawing.about)}</p>`] : ["", ""];
        const title = `<h2>${escape(drawing.title)}</h2><span class="hint">${escape(drawing.unit)} ${button}</span>${about}`;
        if (heading.dataset.title != title) [heading.innerHTML, heading.dataset.title] = [title, title];
        const entries = shown(drawing).map((line) => {
          const sample = `<svg width="30" height="10" aria-hidden="true"><path d="M1 5H29" fill="none" stroke="${line.colour}" stroke-width="2.4" stroke-dasharray="${line.dash || ""}"/></svg>${escape(line.label)}`;
          return drawing.pick ? `<li><button data-line="${escape(line.key)}" aria-pressed="${line.key == drawing.picked}">${sample}</button></li>` : `<li>${sample}</li>`;
        });
        const text = entries.length > 1 ? entries.join("") : "";
        if (legend.dataset.text != text) [legend.innerHTML, legend.dataset.text] = [text, text];
        legend.hidden = !text;
        source.textContent = drawing.source || "";
        draw();
      },
      end: () => sizes.disconnect(),
    };
  };
})();
