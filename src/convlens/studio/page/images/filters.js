/* Filters: which images the grid shows, in which order, and how large. */

import { useEffect, useRef, useState } from "preact/hooks";
import { html } from "../html.js";
import { Icon } from "../icons.js";
import { Dialog, IconButton } from "../parts.js";
import { project } from "../project.js";
import { useStore } from "../store.js";
import { count, t } from "../words.js";
import { cellSize, chooseCellSize } from "./grid.js";
import { SIZES } from "./layout.js";
import { ALL, clearFilters, filter, filters, list } from "./list.js";

const PAUSE = 200; // milliseconds after a letter, before the images are searched
const SHOWS = ["all", "used", "excluded", "relabelled"];
const ORDERS = ["name", "newest", "oldest", "shuffled"];
const KEYS = ["arrows", "shift", "space", "all", "numbers", "exclude", "restore", "enter", "undo"];

export function Filters() {
  const chosen = useStore(filters);
  const { classes, total, excluded, relabelled } = useStore(project);
  const shown = useStore(list).total;
  const size = useStore(cellSize);
  const [open, setOpen] = useState(false);
  const [help, setHelp] = useState(false);
  const isFiltered = ["class", "show", "search", "finding"].some((one) => chosen[one] !== ALL[one]);
  const numbers = { all: total, used: total - excluded, excluded, relabelled };
  return html`
    <div class="filters" role="search" aria-label=${t("filters")} data-open=${open}>
      <${Search} />
      <button
        type="button"
        class="button open-filters"
        aria-expanded=${open}
        onClick=${() => setOpen(!open)}
      >
        ${t("filters")}
      </button>
      <div class="choices">
        <${Choice}
          label=${t("class")}
          value=${chosen.class}
          onChoose=${(one) => filter({ class: one })}
          options=${[["", t("all_classes")], ...classes.map(({ id, name }) => [id, name])]}
        />
        <${Choice}
          label=${t("show")}
          value=${chosen.show}
          onChoose=${(one) => filter({ show: one })}
          options=${SHOWS.map((one) => [one, t(`show_${one}`, { n: numbers[one] })])}
        />
        <${Choice}
          label=${t("order")}
          value=${chosen.order}
          onChoose=${(one) => filter({ order: one })}
          options=${ORDERS.map((one) => [one, t(`order_${one}`)])}
        />
        <${Choice}
          label=${t("cells")}
          value=${size}
          onChoose=${chooseCellSize}
          options=${Object.keys(SIZES).map((one) => [one, t(`cells_${one}`)])}
        />
      </div>
      <p class="shown" role="status">
        ${isFiltered ? count("shown_of", total, { shown }) : count("images", shown)}
        ${isFiltered &&
        html` <button type="button" class="link" onClick=${clearFilters}>${t("clear_filters")}</button>`}
      </p>
      <${IconButton} icon="keyboard" label=${t("keys")} onClick=${() => setHelp(true)} />
      ${help &&
      html`<${Dialog} title=${t("keys")} onClose=${() => setHelp(false)}>
        <dl class="keys">
          ${KEYS.map(
            (one) => html`<div><dt><kbd>${t(`key_${one}`)}</kbd></dt><dd>${t(`does_${one}`)}</dd></div>`,
          )}
        </dl>
      <//>`}
    </div>
  `;
}

function Search() {
  const [text, setText] = useState(filters.get().search);
  const timer = useRef(0);
  const known = useRef(text); // what was searched for last
  useEffect(() => filters.follow(({ search }) => {
    if (search === known.current) return; // the choice of something else leaves what is typed
    known.current = search;
    clearTimeout(timer.current);
    setText(search);
  }), []);
  const onInput = (event) => {
    setText(event.target.value);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => {
      known.current = event.target.value.trim();
      filter({ search: known.current });
    }, PAUSE);
  };
  return html`
    <label class="search">
      <${Icon} name="search" />
      <input
        type="search"
        value=${text}
        placeholder=${t("search")}
        aria-label=${t("search")}
        onInput=${onInput}
      />
    </label>
  `;
}

const Choice = ({ label, value, options, onChoose }) => html`
  <label class="choice">
    <span class="hidden">${label}</span>
    <select title=${label} onChange=${(event) => onChoose(event.target.value)}>
      ${options.map(
        ([key, text]) => html`<option key=${key} value=${key} selected=${key === value}>${text}</option>`,
      )}
    </select>
  </label>
`;
