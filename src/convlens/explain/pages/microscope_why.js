/* The maps of the most probable classes: a cell that is clicked, or reached with the arrow keys, says what it adds to the logit. */
"use strict";
const sumOf = (values) => values.reduce((total, one) => total + one, 0);
const short = (value) => String(Number(value.toPrecision(4)));

/* Return the steps from the numbers of a map to the logit, and whether the network agrees; nothing where there is no such sum. */
function whySum({ data }, { bias, logit, absolute }) {
  if (bias === null) return { steps: [[words.logit, write(logit)]], agrees: true };
  const mean = sumOf(data) / data.length, value = mean + bias, agrees = Math.abs(value - logit) <= TOLERANCE * absolute;
  const network = `${write(logit)} ${words.own}${words.comma}${agrees ? words.same : say("differs", { difference: write(value - logit) })}`;
  const steps = [[words.mean, say("of_values", { count: data.length }) + ` = ${write(mean)}`], [words.bias, write(bias)],
    [words.sum, equation(plus(mean, bias), printed(mean) + printed(bias), value)], [words.network, network]];
  return { steps, agrees };
}

for (const frame of document.querySelectorAll("#why .map")) {
  const one = why.maps[Number(frame.dataset.map)], t = unpack(one), [rows, columns] = t.shape;
  const cell = frame.querySelector(".cell"), told = frame.nextElementSibling, list = told.nextElementSibling;
  const all = sumOf(t.data.map(Math.abs)) / t.data.length + Math.abs(one.bias);
  const best = t.data.reduce((first, value, place) => (value > t.data[first] ? place : first), 0);
  let row = Math.floor(best / columns), column = best % columns;
  drawMap(frame.querySelector("canvas"), t, 0, why.largest);

  function tell() {
    const value = valueAt(t, row, column, 0), added = value / t.data.length;
    const fields = { row, column, value: short(value), count: t.data.length, added: short(added), share: (100 * Math.abs(added) / all).toFixed(1) };
    told.textContent = (one.bias === null ? say("why_value", fields) : say("why_added", fields)).replace(" %", "\u00a0%");
    cell.style.cssText = `top: ${100 * row / rows}%; left: ${100 * column / columns}%; height: ${100 / rows}%; width: ${100 / columns}%`;
    const { steps, agrees } = whySum(t, one);
    list.replaceChildren(...steps.flatMap(([name, text]) => [element("dt", name), element("dd", text)]));
    list.dataset.agrees = agrees;
  }
  function go(toRow, toColumn) {
    row = Math.max(0, Math.min(rows - 1, toRow));
    column = Math.max(0, Math.min(columns - 1, toColumn));
    tell();
  }
  frame.addEventListener("click", (event) => {
    const box = frame.getBoundingClientRect();
    go(Math.floor((event.clientY - box.top) / box.height * rows), Math.floor((event.clientX - box.left) / box.width * columns));
  });
  frame.addEventListener("keydown", (event) => {
    const step = STEPS[event.key];
    if (!step || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    event.stopPropagation(); /* else the opened cell of the layer would move, too */
    go(row + step[0], column + step[1]);
  });
  document.addEventListener("language", tell);
  tell();
}
