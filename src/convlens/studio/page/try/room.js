/* Room 4, Try: a classifier answers what it is shown, says why, and names what is near. */

import { useEffect, useRef, useState } from "preact/hooks";
import { connection } from "../api.js";
import { html } from "../html.js";
import { Icon } from "../icons.js";
import { go, place, show } from "../place.js";
import { onProgress, project } from "../project.js";
import { rooms } from "../rooms.js";
import { described, firstOf, useRuns } from "../runs.js";
import { useStore } from "../store.js";
import { listed, t } from "../words.js";
import { Add } from "./add.js";
import { Answer } from "./answer.js";
import { choose, follow, freeze, isStill, loadStatus, openRun, tried } from "./live.js";
import { Near } from "./near.js";
import { Drawing, File, useFiles, Webcam } from "./sources.js";
import { Why } from "./why.js";

const SOURCES = {
  webcam: { icon: "camera", text: "try_webcam", Source: Webcam },
  file: { icon: "files", text: "try_file", Source: File },
  board: { icon: "draw", text: "try_board", Source: Drawing },
};

export function Room() {
  const runs = useRuns();
  const { run: asked } = useStore(place);
  if (runs === null) return html`<div class="room try"></div>`;
  const ready = runs.filter((run) => run.has_classifier);
  const chosen = asked ?? firstOf(ready)?.name;
  return html`
    <div class="room try">
      ${chosen === undefined ? html`<${NoRun} />` : html`<${Tried} run=${chosen} runs=${ready} />`}
    </div>
  `;
}

function NoRun() {
  const hasTrain = rooms.some(({ key }) => key === "train");
  return html`
    <section class="begin" aria-labelledby="try-no-run">
      <h2 id="try-no-run">${t("try_no_run")}</h2>
      <p class="lead">${t("try_no_run_text")}</p>
      ${hasTrain &&
      html`<button type="button" class="button primary" onClick=${() => go("train")}>
        ${t("try_go_train")}
      </button>`}
    </section>
  `;
}

function Tried({ run, runs }) {
  const { source, image, frozen } = useStore(tried);
  const { times } = useStore(connection);
  const [opened, setOpened] = useState({ why: false, near: false });
  const over = useFiles();
  const isThere = runs.some(({ name }) => name === run);
  const picked = useRef(""); // the run that somebody has chosen here
  useEffect(() => {
    openRun(run, { insist: picked.current === run }); // again if it, or the server, comes back
    picked.current = "";
  }, [run, isThere, times]);
  const pick = (name) => {
    picked.current = name;
    show({ run: name });
  };
  useEffect(() => {
    const leave = [onProgress(loadStatus), follow()];
    return () => leave.forEach((end) => end());
  }, []);
  useEffect(() => {
    if (source === "webcam" && !frozen) setOpened({ why: false, near: false });
  }, [source, frozen]);
  const still = isStill({ source, frozen, image });
  const toggle = (part) => {
    if (source === "webcam" && !frozen) freeze(true);
    setOpened({ ...opened, [part]: !opened[part] });
  };
  const { Source } = SOURCES[source];
  return html`
    <div class="try-page">
      <header class="try-head">
        <${RunChoice} run=${run} runs=${runs} pick=${pick} />
        <${SourceChoice} source=${source} />
      </header>
      <${Notes} />
      <div class="try-main">
        <div class="looked-at" data-source=${source}><${Source} key=${source} /></div>
        <${Answer} />
      </div>
      <div class="ask-more">
        ${["why", "near"].map(
          (part) => html`
            <button
              type="button"
              class="button"
              aria-expanded=${opened[part] && Boolean(still)}
              disabled=${!image}
              onClick=${() => toggle(part)}
            >
              <${Icon} name=${part === "why" ? "search" : "images"} />${t(`try_${part}`)}
            </button>
          `,
        )}
        ${source === "webcam" && !frozen && html`<span class="note">${t("try_still_first")}</span>`}
      </div>
      ${still && opened.why && html`<${Why} image=${image} />`}
      ${still && opened.near && html`<${Near} image=${image} />`}
      ${still && html`<${Add} image=${image} source=${source} />`}
      ${over && html`<div class="drop-hint" aria-hidden="true"><p>${t("try_drop")}</p></div>`}
    </div>
  `;
}

function RunChoice({ run, runs, pick }) {
  const isThere = runs.some(({ name }) => name === run);
  const shown = isThere ? runs : [{ name: run }, ...runs];
  return html`
    <label class="run-choice">
      ${t("try_run")}
      <select value=${run} onChange=${(event) => pick(event.target.value)}>
        ${shown.map(
          (one) => html`<option value=${one.name} selected=${one.name === run}>${described(one)}</option>`,
        )}
      </select>
    </label>
  `;
}

const SourceChoice = ({ source }) => html`
  <div class="source-choice" role="group" aria-label=${t("try_source")}>
    ${Object.entries(SOURCES).map(
      ([key, { icon, text }]) => html`
        <button
          type="button"
          class="button"
          aria-pressed=${key === source}
          onClick=${() => key !== source && choose(key)}
        >
          <${Icon} name=${icon} />${t(text)}
        </button>
      `,
    )}
  </div>
`;

/* What differs between the run and what is there now. */
function Notes() {
  const { run, status } = useStore(tried);
  const { classes } = useStore(project);
  if (!status?.class_names) return null;
  const now = classes.filter(({ images }) => images > 0).map(({ name }) => name);
  const known = status.class_names;
  const missing = now.filter((name) => !known.includes(name));
  const gone = known.filter((name) => !now.includes(name));
  const changes = [
    missing.length > 0 && t("try_is_missing", { names: listed(missing) }),
    gone.length > 0 && t("try_is_gone", { names: listed(gone) }),
  ].filter(Boolean);
  return html`
    ${changes.length > 0 &&
    html`<div class="notice"><${Icon} name="note" /><p>${t("try_other_classes", { changes: listed(changes, "semicolon") })}</p></div>`}
    ${status.is_newer &&
    html`<div class="notice">
      <${Icon} name="note" /><p>${t("try_newer")}</p>
      <button type="button" class="button" onClick=${() => openRun(run, { again: true })}>${t("try_reload")}</button>
    </div>`}
  `;
}
