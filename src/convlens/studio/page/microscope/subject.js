/* Subject: the run and the image that are looked into, which all parts of the room share. */

import { useEffect, useRef, useState } from "preact/hooks";
import { call, connection, pictureUrl, thumbUrl } from "../api.js";
import { html } from "../html.js";
import { Icon } from "../icons.js";
import { FilesButton, IconButton } from "../parts.js";
import { place, show, showIn } from "../place.js";
import { project } from "../project.js";
import { described, firstOf, useRuns } from "../runs.js";
import { sayError } from "../say.js";
import { createStore, keep, kept, useStore } from "../store.js";
import { t } from "../words.js";
import { Shot } from "./shots.js";

const SHOWN = 60; // images of the workspace to choose from

/* The image: its id and its name, or null. The address names it; without one, it is the last one
   that this browser has put under the microscope. */
const last = createStore(JSON.parse(kept("microscope-image") ?? "null"));
last.follow((now) => keep("microscope-image", JSON.stringify(now)));

function choosePicture(found) {
  last.set(found);
  showIn("microscope", { image: found?.id ?? null, name: found?.name ?? null });
}

/* Return the runs that can be looked into, the chosen one (or undefined), and the image.

   With `states`, a run that has kept some comes first as long as none is chosen. */
export function useSubject({ states = false } = {}) {
  const runs = useRuns();
  const { run: name, image: id, name: file } = useStore(place);
  const lastImage = useStore(last);
  const image = id ? { id, name: file } : lastImage;
  const ready = runs?.filter((run) => run.has_classifier);
  const suited = ready?.filter((one) => !states || one.has_states) ?? [];
  const run = ready?.find((one) => one.name === name) ?? firstOf(suited.length ? suited : (ready ?? []));
  return { runs, ready, run, image };
}

/* The choice of a run and an image. */
export function Subject({ ready, run, image, lead }) {
  return html`
    <section class="micro-panel subject" aria-label=${t("subject")}>
      ${lead}
      <label class="field">
        <span>${t("micro_run")}</span>
        <select onChange=${(event) => show({ run: event.target.value })}>
          ${ready.map(
            (one) => html`<option value=${one.name} selected=${one === run}>${described(one)}</option>`,
          )}
        </select>
      </label>
      <${Picture} image=${image} />
    </section>
  `;
}

function Picture({ image }) {
  const [problem, setProblem] = useState("");
  const [over, setOver] = useState(false);
  const [kind, setKind] = useState(null); // of the dialog that is open
  const newest = useRef(null); // what was chosen last, which may be answered first
  const put = async (request, path) => {
    newest.current = request;
    setProblem("");
    try {
      const found = await call(path, request);
      if (newest.current === request) choosePicture(found);
    } catch (error) {
      if (newest.current !== request) return;
      if (error.status) setProblem(error.message);
      else sayError(error);
    }
  };
  const putBlob = (blob, name) =>
    put({ body: blob }, `/api/microscope/images?name=${encodeURIComponent(name)}`);
  const take = ([file]) => file && putBlob(file, file.name);
  // An image that the server has no longer; one that does not answer has it all the same.
  const forget = () => connection.get().state === "fine" && choosePicture(null);
  const onTake = (blob, name) => {
    setKind(null);
    putBlob(blob, name);
  };
  const onDrop = (event) => {
    event.preventDefault();
    setOver(false);
    take([...event.dataTransfer.files]);
  };
  return html`
    <div
      class="picture-choice"
      data-over=${over}
      onDragOver=${(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave=${() => setOver(false)}
      onDrop=${onDrop}
    >
      <span class="what">${t("micro_picture")}</span>
      ${image &&
      html`<figure class="put">
        <img src=${pictureUrl(image.id)} alt="" onError=${forget} />
        <figcaption>${image.name}</figcaption>
      </figure>`}
      <div class="buttons">
        <${FilesButton} icon="files" label=${t("choose_picture")} accept="image/*" onFiles=${take} />
        <${IconButton} class="button" icon="camera" label=${t("webcam")} onClick=${() => setKind("webcam")} />
        <${IconButton} class="button" icon="draw" label=${t("draw")} onClick=${() => setKind("draw")} />
      </div>
      ${kind && html`<${Shot} kind=${kind} onTake=${onTake} onClose=${() => setKind(null)} />`}
      <p class="note">${t("drop_picture")}</p>
      ${problem && html`<p class="problem" role="alert">${problem}</p>`}
      <${OfWorkspace} choose=${(id) => put({ method: "POST" }, `/api/microscope/images/${id}`)} />
    </div>
  `;
}

/* Images of the workspace, some of each class. */
function OfWorkspace({ choose }) {
  const { total, version } = useStore(project);
  const { times } = useStore(connection);
  const [images, setImages] = useState([]);
  useEffect(() => {
    let gone = false;
    if (!total) setImages([]);
    else {
      call(`/api/images?order=shuffled&show=used&limit=${SHOWN}`)
        .then(({ columns, rows }) => {
          const named = rows.map((row) => Object.fromEntries(columns.map((key, at) => [key, row[at]])));
          if (!gone) setImages(named);
        })
        .catch(sayError);
    }
    return () => {
      gone = true;
    };
  }, [version, total, times]);
  if (!images.length) return null;
  return html`
    <div class="own-pictures" role="group" aria-label=${t("own_pictures")}>
      ${images.map(
        ({ id, name }) => html`
          <button type="button" key=${id} title=${name} aria-label=${name} onClick=${() => choose(id)}>
            <img src=${thumbUrl(id, 128)} alt="" loading="lazy" />
          </button>
        `,
      )}
    </div>
  `;
}

/* What is missing before something can be looked into, or null. */
export function missing({ runs, ready, run, image }) {
  if (!runs) return html`<p class="waiting" role="status">${t("loading_room")}</p>`;
  if (!ready.length || !run) return html`<p class="waiting">${t("micro_no_run")}</p>`;
  if (!image) return html`<p class="waiting">${t("micro_no_picture")}</p>`;
  return null;
}

export const Busy = ({ status, stop }) => html`
  <div class="busy">
    <p role="status">${t("micro_working")} ${t(`stage_${status?.stage ?? "starting"}`)}</p>
    <progress
      aria-label=${t("micro_working")}
      max=${status?.total || null}
      value=${status?.total ? status.done : null}
    ></progress>
    <button type="button" class="button" onClick=${stop}><${Icon} name="close" />${t("stop")}</button>
  </div>
`;
