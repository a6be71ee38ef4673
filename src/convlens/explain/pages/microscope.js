/* The microscope page: shows the maps of layers, and how the value of a clicked cell is computed. */
"use strict";
const { layers, tensors, words: said, start, why } = JSON.parse(document.getElementById("content").textContent);
let words = said[document.documentElement.lang];
const CHANNELS = 4, TERMS = 12, LARGEST = 64, TOLERANCE = 1e-5;
const BLUE = [0, 114, 178], ORANGE = [224, 138, 0];
const STEPS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
const decoded = new Map();
const unpack = ({ shape, data }) => ({ shape, data: new Float32Array(Uint8Array.from(atob(data), (c) => c.charCodeAt(0)).buffer) });
const tensor = (name) => {
  if (!decoded.has(name)) decoded.set(name, unpack(tensors[name]));
  return decoded.get(name);
};
const largestOf = (values) => values.reduce((most, one) => Math.max(most, Math.abs(one)), 0) || 1;
const mix = (share, depth) => (share > 0 ? BLUE : ORANGE).map((full) => Math.round(255 + (full - 255) * Math.min(1, Math.abs(share)) * depth));
const element = (name, text = "", kind = "") => {
  const one = document.createElement(name);
  one.textContent = text;
  if (kind) one.className = kind;
  return one;
};
const decimals = (values, more) => Math.min(12, Math.max(0, more - Math.floor(Math.log10(largestOf(values)))));
const write = (value) => {
  if (value !== 0 && Math.abs(value) < 5e-7) return value.toExponential(2);
  return String(Number(value.toFixed(6)) + 0);
};
const say = (key, values = {}) => words[key].replace(/\{(\w+)\}/g, (_, name) => values[name]);
const printed = (value) => Number(write(value));
/* Write "≈" if the printed numbers do not give the printed result. */
const equation = (text, exact, value) => `${text} ${Math.abs(exact - printed(value)) < 1e-9 ? "=" : "≈"} ${write(value)}`;
const minus = (a, b) => `${write(a)} ${b < 0 ? "+" : "-"} ${write(Math.abs(b))}`;
const plus = (a, b) => minus(a, -b);
const which = (layer, k) => say(layer.noun, { k, name: layer.classes[k] });
const placeOf = (t, row, column) => (t.shape[0] * t.shape[1] > 1 ? `${words.comma}${say("place", { row, column })}` : "");
const valueAt = (t, row, column, channel) => t.data[(row * t.shape[1] + column) * t.shape[2] + channel];

const state = { layer: layers[0], filter: 0, row: 0, column: 0 };

function drawMap(canvas, t, channel, largest) {
  const [rows, columns] = t.shape, image = new ImageData(columns, rows);
  for (let at = 0; at < rows * columns; at++) {
    const [r, g, b] = mix(t.data[at * t.shape[2] + channel] / largest, 1);
    image.data.set([r, g, b, 255], 4 * at);
  }
  canvas.width = columns;
  canvas.height = rows;
  canvas.getContext("2d").putImageData(image, 0, 0);
}

function mapFigure(t, channel, title, side, largest, choose) {
  const figure = element("figure"), canvas = element("canvas"), scale = side / Math.max(t.shape[0], t.shape[1]);
  drawMap(canvas, t, channel, largest);
  canvas.style.width = `${t.shape[1] * scale}px`;
  canvas.style.height = `${t.shape[0] * scale}px`;
  canvas.addEventListener("click", (event) => {
    const box = canvas.getBoundingClientRect();
    const place = (at, count) => Math.max(0, Math.min(count - 1, Math.floor(at * count)));
    choose(place((event.clientY - box.top) / box.height, t.shape[0]), place((event.clientX - box.left) / box.width, t.shape[1]));
  });
  figure.append(canvas, element("figcaption", title));
  return figure;
}

/* Return a map with a window outlined in red. Parts of the window may lie in the border. */
function bigMap(t, channel, title, box, choose, won) {
  const side = 300, scale = side / Math.max(t.shape[0], t.shape[1]);
  const figure = mapFigure(t, channel, "", side, largestOf(t.data), choose);
  const frame = element("div");
  frame.style.cssText = "position: relative";
  frame.append(figure.querySelector("canvas"));
  for (const [top, bottom, left, right] of [box, ...(won ? [[won[0], won[0] + 1, won[1], won[1] + 1]] : [])]) {
    const outline = element("div");
    outline.style.cssText = `position: absolute; pointer-events: none; border: 2px solid var(--red); top: ${top * scale}px; left: ${left * scale}px; height: ${(bottom - top) * scale + 2}px; width: ${(right - left) * scale + 2}px`;
    frame.append(outline);
  }
  figure.replaceChildren(element("figcaption", title), frame);
  return figure;
}

