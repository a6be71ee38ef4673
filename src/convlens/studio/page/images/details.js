/* Details: one image large, with all that is known of it; or what to do with several. */

import { useEffect, useState } from "preact/hooks";
import { call, connection, fullUrl, Gone } from "../api.js";
import { html } from "../html.js";
import { Icon } from "../icons.js";
import { ClassSign, IconButton } from "../parts.js";
import { project } from "../project.js";
import { createStore, useStore } from "../store.js";
import { count, decimal, language, listed, megabytes, t } from "../words.js";
import { exclude, relabel, remove, restore } from "./actions.js";
import { list } from "./list.js";
import { clearSelection, selection } from "./selection.js";

const wide = matchMedia("(min-width: 1100px)");

/* Whether the panel is shown beside the grid of a wide window, or over that of a narrow one. */
const open = createStore({ beside: true, over: false });

export function openDetails() {
  open.change(wide.matches ? { beside: true } : { over: true });
}

function closeDetails() {
  open.change(wide.matches ? { beside: false } : { over: false });
  document.querySelector(".grid")?.focus();
}

/* Return whether the panel is to be seen. Beside the grid it stays, so that the cells do not move. */
export function useDetails() {
  const { beside, over } = useStore(open);
  const { ids } = useStore(selection);
  const [isWide, setWide] = useState(wide.matches);
  useEffect(() => {
    const follow = () => setWide(wide.matches);
    wide.addEventListener("change", follow);
    return () => wide.removeEventListener("change", follow);
  }, []);
  return isWide ? beside : over && ids.size > 0;
}

export function Details() {
  const { ids } = useStore(selection);
  useStore(list);
  const chosen = [...ids];
  const onKeyDown = (event) => {
    if (event.key === "Escape") closeDetails();
  };
  return html`
    <aside class="details" aria-label=${t("details")} onKeyDown=${onKeyDown}>
      <header>
        <h2>${chosen.length > 1 ? count("selected", chosen.length) : t("details")}</h2>
        <${IconButton} icon="close" label=${t("close")} onClick=${closeDetails} />
      </header>
      ${chosen.length === 1 && html`<${OneImage} id=${chosen[0]} />`}
      ${chosen.length
        ? html`<${Actions} ids=${chosen} />`
        : html`<p class="note">${t("select_one")}</p>`}
    </aside>
  `;
}

/* Return what the server says of an image, or null; it is asked again after each change,
   and when it has come back. */
function useFacts(id) {
  const { version } = useStore(project);
  const { times } = useStore(connection);
  const [facts, setFacts] = useState(null);
  const [problem, setProblem] = useState("");
  const words = language.get();
  useEffect(() => {
    const stop = new AbortController();
    setProblem("");
    call(`/api/images/${id}`, { signal: stop.signal })
      .then(setFacts)
      .catch((error) => {
        if (error.name !== "AbortError" && !(error instanceof Gone)) setProblem(error.message);
      });
    return () => stop.abort();
  }, [id, version, words, times]);
  return [facts?.id === id ? facts : null, problem];
}

function OneImage({ id }) {
  const [facts, problem] = useFacts(id);
  const row = list.get().rows[list.get().places.get(id)];
  const name = facts?.name ?? row?.name ?? "";
  return html`
    <figure class="large" data-excluded=${Boolean(row?.excluded)}>
      ${facts?.problem
        ? html`<p class="unreadable"><${Icon} name="unreadable" />${facts.problem}</p>`
        : html`<img key=${id} src=${fullUrl(id)} alt=${name} />`}
      <figcaption>${name}</figcaption>
    </figure>
    ${problem && html`<p class="problem" role="alert">${problem}</p>`}
    ${facts && html`<${Facts} facts=${facts} />`}
  `;
}

function Facts({ facts }) {
  const rows = [
    [t("size"), facts.width && `${decimal(facts.width)} × ${decimal(facts.height)}`],
    [t("format"), facts.format && listed([facts.format, megabytes(facts.bytes)])],
    [t("split"), facts.split],
    [t("path"), facts.path],
    [t("in_list"), facts.row && [facts.row.action, facts.row.value, facts.row.code].filter(Boolean).join(" · ")],
    [t("note"), facts.row?.note],
  ];
  return html`
    <dl class="facts">
      ${rows
        .filter(([, value]) => value)
        .map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}
    </dl>
  `;
}

/* What can be done with the selected images. */
export function Actions({ ids }) {
  const { classes, may_add: mayAdd } = useStore(project);
  const { rows, places } = useStore(list);
  const chosen = ids.map((id) => rows[places.get(id)]).filter(Boolean);
  const changed = chosen.filter(({ excluded, label, given }) => excluded || label !== given);
  const used = chosen.filter(({ excluded }) => !excluded);
  return html`
    <div class="actions">
      <div class="class-choice" role="group" aria-label=${t("change_class")}>
        <span class="what" aria-hidden="true">${t("change_class")}</span>
        ${classes.map(
          ({ id, name }, place) => html`
            <button
              type="button"
              class="button"
              key=${id}
              aria-pressed=${chosen.length > 0 && chosen.every(({ label }) => label === id)}
              onClick=${() => relabel(ids, id)}
            >
              <${ClassSign} place=${place} />${name}
            </button>
          `,
        )}
      </div>
      <div class="buttons">
        <button type="button" class="button" disabled=${!used.length} onClick=${() => exclude(ids)}>
          <${Icon} name="exclude" />${t("exclude")} <kbd>x</kbd>
        </button>
        <button type="button" class="button" disabled=${!changed.length} onClick=${() => restore(ids)}>
          <${Icon} name="restore" />${t("restore")} <kbd>r</kbd>
        </button>
        ${mayAdd &&
        html`<button type="button" class="button" onClick=${() => remove(ids)}>
          <${Icon} name="trash" />${t("remove")}
        </button>`}
      </div>
    </div>
  `;
}

/* What can be done with the selected images, while the panel is closed. */
export function SelectionBar() {
  const { ids } = useStore(selection);
  if (!ids.size) return null;
  return html`
    <section class="selection-bar" aria-label=${t("selection")}>
      <header>
        <b>${count("selected", ids.size)}</b>
        <button type="button" class="button" onClick=${openDetails}>
          <${Icon} name="details" />${t("details")}
        </button>
        <${IconButton} icon="close" label=${t("clear_selection")} onClick=${clearSelection} />
      </header>
      <${Actions} ids=${[...ids]} />
    </section>
  `;
}
