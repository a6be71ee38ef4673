/* Queue: images that the server has not acknowledged. They are safe only when it has.

   They are sent again after the server was gone; a page that is closed while some wait is held up. */

import { call, Gone } from "./api.js";
import { refresh, whyTooLarge } from "./project.js";
import { createStore } from "./store.js";
import { t } from "./words.js";

const AT_ONCE = 2; // requests; the other connections of the browser are for what is shown
const PAUSE = 1000; // milliseconds, before an image is sent again
const PAUSE_FULL = 5000; // likewise, while the disk is full
const TRIES = 5; // of an image at which the server makes a mistake

/* waiting: images that are not safe; sending: those that are under way;
   stuck: images that are kept, each with a message, until somebody says where they go;
   saved: how many of each group are safe; refused: what the server did not take, and why;
   problem: why nothing can be saved at present. */
export const queue = createStore({
  waiting: [],
  sending: [],
  stuck: [],
  saved: {},
  refused: [],
  problem: "",
});

const kept = () => [...queue.get().waiting, ...queue.get().sending, ...queue.get().stuck];

export const unsafe = () => kept().length;

/* Put images at the end: objects of a blob, the id of a class, a name and a group. */
export function enqueue(images) {
  queue.change({ waiting: [...queue.get().waiting, ...images] });
  pump();
}

/* Let images of a class that was renamed go to its new id, with what was refused for it. */
export function redirect(from, to) {
  for (const image of kept()) if (image.class === from) image.class = to;
  const { refused, stuck } = queue.get();
  queue.change({ refused: refused.map((one) => (one.class === from ? { ...one, class: to } : one)) });
  sendStuck(stuck.filter((image) => image.class === to));
}

/* Send images again, as far as they are stuck: some may have been sent or discarded meanwhile. */
export function sendStuck(images) {
  const { stuck, waiting } = queue.get();
  const again = stuck.filter((image) => images.includes(image));
  for (const image of again) image.tries = 0;
  queue.change({
    stuck: stuck.filter((image) => !again.includes(image)),
    waiting: [...waiting, ...again],
  });
  pump();
}

export function discardStuck() {
  queue.change({ stuck: [] });
}

/* Return whether the image of a name is safe, or was refused. */
export function isSettled(name) {
  return !kept().some((image) => image.name === name);
}

export function forgetRefused() {
  queue.change({ refused: [] });
}

export function refuse(refused) {
  queue.change({ refused: [...queue.get().refused, ...refused] });
}

function pump() {
  while (queue.get().sending.length < AT_ONCE && queue.get().waiting.length) {
    const [image, ...waiting] = queue.get().waiting;
    queue.change({ waiting, sending: [...queue.get().sending, image] });
    send(image);
  }
}

/* Send an image until it is safe, refused or stuck; it counts as under way for all that time. */
async function send(image) {
  let pause = await attempt(image);
  while (pause) {
    await new Promise((done) => setTimeout(done, pause));
    pause = await attempt(image);
  }
  pump();
}

/* Return 0, or how long to wait before the image is sent again. */
async function attempt(image) {
  const to = image.class;
  try {
    await readable(image);
    const name = encodeURIComponent(image.name);
    const path = `/api/classes/${to}/images?name=${name}&group=${image.group}`;
    await call(path, { body: image.blob });
  } catch (error) {
    return failed(image, to, error);
  }
  const { saved } = queue.get();
  const number = (saved[image.group] ?? 0) + 1;
  end(image, { saved: { ...saved, [image.group]: number }, problem: "" });
  refresh();
  return 0;
}

/* Deal with an image that was not taken for a class; return as above. */
function failed(image, to, error) {
  const { status, message } = error;
  if (status === 500) image.tries = (image.tries ?? 0) + 1;
  const isStuck = status === 409 || (status === 500 && image.tries >= TRIES);
  if (status === 409 && image.class !== to) return PAUSE; // it was renamed meanwhile
  if (isStuck) {
    // A webcam image is nowhere else, so it is kept though its class is gone.
    image.message = message;
    end(image, { stuck: [...queue.get().stuck, image], problem: "" });
    return 0;
  }
  if (error instanceof Gone || status === 401 || status >= 500) {
    queue.change({ problem: status >= 500 ? message : "" });
    return status === 507 ? PAUSE_FULL : PAUSE;
  }
  end(image, {});
  refuse([{ name: image.name, message, class: image.class }]);
  return 0;
}

function end(image, part) {
  queue.change({ ...part, sending: queue.get().sending.filter((one) => one !== image) });
}

/* A file that was moved away fails like a server that is gone; so it is tried first. So does one
   that is too large: the server breaks the connection while it is sent. */
async function readable({ blob }) {
  const tooLarge = whyTooLarge(blob);
  if (tooLarge) throw new Error(tooLarge);
  try {
    await blob.slice(0, 1).arrayBuffer();
  } catch {
    throw new Error(t("file_gone"));
  }
}

let number = 0;

/* Return a word of its own, which makes one undo step of what is added together. */
export function newGroup() {
  const random = crypto.getRandomValues(new Uint32Array(2));
  return [...random].map((part) => part.toString(36)).join("");
}

/* Return a name of its own for an image that has none, such as webcam-2026-11-27-152233-041-7.jpg. */
export function newName(start, ending) {
  const now = new Date(Date.now() - 60_000 * new Date().getTimezoneOffset()).toISOString();
  const [day, time] = now.replace("Z", "").split("T");
  return `${start}-${day}-${time.replace(/:/g, "").replace(".", "-")}-${++number}.${ending}`;
}

addEventListener("beforeunload", (event) => {
  if (unsafe()) event.preventDefault();
});