function show() {
  const { layer, filter, row, column } = state, output = tensor(layer.name), network = valueAt(output, row, column, filter);
  const { steps, value, scale, parts, looks } = HOW[layer.how](layer, filter, row, column, network);
  const close = Math.abs(value - network) <= TOLERANCE * scale;
  steps.push([words.network, `${write(network)} ${words.own}${words.comma}${close ? words.same : say("differs", { difference: write(value - network) })}`]);
  const isMap = output.shape[0] * output.shape[1] > 1, name = `${layer.name}${words.comma}${which(layer, filter)}`;
  const [first = "", ...others] = layer.inputs, inputs = others.reduce((said, other) => say("list", { said, other }), first);
  const facts = say("facts", { kind: layer.kind, shape: layer.shape.join(" x "), inputs });
  document.getElementById("title").replaceChildren(`${name}${placeOf(output, row, column)} `, element("span", facts));
  const maps = looks.filter((one) => tensor(one.source).shape[0] * tensor(one.source).shape[1] > 1)
    .map((one) => bigMap(tensor(one.source), one.channel, `${one.source}${words.comma}${say("channel", { k: one.channel })}`, one.box, () => {}, one.won));
  if (isMap) maps.push(bigMap(output, filter, name, [row, row + 1, column, column + 1], (r, c) => open({ row: r, column: c })));
  document.getElementById("big").replaceChildren(...maps);
  document.getElementById("patches").replaceChildren(...parts);
  const list = element("dl");
  for (const [step, text] of steps) list.append(element("dt", step), element("dd", text));
  document.getElementById("sum").replaceChildren(list);
  document.getElementById("sum").dataset.agrees = close;
  document.querySelectorAll("#maps figure").forEach((figure, at) => figure.classList.toggle("on", at === filter));
  history.replaceState(null, "", `#layer=${encodeURIComponent(layer.name)}&filter=${filter}&at=${row},${column}`);
}

function showMaps() {
  const output = tensor(state.layer.name), largest = largestOf(output.data), single = output.shape[0] * output.shape[1] === 1;
  document.querySelectorAll("#layers button").forEach((button, at) => button.classList.toggle("on", layers[at] === state.layer));
  const figures = Array.from({ length: output.shape[2] }, (_, filter) =>
    mapFigure(output, filter, state.layer.classes[filter] ?? String(filter), single ? 26 : 84, largest, (row, column) => open({ filter, row, column })));
  document.getElementById("maps").replaceChildren(...figures);
}

/* Open a cell. What is not given stays as it is; an index outside of the map is moved to its edge. */
function open(change) {
  const other = change.layer && change.layer !== state.layer;
  Object.assign(state, change);
  const [rows, columns, filters] = tensor(state.layer.name).shape;
  const within = (one, count) => Math.max(0, Math.min(count - 1, one || 0));
  state.row = within(state.row, rows);
  state.column = within(state.column, columns);
  state.filter = within(state.filter, filters);
  if (other || !document.querySelector("#maps figure")) showMaps();
  show();
}

/* Return the cell with the largest absolute value of a layer. */
function strongestCell(layer) {
  const { data, shape } = tensor(layer.name);
  const at = data.reduce((best, one, place) => (Math.abs(one) > Math.abs(data[best]) ? place : best), 0);
  const cell = Math.floor(at / shape[2]);
  return { layer, filter: at % shape[2], row: Math.floor(cell / shape[1]), column: cell % shape[1] };
}

for (const layer of layers) {
  const button = element("button", layer.name);
  button.addEventListener("click", () => open(strongestCell(layer)));
  document.getElementById("layers").append(button);
}
document.addEventListener("keydown", (event) => {
  const step = STEPS[event.key];
  if (!step || event.altKey || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  open({ row: state.row + step[0], column: state.column + step[1] });
});
function follow() {
  const wanted = new URLSearchParams(location.hash.slice(1));
  const layer = layers.find((one) => one.name === wanted.get("layer"));
  if (!layer) {
    const named = layers.find((one) => one.name === start.layer), index = start.index;
    return open(index ? { layer: named, row: index[0], column: index[1], filter: index[2] } : strongestCell(named));
  }
  const [row, column] = (wanted.get("at") || "").split(",").map(Number);
  const cell = strongestCell(layer);
  open(wanted.has("at") ? { layer, filter: Number(wanted.get("filter")), row, column } : { ...cell, filter: Number(wanted.get("filter") ?? cell.filter) });
}
document.addEventListener("language", () => {
  words = said[document.documentElement.lang];
  document.getElementById("image").alt = words.alt;
  show();
});
window.addEventListener("hashchange", follow);
follow();
