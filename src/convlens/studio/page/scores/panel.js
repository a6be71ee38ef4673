/* Panel: the images of a cell, from which one goes to their labels, to the list and to a training.

   A list of images as in the room of the images: arrows go from one to the next, Space selects. */

import { useEffect, useRef, useState } from "preact/hooks";
import { call, Gone, thumbUrl } from "../api.js";
import { html } from "../html.js";
import { Icon } from "../icons.js";
import { exclude, relabel, restore } from "../images/actions.js";
import { Thumb } from "../images/thumb.js";
import { ClassSign, IconButton } from "../parts.js";
import { go, place } from "../place.js";
import { classOf, onChange, oneByOne, project } from "../project.js";
import { useStore } from "../store.js";
import { count, listed, percent, t } from "../words.js";
import { query, useAnswer } from "./load.js";
import { TrainAgain } from "./version.js";

const BUTTONS = 6; // classes up to which each has a button
const PART = 100; // images that are shown at once

export function ImagesPanel({ path, kind, ...fields }) {
  const [most, setMost] = useState(PART);
  const { rows, total, problem } = useRows(`${path}?${query(fields)}`, most);
  const heading = useRef(null);
  const title = useTitle(kind, fields);
  const asked = query(fields);
  useEffect(() => heading.current?.focus(), [asked]);
  const close = () => {
    const { room, run, compare } = place.get();
    go(room, run ? { run } : compare ? { compare } : {});
    document.querySelector(".matrix [tabindex='0'], .pair button")?.focus();
  };
  const onKeyDown = (event) => {
    if (event.key === "Escape" && !event.defaultPrevented) close();
  };
  return html`
    <aside class="score-images" aria-label=${t("scores_images_of_cell")} onKeyDown=${onKeyDown}>
      <header>
        <h2 ref=${heading} tabindex="-1">${title}</h2>
        <${IconButton} icon="close" label=${t("close")} onClick=${close} />
      </header>
      ${problem && html`<p class="problem" role="alert">${problem}</p>`}
      ${(fields.true === undefined || fields.true !== fields.predicted) && html`<p class="note">${t("scores_only_mistakes")}</p>`}
      ${rows && html`<${Cards} key=${asked} rows=${rows} total=${total} names=${kind === "pair" ? [fields.first, fields.second] : null} />`}
      ${rows && rows.length < total &&
      html`<button type="button" class="button" onClick=${() => setMost(most + PART)}>
        ${t("scores_more", { n: total - rows.length })}
      </button>`}
    </aside>
  `;
}

/* Return the first rows of an answer that comes in parts; they are loaded again after each change. */
function useRows(path, most) {
  const [found, setFound] = useState({});
  useEffect(() => {
    const stop = new AbortController();
    const load = oneByOne(async () => {
      try {
        const rows = [];
        let total = 1;
        while (rows.length < Math.min(most, total)) {
          const part = await call(`${path}&offset=${rows.length}&limit=${PART}`, { signal: stop.signal });
          rows.push(...part.rows);
          total = part.total;
          if (!part.rows.length) break;
        }
        setFound({ path, rows, total, problem: "" });
      } catch (error) {
        if (error.name === "AbortError" || error instanceof Gone) return;
        setFound({ path, problem: error.message });
      }
    });
    load();
    const leave = onChange(load);
    return () => {
      stop.abort();
      leave();
    };
  }, [path, most]);
  return found.path === path ? found : {};
}

function useTitle(kind, fields) {
  const run = kind === "cell" ? fields.run : "";
  const { answer } = useAnswer(run && `/api/scores?${query({ run })}`);
  if (kind === "pair") return t(`scores_pair_${fields.cell}`, fields);
  if (fields.only) return t("scores_worst_first", { name: run });
  const names = answer?.class_names;
  if (!names) return "";
  return t("scores_cell_title", { label: names[fields.true], predicted: names[fields.predicted] });
}

function Cards({ rows, total, names }) {
  const [chosen, setChosen] = useState(new Set());
  const [active, setActive] = useState(0);
  const list = useRef(null);
  const there = rows.filter(({ id }) => id !== null);
  const ids = there.filter(({ id }) => chosen.has(id)).map(({ id }) => id);
  const gone = rows.length - there.length;
  const toggle = (row) => {
    if (row.id === null) return;
    const next = new Set(chosen);
    if (!next.delete(row.id)) next.add(row.id);
    setChosen(next);
  };
  /* A click selects one image, with Ctrl or a finger one more, and with Shift all up to it. */
  const choose = (index, event) => {
    if (event.ctrlKey || event.metaKey || event.pointerType === "touch") toggle(rows[index]);
    else {
      const from = event.shiftKey ? active : index;
      const between = rows.slice(Math.min(from, index), Math.max(from, index) + 1);
      setChosen(new Set(between.filter(({ id }) => id !== null).map(({ id }) => id)));
    }
    if (!event.shiftKey) setActive(index);
  };
  const focus = (index) => {
    const to = Math.max(0, Math.min(rows.length - 1, index));
    setActive(to);
    list.current.children[to].focus();
  };
  const onKeyDown = (event) => {
    if (event.altKey || event.metaKey) return;
    const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columnsOf(list.current), ArrowDown: columnsOf(list.current) };
    if (event.ctrlKey) {
      if (event.key !== "a") return;
      setChosen(new Set(there.map(({ id }) => id)));
    } else if (steps[event.key]) focus(active + steps[event.key]);
    else if (event.key === "Home") focus(0);
    else if (event.key === "End") focus(rows.length - 1);
    else if (event.key === " ") event.repeat || toggle(rows[active]);
    else if (event.key === "Enter") openInImages(rows[active]);
    else if (event.repeat || !act(event.key, ids)) return; // a key that is held acts once
    event.preventDefault();
  };
  return html`
    <p class="note" role="status">
      ${count("images", total)}${gone > 0 && html` · ${count("scores_gone", gone)}`}
    </p>
    ${ids.length > 0 ? html`<${Bar} ids=${ids} />` : html`<p class="note">${t("scores_select")}</p>`}
    <div
      class="score-cards"
      role="listbox"
      aria-multiselectable="true"
      aria-label=${t("scores_images_of_cell")}
      ref=${list}
      onKeyDown=${onKeyDown}
    >
      ${rows.map(
        (row, index) => html`<${Card}
          key=${row.file}
          row=${row}
          names=${names}
          selected=${chosen.has(row.id)}
          active=${index === Math.min(active, rows.length - 1)}
          onChoose=${(event) => choose(index, event)}
        />`,
      )}
    </div>
  `;
}

