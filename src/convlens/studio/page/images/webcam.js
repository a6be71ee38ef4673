/* Webcam: as long as a button is held, moments of the camera become images of a class.

   The preview is mirrored, as people know themselves; the files are not. */

import { useEffect, useRef, useState } from "preact/hooks";
import { html } from "../html.js";
import { classOf } from "../project.js";
import { enqueue, isSettled, newGroup, newName, queue, unsafe } from "../queue.js";
import { say } from "../say.js";
import { keep, kept, useStore } from "../store.js";
import { count, t } from "../words.js";
import { CameraChoice, grab, NoCamera, Preview, useCamera } from "./camera.js";
import { takeFiles } from "./drop.js";

const RATES = [1, 2, 5, 10, 15]; // images per second
const MOST_UNSAFE = 600; // images that may wait for the server; some 50 MB of memory
const RECENT = 10; // images that are shown

/* Record for as long as `start` was called and `stop` was not. */
function useRecorder(video, { id: classId, name: className }, rate) {
  const [recorded, setRecorded] = useState([]); // groups of this class, with their images
  const [recording, setRecording] = useState(false);
  const [recent, setRecent] = useState([]);
  const now = useRef({ run: null, timer: 0 }); // run: what is recorded while the button is held
  Object.assign(now.current, { classId, className, rate });
  const canvas = useRef(null);
  canvas.current ??= document.createElement("canvas");

  const take = async (run) => {
    const { group } = run;
    const to = now.current.classId;
    const blob = await grab(video.current, canvas.current);
    if (!blob) return;
    const name = newName("webcam", "jpg");
    enqueue([{ blob, name, class: to, group }]);
    run.taken += 1;
    setRecorded((all) => (all.includes(group) ? all : [...all, group]));
    setRecent((shown) => {
      shown.slice(RECENT - 1).forEach(({ url }) => URL.revokeObjectURL(url));
      return [{ url: URL.createObjectURL(blob), name }, ...shown.slice(0, RECENT - 1)];
    });
  };
  const next = async (run, due) => {
    if (now.current.run !== run) return;
    if (unsafe() >= MOST_UNSAFE) {
      await stop();
      say(t("too_many_unsafe"));
      return;
    }
    run.taking = take(run);
    await run.taking;
    if (now.current.run !== run) return;
    const after = due + 1000 / now.current.rate;
    const wait = Math.max(0, after - performance.now());
    now.current.timer = setTimeout(() => next(run, Math.max(after, performance.now())), wait);
  };
  const start = () => {
    if (now.current.run || !video.current?.videoWidth) return;
    const run = { group: newGroup(), taken: 0, taking: null };
    now.current.run = run;
    setRecording(true);
    next(run, performance.now());
  };
  const stop = async () => {
    const { run, className: name } = now.current;
    if (!run) return;
    clearTimeout(now.current.timer);
    now.current.run = null;
    await run.taking; // the last image counts, too
    if (!now.current.run) setRecording(false); // unless the button is held again
    say(count("did_record", run.taken, { name }));
  };
  useEffect(() => {
    addEventListener("blur", stop);
    return () => {
      stop();
      removeEventListener("blur", stop);
    };
  }, []);
  return { recording, recorded, recent, start, stop };
}

export function Webcam({ classId }) {
  const [rate, setRate] = useState(Number(kept("rate")) || 5);
  const [device, setDevice] = useState("");
  const camera = useCamera(device);
  const { name } = classOf(classId);
  const recorder = useRecorder(camera.video, { id: classId, name }, rate);
  const isOn = camera.state === "on";
  const take = (files) => takeFiles(files.map((file) => ({ file, path: file.name })), classId);
  return html`
    <div class="stage">
      <${Preview} camera=${camera} />
      ${!isOn && html`<${NoCamera} state=${camera.state} onFiles=${take} />`}
      ${recorder.recording && html`<span class="recording"><i></i>${t("recording")}</span>`}
    </div>
    <div class="controls">
      <${HoldButton} name=${name} disabled=${!isOn} ...${recorder} />
      <div class="settings">
        <label>
          ${t("rate")}
          <select
            value=${rate}
            onChange=${(event) => {
              setRate(Number(event.target.value));
              keep("rate", event.target.value);
            }}
          >
            ${RATES.map((one) => html`<option value=${one} selected=${one === rate}>${one}</option>`)}
          </select>
        </label>
        <${CameraChoice} cameras=${camera.cameras} device=${device} setDevice=${setDevice} />
      </div>
      <${Recorded} groups=${recorder.recorded} recent=${recorder.recent} />
    </div>
  `;
}

/* The button that is held: with the mouse, a finger or the space key. A click takes one image. */
function HoldButton({ name, disabled, recording, start, stop }) {
  const button = useRef(null);
  useEffect(() => {
    if (!disabled) button.current.focus();
  }, [disabled]);
  const onPointerDown = (event) => {
    if (event.button) return;
    event.currentTarget.setPointerCapture(event.pointerId);
    start();
  };
  const onKeyDown = (event) => {
    if (event.key !== " ") return;
    event.preventDefault();
    if (!event.repeat) start();
  };
  const onKeyUp = (event) => {
    if (event.key !== " ") return;
    event.preventDefault(); // no click follows
    stop();
  };
  const onClick = (event) => {
    if (event.detail) return; // that of a mouse, which has recorded already
    start();
    stop();
  };
  return html`
    <button
      type="button"
      ref=${button}
      class="hold"
      data-recording=${recording}
      disabled=${disabled}
      onPointerDown=${onPointerDown}
      onPointerUp=${stop}
      onPointerCancel=${stop}
      onLostPointerCapture=${stop}
      onKeyDown=${onKeyDown}
      onKeyUp=${onKeyUp}
      onBlur=${stop}
      onClick=${onClick}
      onContextMenu=${(event) => event.preventDefault()}
    >
      <span class="dot"></span>
      <span>${t("hold", { name })}<small>${t("hold_keys")}</small></span>
    </button>
  `;
}

/* How many images were recorded while the camera is open, and how many of them are safe. */
function Recorded({ groups, recent }) {
  const { saved } = useStore(queue);
  const safe = groups.reduce((sum, group) => sum + (saved[group] ?? 0), 0);
  const left = unsafe();
  return html`
    <p class="recorded">
      <b>${count("saved", safe)}</b>
      ${left > 0 && html` <span class="unsafe">${count("unsafe", left)}</span>`}
    </p>
    <div class="recent" aria-hidden="true">
      ${recent.map(
        ({ url, name }) => html`<img key=${url} src=${url} alt="" data-safe=${isSettled(name)} />`,
      )}
    </div>
  `;
}
