/* Room 1, Images: classes, new images, the grid, the audit's findings. */

import { useEffect, useState } from "preact/hooks";
import { html } from "../html.js";
import { Icon } from "../icons.js";
import { place } from "../place.js";
import { project } from "../project.js";
import { useStore } from "../store.js";
import { t } from "../words.js";
import { Begin, Choose } from "./begin.js";
import { Check } from "./check.js";
import { Classes } from "./classes.js";
import { Command } from "./command.js";
import { Details, SelectionBar, useDetails } from "./details.js";
import { AskClass, useDrop } from "./drop.js";
import { Filters } from "./filters.js";
import { Findings } from "./findings.js";
import { Grid } from "./grid.js";
import { ImportDialog, LeftImports } from "./import_dialog.js";
import { filters } from "./list.js";
import { Maker } from "./maker.js";
import { reveal } from "./reveal.js";
import { selection } from "./selection.js";
import { Stuck } from "./stuck.js";
import { pane, tool } from "./tool.js";

const PANES = { classes: "folder", images: "images", check: "search" }; // with their icons

export function Room() {
  const { classes, total, may_add: mayAdd } = useStore(project);
  const shown = useStore(pane);
  const open = useStore(tool);
  const over = useDrop();
  const { image } = useStore(place);
  useEffect(() => {
    if (image) reveal(image);
  }, [image]);
  const isEmpty = mayAdd && !total && !open;
  return html`
    <div class="room" data-pane=${isEmpty && !classes.length ? "images" : shown}>
      ${(!isEmpty || classes.length > 0) && html`<${Side} />`}
      <div class="main">
        <${Stuck} />
        <${LeftImports} />
        <${Maker} />
        ${isEmpty ? html`<${Begin} />` : total > 0 && html`<${Images} />`}
      </div>
      ${total > 0 && html`<${Panes} />`}
      ${over && html`<div class="drop-hint" aria-hidden="true"><p>${t("drop_hint")}</p></div>`}
      <${AskClass} />
      <${ImportDialog} />
    </div>
  `;
}

function Side() {
  const { source, kind_text: kindText, notes, may_add: mayAdd, total } = useStore(project);
  return html`
    <div class="side">
      ${source &&
      html`<p class="source">
        <${Icon} name="folder" /><span>
          <b>${source}</b><span class="kind">${kindText}</span>${t("never_changed")}
        </span>
      </p>`}
      ${notes.map((text) => html`<p class="note"><${Icon} name="note" />${text}</p>`)}
      <${Classes} />
      ${mayAdd &&
      total > 0 &&
      html`<section class="add" aria-label=${t("add_images")}>
        <p class="note">${t("drop_here")}</p>
        <${Choose} />
      </section>`}
      <${Check} />
      <${Command} />
    </div>
  `;
}

function Images() {
  const { finding } = useStore(filters);
  const [asGrid, setAsGrid] = useState(false);
  const isMaking = useStore(tool) !== null; // then the grid has little room
  const cards = finding && !asGrid;
  const hasSelection = useStore(selection).ids.size > 0;
  const details = useDetails() && !isMaking && (hasSelection || !cards);
  return html`
    <div class="images">
      <div class="shown-images">
        ${!cards && !isMaking && html`<${Filters} />`}
        ${finding && html`<${Findings} asGrid=${asGrid} setAsGrid=${setAsGrid} />`}
        ${!cards && html`<div class="grid-place"><${Grid} /></div>`}
        ${!details && html`<${SelectionBar} />`}
      </div>
      ${details && html`<${Details} />`}
    </div>
  `;
}

/* The parts of the room in a window that is too narrow for all of them. */
const Panes = () => html`
  <nav class="panes" aria-label=${t("parts")}>
    ${Object.entries(PANES).map(
      ([key, icon]) => html`
        <button
          type="button"
          aria-current=${pane.get() === key ? "true" : null}
          onClick=${() => pane.set(key)}
        >
          <${Icon} name=${icon} />${t(`pane_${key}`)}
        </button>
      `,
    )}
  </nav>
`;