function columnsOf(list) {
  return getComputedStyle(list).gridTemplateColumns.split(" ").length;
}

/* Do what a key stands for, as in the grid of the images; return whether it stands for something. */
function act(key, ids) {
  if (!ids.length) return false;
  const { classes } = project.get();
  if (key === "x" || key === "Delete") exclude(ids);
  else if (key === "r") restore(ids);
  else if (/^[1-9]$/.test(key) && classes[key - 1]) relabel(ids, classes[key - 1].id);
  else return false;
  return true;
}

/* Show an image in the room of the images. */
function openInImages({ id }) {
  if (id !== null) go("images", { image: id });
}

function Card({ row, names, selected, active, onChoose }) {
  const isGone = row.id === null;
  const now = isGone ? null : classOf(row.label);
  const isMoved = now && now.name !== row.true;
  const predictions = row.predicted.map((name, place) => ({
    who: names ? names[place] : "",
    name,
    share: percent(row.confidence[place]),
  }));
  const said = [
    row.file,
    t("scores_true_is", { name: row.true }),
    ...predictions.map(({ who, name, share }) => `${who} ${t("scores_predicted_is", { name, share })}`),
    isMoved && t("scores_now", { name: now.name }),
    row.excluded && t("is_excluded"),
    isGone && t("scores_is_gone"),
  ];
  return html`
    <div
      class="score-card"
      role="option"
      tabindex=${active ? 0 : -1}
      aria-selected=${selected}
      aria-disabled=${isGone}
      aria-label=${listed(said.filter(Boolean), "comma")}
      data-excluded=${Boolean(row.excluded)}
      onClick=${onChoose}
      onDblClick=${() => openInImages(row)}
    >
      <span class="frame">
        ${isGone ? html`<span class="gone">${t("scores_is_gone")}</span>` : html`<${Thumb} src=${thumbUrl(row.id, 256)} />`}
        ${row.excluded && html`<span class="mark"><${Icon} name="exclude" /></span>`}
        ${selected && html`<span class="tick"><${Icon} name="check" /></span>`}
      </span>
      <span class="true-label">${t("scores_true_is", { name: row.true })}</span>
      ${predictions.map(
        ({ who, name, share }) => html`<span class="guess" data-right=${name === row.true}>${who && html`<i>${who}</i> `}<b>${name}</b> ${share}</span>`,
      )}
      ${isMoved && html`<span class="now">${t("scores_now", { name: now.name })}</span>`}
      <span class="file">${row.file}</span>
    </div>
  `;
}

/* What can be done with the selected images. All of it can be undone. */
function Bar({ ids }) {
  const { classes } = useStore(project);
  const choose = ({ target }) => {
    relabel(ids, target.value);
    target.value = ""; // the same class can be chosen again, for other images
  };
  return html`
    <div class="score-bar" role="group" aria-label=${t("selection")}>
      <p><b>${count("selected", ids.length)}</b></p>
      ${classes.length > BUTTONS
        ? html`<label>
            <span class="hidden">${t("change_class")}</span>
            <select onChange=${choose}>
              <option value="">${t("change_class")}</option>
              ${classes.map(({ id, name }) => html`<option key=${id} value=${id}>${name}</option>`)}
            </select>
          </label>`
        : html`<div class="buttons">
            ${classes.map(
              ({ id, name }, place) => html`
                <button type="button" class="button" key=${id} onClick=${() => relabel(ids, id)}>
                  <${ClassSign} place=${place} />${t("scores_is_class", { name })}
                </button>
              `,
            )}
          </div>`}
      <div class="buttons">
        <button type="button" class="button" onClick=${() => exclude(ids)}><${Icon} name="exclude" />${t("exclude")}</button>
        <button type="button" class="button" onClick=${() => restore(ids)}><${Icon} name="restore" />${t("restore")}</button>
        ${ids.length === 1 &&
        html`<button type="button" class="button" onClick=${() => openInImages({ id: ids[0] })}>
          <${Icon} name="images" />${t("scores_open_image")}
        </button>`}
        <${TrainAgain} changed=${true} />
      </div>
    </div>
  `;
}
