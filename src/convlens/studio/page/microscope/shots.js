/* Shots: an image that is taken for the microscope, with the webcam or by drawing. */

import { useEffect, useRef, useState } from "preact/hooks";
import { html } from "../html.js";
import { Icon } from "../icons.js";
import { Board, BoardSettings, StrokeButtons, useBoard } from "../images/board.js";
import { CameraChoice, grab, NoCamera, Preview, useCamera } from "../images/camera.js";
import { blobOf } from "../images/strokes.js";
import { Dialog, useOnce } from "../parts.js";
import { say } from "../say.js";
import { t } from "../words.js";

/* A dialog that takes one image. onTake gets its blob and its name. */
export function Shot({ kind, onTake, onClose }) {
  const Tool = kind === "webcam" ? Webcam : Drawing;
  return html`
    <${Dialog} title=${t(kind)} onClose=${onClose} class="shot"><${Tool} onTake=${onTake} /><//>
  `;
}

function Webcam({ onTake }) {
  const [device, setDevice] = useState("");
  const camera = useCamera(device);
  const { video, cameras, state } = camera;
  const isOn = state === "on";
  const take = useOnce(async () => {
    const blob = await grab(video.current, document.createElement("canvas"));
    if (blob) onTake(blob, "webcam.jpg");
  });
  return html`
    <div class="stage">
      <${Preview} camera=${camera} />
      ${!isOn && html`<${NoCamera} state=${state} onFiles=${([file]) => file && onTake(file, file.name)} />`}
    </div>
    <div class="settings">
      <${CameraChoice} cameras=${cameras} device=${device} setDevice=${setDevice} />
    </div>
    <footer>
      <button type="button" class="button primary" disabled=${!isOn} onClick=${take}>
        <${Icon} name="camera" />${t("take_shot")}
      </button>
    </footer>
  `;
}

function Drawing({ onTake }) {
  const board = useBoard();
  const busy = useRef(false);
  // The dialog gives the focus to its first button when it opens.
  useEffect(() => {
    const frame = requestAnimationFrame(() => board.canvas.current?.focus());
    return () => cancelAnimationFrame(frame);
  }, []);
  const take = async () => {
    if (!board.strokes.length) return say(t("draw_first"));
    if (busy.current) return undefined;
    busy.current = true;
    return onTake(await blobOf(board.canvas.current), "drawing.png");
  };
  return html`
    <${Board} board=${board} label=${t("shot_board")} onEnter=${take} />
    <${BoardSettings} board=${board} />
    <p class="note" id="board-keys">${t("shot_board_keys")}</p>
    <footer>
      <${StrokeButtons} board=${board} />
      <button type="button" class="button primary" onClick=${take}>
        <${Icon} name="check" />${t("take_drawing")}
      </button>
    </footer>
  `;
}
