/* The page of explanations: shows the number of the cell of a map that is pointed at or reached with the arrow keys. */
"use strict";
(() => {
  const texts = JSON.parse(document.getElementById("texts").textContent);
  const STEPS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
  const cellsOf = new Map(Array.from(document.querySelectorAll(".map"), (map) => [map, JSON.parse(map.dataset.cells)]));

  /* Say what a cell is in every language; the page shows the chosen one. */
  function say(place, row, column, cells) {
    const [value, added, share] = cells[row][column];
    const fields = { row, column, value, added, share, count: cells.length * cells[0].length };
    place.replaceChildren(...Object.entries(texts).map(([tag, text]) => {
      const said = document.createElement("span");
      said.lang = tag;
      said.textContent = text[added === undefined ? "value" : "sum"].replace(/\{(\w+)\}/g, (_, name) => fields[name]).replaceAll(" %", "\u00a0%");
      return said;
    }));
  }

  function show(map, row, column) {
    const cells = cellsOf.get(map), box = map.viewBox.baseVal;
    const height = box.height / cells.length, width = box.width / cells[0].length;
    map.dataset.row = row;
    map.dataset.column = column;
    for (const cell of map.querySelectorAll(".cell")) {
      cell.setAttribute("x", column * width);
      cell.setAttribute("y", row * height);
    }
    const figure = map.closest("figure");
    say(figure.querySelector(".said"), row, column, cells);
    const table = figure.parentNode.querySelector(".grid");
    table.querySelector(".marked")?.classList.remove("marked");
    table.rows[row].cells[column].classList.add("marked");
  }

  /* The same cell is shown in the maps beside it, of which one is the difference of the others. */
  function showAll(map, row, column) {
    const section = map.closest("section"), place = `${row},${column}`;
    if (section.dataset.shown === place) return;
    section.dataset.shown = place;
    for (const one of section.querySelectorAll(".map")) show(one, row, column);
  }

  for (const [map, cells] of cellsOf) {
    const point = (event) => {
      const box = map.getBoundingClientRect();
      const place = (share, count) => Math.max(0, Math.min(count - 1, Math.floor(share * count)));
      const row = place((event.clientY - box.top) / box.height, cells.length);
      const column = place((event.clientX - box.left) / box.width, cells[0].length);
      showAll(map, row, column);
    };
    map.addEventListener("pointermove", point);
    map.addEventListener("pointerdown", point);
    map.addEventListener("focus", () => showAll(map, Number(map.dataset.row), Number(map.dataset.column)));
    map.addEventListener("keydown", (event) => {
      const step = STEPS[event.key];
      if (!step) return;
      event.preventDefault();
      const row = Number(map.dataset.row) + step[0], column = Number(map.dataset.column) + step[1];
      if (row >= 0 && row < cells.length && column >= 0 && column < cells[0].length) showAll(map, row, column);
    });
  }
})();
