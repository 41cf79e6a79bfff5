// What every screen shares: how numbers, names and dates are written, round steps for axes, files to keep, the bar on
// top, and what unfolds below an (i).
window.decoupling = (() => {
  const FIRST = 2020;

  // A number with its thousands apart.
  const formats = {};
  const format = (digits) => new Intl.NumberFormat("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits, signDisplay: "negative" });
  const grouped = (number, digits) => (formats[digits] ??= format(digits)).format(number).replace("-", "−");

  // Three digits, four below ten thousand; percentages have one decimal. `small`: two digits below a tenth.
  function figure(value, percent, small) {
    if (value == null) return "–";
    const number = percent ? 100 * value : value;
    const size = Math.abs(number);
    if (percent) return grouped(number, size < 99.95 ? 1 : 0);
    if (small && size > 0 && size < 0.0995) return grouped(number, 1 - Math.floor(Math.log10(size)));
    return grouped(size < 9999.5 ? number : Number(number.toPrecision(3)), size < 9.995 ? 2 : size < 99.95 ? 1 : 0);
  }

  // A difference with its sign; ± where it rounds to nothing.
  function signed(value, percent, small) {
    if (value == null) return "–";
    const text = figure(Math.abs(value), percent, small);
    return (Number(text) == 0 ? "±" : value < 0 ? "−" : "+") + text;
  }

  // A unit on an axis whose scale is logarithmic.
  const logarithmic = (unit) => `${unit}, logarithmic scale`;

  // What is said for an id: what the world says, which Watch is told, else the id in words.
  function word(text) {
    return decoupling.spoken[text] ?? String(text).replaceAll("_", " ");
  }

  const MARKUP = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };
  const escape = (text) => String(text ?? "").replace(/[&<>"']/g, (sign) => MARKUP[sign]);

  // The middle of a quarter counted from 2020-Q1, and the start of one by its name, as years; a quarter's name.
  const middle = (quarter) => FIRST + (quarter + 0.5) / 4;
  const start = (quarter) => Number(quarter.slice(0, 4)) + (Number(quarter.slice(6)) - 1) / 4;
  const name = (quarter) => `${FIRST + Math.floor(quarter / 4)}-Q${(quarter % 4) + 1}`;
  // The quarter of a date such as 2022-10-07, and of one that is a quarter already.
  const quarterOf = (date) => (date[5] == "Q" ? date : `${date.slice(0, 4)}-Q${Math.ceil(Number(date.slice(5, 7)) / 3)}`);

  // Round steps for an axis from low to high, about `count` of them.
  function ticks(low, high, count) {
    const rough = (high - low) / count || 1;
    const power = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 5, 10].find((factor) => factor * power >= rough * 0.999) * power;
    const found = [];
    for (let place = Math.ceil(low / step - 1e-9); place * step <= high + 1e-9 * step; place++) found.push(place * step);
    return { step, found };
  }

  // Hands the browser a file to save.
  function save(name, content) {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(content instanceof Blob ? content : new Blob([content], { type: "text/plain" }));
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  }

  // Puts a text on the clipboard; false where there is none, as on a page without TLS.
  async function copy(text) {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      return false;
    }
  }

  // An (i), and the text that it unfolds, which has the id.
  const info = (id, what) => `<button class="info" aria-expanded="false" aria-controls="${id}" aria-label="about ${escape(what)}">i</button>`;

  // The bar on top of each screen: where one is, where one can go, and the colours. `still`: a page without a server.
  function top(here, still) {
    const live = [["futures", "Futures", "./"], ["watch", "Watch", "watch"], ["learn", "Learn", "learn"]];
    const links = (still ? [["futures", "Futures", "index.html"], ["learn", "Learn", "learn.html"]] : live)
      .map(([id, label, to]) => `<li><a href="${to}"${id == here ? ' aria-current="page"' : ""}>${label}</a></li>`)
      .join("");
    return `<header class="top"><strong>Decoupling Race</strong><nav aria-label="screens"><ul>${links}</ul></nav><button class="turn">Dark or light</button></header>`;
  }

  // The colours are the system's until somebody turns them, and then the same on every screen.
  const look = document.documentElement.dataset;
  look.theme = sessionStorage.getItem("theme") || (window.matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
  document.addEventListener("click", ({ target }) => {
    if (target.closest(".turn")) sessionStorage.setItem("theme", (look.theme = look.theme == "dark" ? "light" : "dark"));
    const button = target.closest(".info");
    if (!button) return;
    const text = document.getElementById(button.getAttribute("aria-controls"));
    text.hidden = !text.hidden;
    button.setAttribute("aria-expanded", !text.hidden);
  });

  return { figure, grouped, signed, logarithmic, word, spoken: {}, escape, middle, start, name, quarterOf, ticks, save, copy, info, top };
})();
