/* The page: classifies dropped images, chosen files, photos and the live camera. */

import { grab, Refusal } from "./decode.mjs";
import { Network } from "./network.mjs";

const SHOWN = 10; // classes that are shown at once; the others open on a click
const said = JSON.parse(document.getElementById("words").textContent);
const find = (id) => document.getElementById(id);
const say = (key, values = {}) =>
  said[document.documentElement.lang][key].replace(/\{(\w+)\}/g, (_, name) => values[name]);
const percent = (share) => `${(100 * share).toFixed(1)}\u00a0%`;
const digits = (value) => (value === 0 || value >= 1e-3 ? value.toPrecision(2) : value.toExponential(0));

const drawn = new Map(); // what shows a result, by its element: it is shown again in another language
let network;
let status = { key: "loading", values: {} };

function element(name, kind = "", text = "") {
  const one = document.createElement(name);
  if (kind) one.className = kind;
  one.textContent = text;
  return one;
}

/* Show something in an element, and again when the language is changed. */
function show(place, build) {
  drawn.set(place, build);
  place.replaceChildren(...build());
}

function setStatus(key, values = {}, isWrong = false) {
  status = { key, values };
  find("status").className = isWrong ? "wrong" : "";
  show(find("status"), () => [say(status.key, status.values)]);
}

function bars(shares, best) {
  const list = element("dl", "bars");
  for (const index of shares) {
    const { class_names: names } = network.facts;
    const bar = element("dd", index === best.index ? "bar best" : "bar");
    const filled = element("span");
    filled.style.width = `${100 * best.probabilities[index]}%`;
    bar.append(filled);
    bar.setAttribute("aria-hidden", "true");
    const share = element("dd", "share", percent(best.probabilities[index]));
    share.title = best.probabilities[index];
    list.append(element("dt", "", names[index]), bar, share);
  }
  return list;
}

/* Return what is shown of a prediction. */
function describe(found) {
  const { threshold } = network.facts;
  const order = found.probabilities.map((_, index) => index);
  order.sort((a, b) => found.probabilities[b] - found.probabilities[a]);
  const best = { index: found.known ? order[0] : -1, probabilities: found.probabilities };
  const parts = [element("h2", "label", found.known ? found.label : say("none"))];
  if (!found.known) {
    parts.push(element("p", "note", say("nearest", { label: found.label, threshold: percent(threshold) })));
  }
  parts.push(bars(order.slice(0, SHOWN), best));
  if (order.length > SHOWN) {
    const more = element("details");
    more.append(element("summary", "", say("more", { count: order.length - SHOWN })), bars(order.slice(SHOWN), best));
    parts.push(more);
  }
  parts.push(element("p", "note", say("time", { milliseconds: found.milliseconds.toFixed(0) })));
  return parts;
}

/* Add a place for an image to the results. The newest image is above the others. */
function addResult(file) {
  const name = file.name || say("photo");
  const result = element("article", "result");
  const image = element("img", "shown");
  image.src = URL.createObjectURL(file);
  image.alt = say("alt", { name });
  image.addEventListener("load", () => URL.revokeObjectURL(image.src));
  image.addEventListener("error", () => image.remove());
  const frame = element("div");
  frame.append(image);
  const place = element("div");
  const text = element("div");
  place.append(element("p", "file", name), text);
  result.append(frame, place);
  show(text, () => [element("p", "note", say("waiting"))]);
  return { name, file, result, text };
}

async function classify({ name, file, text }) {
  try {
    const found = await network.classifyFile(file);
    show(text, () => describe(found));
  } catch (error) {
    const key = error instanceof Refusal ? error.key : "unreadable";
    show(text, () => [element("p", "error", say(key, { name }))]);
  }
}

let last = Promise.resolve();

/* Classify files one after another, in the order in which they came. */
function take(files) {
  const added = Array.from(files, addResult);
  find("results").prepend(...added.map((one) => one.result));
  for (const one of added) last = last.then(() => classify(one));
}

let isOpening = false; // whether the camera is asked for, as by the first click of two

/* Classify what the camera sees until it is stopped. */
async function watch() {
  if (isOpening) return;
  isOpening = true;
  const video = find("video");
  let stream = null;
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
    stream.getVideoTracks()[0].addEventListener("ended", stop);
    video.srcObject = stream;
    find("start").hidden = true;
    find("camera").hidden = false;
    await video.play();
    isOpening = false;
    await classifyWhile(() => video.srcObject === stream);
  } catch (error) {
    isOpening = false;
    if (stream && video.srcObject !== stream) return; // it was stopped meanwhile
    if (stream) stop();
    sayNoCamera(error);
  }
}

/* Classify what the camera sees for as long as something holds. */
async function classifyWhile(isShown) {
  const video = find("video");
  while (isShown()) {
    if (video.videoWidth && !document.hidden) {
      const found = await network.classify(grab(video, video.videoWidth, video.videoHeight));
      if (isShown()) show(find("seen"), () => describe(found));
    }
    await new Promise((resolve) => setTimeout(resolve, 150));
  }
}

function sayNoCamera(error) {
  find("camera").hidden = false;
  show(find("seen"), () => [element("p", "error", say("no_camera", { reason: error.message || error.name }))]);
}

function stop() {
  const video = find("video");
  video.srcObject?.getTracks().forEach((track) => track.stop());
  video.srcObject = null;
  find("camera").hidden = true;
  find("start").hidden = false;
  find("start").focus();
}

function listen() {
  const drop = find("drop");
  for (const name of ["dragenter", "dragover", "dragleave", "drop"]) {
    document.addEventListener(name, (event) => {
      event.preventDefault();
      drop.classList.toggle("over", name === "dragenter" || name === "dragover");
    });
  }
  document.addEventListener("drop", (event) => take(event.dataTransfer.files));
  for (const id of ["files", "photo"]) {
    find(id).addEventListener("change", (event) => {
      take(event.target.files);
      event.target.value = "";
    });
  }
  // Browsers give the camera to pages of https and of this computer only.
  find("start").hidden = !navigator.mediaDevices?.getUserMedia;
  find("start").addEventListener("click", watch);
  find("stop").addEventListener("click", stop);
}

async function open() {
  find("tools").dataset.ready = "yes";
  setStatus("loading");
  let found;
  try {
    network = await Network.open();
    found = await network.check((equal, count) => setStatus("checking", { equal, count }));
  } catch (error) {
    setStatus("no_network", { reason: error.message }, true);
    return;
  }
  const values = { ...found, largest: digits(found.largest), allowed: digits(found.allowed) };
  if (!found.holds) {
    setStatus("differs", values, true);
    return;
  }
  setStatus(found.equal === found.count ? "checked" : "decodes", values);
  listen();
  find("tools").hidden = false;
}

document.addEventListener("language", () => {
  for (const [place, build] of drawn) if (place.isConnected) place.replaceChildren(...build());
});
open();
