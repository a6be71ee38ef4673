/* Camera: the webcam of this computer, for all that look through it. */

import { useEffect, useRef, useState } from "preact/hooks";
import { html } from "../html.js";
import { Icon } from "../icons.js";
import { FilesButton } from "../parts.js";
import { t } from "../words.js";

const QUALITY = 0.92; // of the JPEG files

const REASONS = {
  NotAllowedError: "camera_denied",
  NotFoundError: "camera_missing",
  NotReadableError: "camera_busy",
};

let wasOpened = false;

/* Whether somebody has asked for the camera since the page was loaded, in whichever room. */
export const isAskedFor = () => wasOpened;

/* Open the camera. Return the element for its picture, the cameras, and what is wrong. */
export function useCamera(device) {
  const video = useRef(null);
  const [cameras, setCameras] = useState([]);
  const [state, setState] = useState("opening"); // "opening", "on", or the key of a text
  useEffect(() => {
    let stream = null;
    let closed = false;
    const open = async () => {
      if (!navigator.mediaDevices) throw new DOMException("", "InsecureContext");
      const wanted = device ? { deviceId: { exact: device } } : { facingMode: "user" };
      stream = await navigator.mediaDevices.getUserMedia({
        video: { ...wanted, width: { ideal: 640 }, height: { ideal: 480 } },
        audio: false,
      });
      if (closed) return stop();
      video.current.srcObject = stream;
      await video.current.play();
      stream.getVideoTracks()[0].addEventListener("ended", () => setState("camera_ended"));
      wasOpened = true;
      setState("on");
      const devices = await navigator.mediaDevices.enumerateDevices();
      setCameras(devices.filter(({ kind }) => kind === "videoinput"));
    };
    const stop = () => stream?.getTracks().forEach((track) => track.stop());
    const other = isSecureContext ? "camera_failed" : "camera_insecure";
    open().catch((error) => closed || setState(REASONS[error.name] ?? other));
    return () => {
      closed = true;
      stop();
    };
  }, [device]);
  return { video, cameras, state };
}

/* What the camera shows, mirrored, as people know themselves. */
export const Preview = ({ camera }) => html`
  <video
    class="mirrored"
    ref=${camera.video}
    hidden=${camera.state !== "on"}
    muted
    playsinline
    aria-label=${t("preview")}
  ></video>
`;

/* Return a blob of what the camera shows now, which is not mirrored. */
export function grab(video, canvas) {
  canvas.width = video.videoWidth;
  canvas.height = video.videoHeight;
  canvas.getContext("2d").drawImage(video, 0, 0);
  return new Promise((done) => canvas.toBlob(done, "image/jpeg", QUALITY));
}

/* Another camera, where there are several. */
export function CameraChoice({ cameras, device, setDevice }) {
  if (cameras.length < 2) return null;
  return html`
    <label>
      ${t("camera")}
      <select value=${device} onChange=${(event) => setDevice(event.target.value)}>
        <option value="">${t("camera_any")}</option>
        ${cameras.map(
          ({ deviceId, label }) => html`<option value=${deviceId}>${label}</option>`,
        )}
      </select>
    </label>
  `;
}

/* Why there is no picture, and the other way to take one: the camera of the system. */
export function NoCamera({ state, onFiles }) {
  if (state === "opening") return html`<p class="no-camera" role="status">${t("camera_opening")}</p>`;
  return html`
    <div class="no-camera">
      <p class="problem" role="alert"><${Icon} name="warning" />${t(state)}</p>
      <p>${t("camera_instead")}</p>
      <${FilesButton} icon="camera" label=${t("take_photo")} accept="image/*" capture="environment" onFiles=${onFiles} />
    </div>
  `;
}
