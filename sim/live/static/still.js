// A page without a server: it answers from what was computed when it was written.
//
// `held` are [set, acts, answer without its base] of every policy that can be asked for.
decoupling.still = (box, settings, base, held) => {
  const key = (set, acts) => JSON.stringify([Object.entries(set).sort(), acts]);
  const answers = new Map(held.map(([set, acts, answer]) => [key(set, acts), answer]));
  const screen = decoupling.futures(box, settings, ({ number, set, acts }) => {
    const answer = answers.get(key(set, acts));
    const fault = "This page was written without that future; the program itself has every one.";
    setTimeout(() => screen.take(answer ? { ...answer, base, number } : { number, fault, field: "" }));
  });
};
