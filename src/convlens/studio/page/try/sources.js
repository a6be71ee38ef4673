/* Sources: where the images come from that are tried: the webcam, files, or the board. */

import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { html } from "../html.js";
import { Icon } from "../icons.js";
import { Board, BoardSettings, StrokeButtons, useBoard } from "../images/board.js";
import { CameraChoice, grab, isAskedFor, NoCamera, Preview, useCamera } from "../images/camera.js";
import { blobOf } from "../images/strokes.js";
import { FilesButton } from "../parts.js";
import { useStore } from "../store.js";
import { t } from "../words.js";
import { ask, choose, freeze, look, tried } from "./live.js";

/* Return the address of a blob for as long as it is shown. */
function useUrl(blob) {
  const [url, setUrl] = useState("");
  useEffect(() => {
    if (!blob) return setUrl("");
    const made = URL.createObjectURL(blob);
    setUrl(made);
    return () => URL.revokeObjectURL(made);
  }, [blob]);
  return url;
}

/* The camera is opened when somebody asks for it, once as long as the page is open. */
export function Webcam() {
  const [asked, setAsked] = useState(isAskedFor());
  if (asked) return html`<${Live} />`;
  return html`
    <div class="stage file" data-empty="true">
      <p class="drop-text">
        <${Icon} name="camera" />${t("try_camera_off")}
        <button type="button" class="button primary" onClick=${() => setAsked(true)}>
          ${t("try_camera_start")}
        </button>
      </p>
    </div>
  `;
}

function Live() {
  const { frozen, image } = useStore(tried);
  const [device, setDevice] = useState("");
  const camera = useCamera(device);
  const canvas = useRef(null);
  const isOn = camera.state === "on";
  const still = useUrl(frozen ? image?.blob : null);
  canvas.current ??= document.createElement("canvas");
  useEffect(() => {
    if (!isOn) return undefined;
    return look(() =>
      camera.video.current?.videoWidth ? grab(camera.video.current, canvas.current) : null,
    );
  }, [isOn, device]);
  return html`
    <div class="stage">
      <${Preview} camera=${camera} />
      ${frozen && still && html`<img class="still mirrored" src=${still} alt=${t("try_frozen")} />`}
      ${frozen && html`<span class="recording"><${Icon} name="check" />${t("try_frozen")}</span>`}
      ${!isOn && html`<${NoCamera} state=${camera.state} onFiles=${([file]) => takeFile(file)} />`}
    </div>
    <div class="tools-below">
      <${Freeze} disabled=${!isOn || !image} frozen=${frozen} />
      <div class="settings">
        <${CameraChoice} cameras=${camera.cameras} device=${device} setDevice=${setDevice} />
      </div>
    </div>
  `;
}

/* The button that stops the picture; so does the space key, wherever nothing else uses it. */
function Freeze({ disabled, frozen }) {
  useEffect(() => {
    if (disabled) return undefined;
    const onKeyDown = (event) => {
      const uses = event.target.closest?.("button, input, select, textarea, a, summary, dialog");
      if (event.key !== " " || uses || event.repeat) return;
      event.preventDefault();
      freeze(!tried.get().frozen);
    };
    document.addEventListener("keydown", onKeyDown);
    return () => document.removeEventListener("keydown", onKeyDown);
  }, [disabled]);
  return html`
    <button
      type="button"
      class="button ${frozen ? "primary" : ""}"
      disabled=${disabled}
      onClick=${() => freeze(!frozen)}
    >
      <${Icon} name=${frozen ? "arrow" : "camera"} />
      ${frozen ? t("try_go_on") : t("try_freeze")} <kbd>${t("try_freeze_key")}</kbd>
    </button>
  `;
}

/* Try a file, whatever was tried before. */
export function takeFile(file) {
  if (!file) return;
  if (tried.get().source !== "file") choose("file");
  ask(file, file.name);
}

/* Take files that are dropped on the page or pasted. */
export function useFiles() {
  const [over, setOver] = useState(false);
  useEffect(() => {
    const first = (transfer) => [...(transfer?.files ?? [])][0];
    const handlers = {
      dragover: (event) => {
        if (![...event.dataTransfer.types].includes("Files")) return;
        event.preventDefault();
        event.dataTransfer.dropEffect = "copy";
        setOver(true);
      },
      dragleave: (event) => event.relatedTarget || setOver(false),
      drop: (event) => {
        event.preventDefault();
        setOver(false);
        takeFile(first(event.dataTransfer));
      },
      paste: (event) => takeFile(first(event.clipboardData)),
    };
    for (const [name, act] of Object.entries(handlers)) addEventListener(name, act);
    return () => {
      for (const [name, act] of Object.entries(handlers)) removeEventListener(name, act);
    };
  }, []);
  return over;
}

export function File() {
  const { answer, image } = useStore(tried);
  const url = useUrl(image?.blob);
  const [broken, setBroken] = useState("");
  return html`
    <div class="stage file" data-empty=${!image}>
      ${url && broken !== url && html`<img src=${url} alt=${image.name} onError=${() => setBroken(url)} />`}
      ${url && broken === url && answer && html`<p class="drop-text"><${Icon} name="unreadable" />${t("try_no_preview")}</p>`}
      ${!image && html`<p class="drop-text"><${Icon} name="files" />${t("try_drop")}</p>`}
    </div>
    <div class="tools-below">
      <${FilesButton}
        icon="files"
        label=${t("try_choose")}
        accept="image/*"
        onFiles=${([file]) => takeFile(file)}
      />
      ${image && html`<span class="note file-name">${image.name}</span>`}
    </div>
  `;
}

export function Drawing() {
  const board = useBoard();
  const times = useRef(0); // that the board was cleared or left, after which a file comes too late
  // At once, so that a file that is made meanwhile comes too late.
  useLayoutEffect(() => {
    if (!board.strokes.length) {
      times.current += 1;
      choose("board");
      return;
    }
    const now = times.current;
    // After the board has painted them.
    Promise.resolve()
      .then(() => blobOf(board.canvas.current))
      .then((blob) => now === times.current && ask(blob, "drawing.png"));
  }, [board.strokes, board.paper]);
  useEffect(() => () => {
    times.current += 1;
  }, []);
  return html`
    <${Board} board=${board} label=${t("try_drawing")} onEnter=${() => {}} />
    <div class="tools-below">
      <div class="buttons"><${StrokeButtons} board=${board} /></div>
      <${BoardSettings} board=${board} />
      <p class="note" id="board-keys">${t("try_board_keys")}</p>
    </div>
  `;
}
