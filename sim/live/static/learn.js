// The screen "Learn": the project's answers, each with its futures, and what one needs to read them.
//
// `decoupling.learn(box, settings, tour)`: settings as of Futures, tour [{ question, sentence, query }].
(() => {
  const { escape } = decoupling;

  const WORDS = [
    ["future", "One run of the model from 2020 to 2035: a set of values for what is not known, and luck drawn from a seed."],
    ["parameter set", "One of many sets of values, fitted to figures up to 2024, that history does not tell apart."],
    ["pair", "The same future twice, with your change and without, with the same parameter set and the same luck. What differs is the change alone."],
    ["bite", "What export controls do with the target's own push held as it was."],
    ["total", "What they do with that push as an answer to them. No figure tells where between bite and total the truth lies."],
    ["answer", "Total less bite: what the push adds when controls call it forth."],
  ];

  // What a band is, as a drawing that explains itself; it shows no figures.
  const BAND = `<svg class="band" viewBox="0 0 560 190" role="img" aria-label="A line within two bands that widen with the years">
    <path d="M20 120C150 110 300 80 430 20V170C300 150 150 135 20 120z" fill="var(--blue)" opacity="0.15"/><path d="M20 120C150 114 300 96 430 60V130C300 128 150 128 20 120z" fill="var(--blue)" opacity="0.25"/>
    <path d="M20 120C150 118 300 110 430 92" fill="none" stroke="var(--blue)" stroke-width="2.8"/>
    <text x="438" y="30">nine of ten futures</text><text x="438" y="72">half of them</text><text x="438" y="96" font-weight="600">the middle</text></svg>`;

  function page(settings, tour, still) {
    const futures = still ? "index.html" : "./";
    const cards = tour.map(({ question, sentence, query }) => `<article class="card"><h3>${escape(question)}</h3><p>${escape(sentence)}</p>${query && !still ? `<a class="button" href="${futures}${escape(query)}">Open its futures</a>` : ""}</article>`);
    const tries = decoupling.tries(settings).map(([text, set]) => `<li><a href="${futures}${escape(decoupling.linked(set, settings))}">${escape(text)}</a></li>`);
    const configs = settings.configs.map(({ name, purpose, invented }) => `<div><dt>${still ? escape(name) : `<a href="${futures}?config=${encodeURIComponent(name)}">${escape(name)}</a>`}${invented ? " (an invented world)" : ""}</dt><dd>${escape(purpose)}.</dd></div>`);
    const words = [...WORDS, ...settings.measures.map(({ label, meaning }) => [label, meaning + "."])];
    return `${decoupling.top("learn", still)}
      <main class="learn"><h1>What the model has to say, and how to read it</h1>
        <section class="panel wide"><h2>A tour of the answers</h2><p class="hint">Each comes from one experiment with a prediction written before it was run. What lies between two numbers is so in 90 of 100 cases.</p><div class="cards">${cards.join("")}</div></section>
        <section class="panel"><h2>What a band is</h2>${BAND}<p>Nobody knows the future, and the model does not either. It runs many times, each time with other values for what is not known and with other luck. The line is the middle of these futures. The dark band holds half of them, the light one nine of ten. A band says how far the model's futures differ, and not that the truth lies in it.</p></section>
        <section class="panel"><h2>How far to trust it</h2><ul>${settings.trust.map((text) => `<li>${escape(text)}</li>`).join("")}</ul></section>
        ${tries.length ? `<section class="panel"><h2>Things to try</h2><ul>${tries.join("")}</ul></section>` : ""}
        <section class="panel wide"><h2>Words</h2><dl class="columns">${words.map(([word, text]) => `<div><dt>${escape(word)}</dt><dd>${escape(text[0].toUpperCase() + text.slice(1))}</dd></div>`).join("")}</dl></section>
        <section class="panel wide"><h2>Worlds and policies to start from</h2><dl class="columns">${configs.join("")}</dl></section>
      </main>`;
  }

  decoupling.learn = (box, settings, tour) => {
    box.classList.add("screen");
    box.innerHTML = page(settings, tour, settings.still);
  };
})();
