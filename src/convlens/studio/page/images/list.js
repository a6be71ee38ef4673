/* List: the images that the filters let through, in their order, and what is shown of them. */

import { call } from "../api.js";
import { loadState, onChange, project } from "../project.js";
import { createStore } from "../store.js";

const SCREEN = 200; // images of the first request
const PART = 5000; // images of each further one

export const ALL = { order: "name", class: "", show: "all", finding: "", search: "" };
export const filters = createStore(ALL);

/* rows: an object for each image, with holes where they are still on their way;
   total: how many they will be; places: the index of each id; loaded: whether anything has come. */
export const list = createStore({ rows: [], total: 0, places: new Map(), loaded: false });

let shownQuery = null; // of the rows that are there
let newest = null; // the last load

onChange(load);

/* Choose other filters; those that are not named stay. */
export function filter(part) {
  filters.change(part);
  return load().catch(() => undefined); // a server that is gone says so itself
}

export function clearFilters() {
  return filter({ ...ALL, order: filters.get().order });
}

/* Load the rows. A later call ends an earlier one, which waits for it. */
export function load() {
  const mine = {};
  newest = mine;
  mine.end = loadRows(mine);
  return mine.end;
}

async function loadRows(mine) {
  forgetGone();
  const query = queryOf(filters.get());
  const isNew = query !== shownQuery;
  const rows = isNew ? [] : [...list.get().rows];
  let offset = 0;
  let total = Infinity;
  let version = null;
  while (offset < total) {
    const limit = isNew && !offset ? SCREEN : PART;
    const part = await call(`/api/images?${query}&offset=${offset}&limit=${limit}`);
    if (mine === newest && part.version !== project.get().version) await loadState();
    if (mine !== newest) return newest.end;
    const isOther = version !== null && part.version !== version;
    if (isOther || part.version !== project.get().version) return load();
    ({ total, version } = part);
    place(rows, part, offset);
    offset += limit;
    rows.length = total;
    shownQuery = query;
    show(rows, total);
  }
}

/* A class or a kind of finding that is gone chooses nothing any more. */
function forgetGone() {
  const state = project.get();
  const chosen = filters.get();
  const hasClass = state.classes.some(({ id }) => id === chosen.class);
  const hasFinding = state.audit.codes?.some(({ code }) => code === chosen.finding);
  if (chosen.class && !hasClass) filters.change({ class: "" });
  if (chosen.finding && !hasFinding) filters.change({ finding: "" });
}

function queryOf(chosen) {
  const given = Object.entries(chosen).filter(([, value]) => value);
  return new URLSearchParams(given).toString();
}

/* Put the rows of an answer into their places. */
function place(rows, part, offset) {
  const classes = project.get().classes.map(({ id }) => id);
  const columns = part.columns;
  part.rows.forEach((values, index) => {
    const row = Object.fromEntries(columns.map((name, column) => [name, values[column]]));
    row.label = classes[row.label];
    row.given = classes[row.given];
    rows[offset + index] = row;
  });
}

function show(rows, total) {
  const places = new Map();
  rows.forEach((row, index) => row && places.set(row.id, index));
  list.set({ rows, total, places, loaded: true });
}

/* Show at once what the server is about to be asked for; its answer puts it right. */
export function patch(ids, changed) {
  const { places } = list.get();
  const rows = [...list.get().rows];
  for (const id of ids) {
    const place = places.get(id);
    if (place !== undefined) rows[place] = { ...rows[place], ...changed(rows[place]) };
  }
  list.change({ rows });
}
