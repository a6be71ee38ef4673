/* The network of the folder, and the check that this browser gets its probabilities. */

import * as ort from "./ort.wasm.bundle.min.mjs";
import { decode, isDecodedHere } from "./decode.mjs";
import { fit } from "./resize.mjs";

// How far a probability may differ; a temperature below 1 enlarges all differences. A network in int8
// may differ further from one engine to another: its folder says how far.
const ALLOWED = 1e-3;
// The same of images that the browser decodes. The JPEG decoders of some browsers enlarge colours in
// a coarser way, which changes probabilities of the examples, small images of strong colours, by 0.03.
const ALLOWED_OF_BROWSER = 0.05;

ort.env.wasm.numThreads = 1; // several need headers that few servers send

const read = async (name) => {
  const answer = await fetch(new URL(name, import.meta.url), { cache: "no-cache" }); // after another export
  if (!answer.ok) throw new Error(`${name}: ${answer.status}`);
  return answer;
};

export class Network {
  /* Open the network of the folder. */
  static async open() {
    const network = new Network();
    network.facts = await (await read("convlens.json")).json();
    const model = await (await read(network.facts.model)).arrayBuffer();
    network.session = await ort.InferenceSession.create(new Uint8Array(model), { executionProviders: ["wasm"] });
    return network;
  }

  /* Return the class of an image { width, height, channels, data } and all probabilities. */
  async classify(image) {
    const { preprocessing: seen, class_names: names, threshold } = this.facts;
    const start = performance.now();
    const { data, channels } = fit(image, seen);
    const images = new ort.Tensor("uint8", data, [1, seen.height, seen.width, channels]);
    const { probabilities } = await this.session.run({ images }, ["probabilities"]);
    const row = Array.from(probabilities.data);
    const best = row.indexOf(Math.max(...row));
    return {
      label: names[best],
      probability: row[best],
      known: threshold === null || row[best] >= threshold,
      probabilities: row,
      milliseconds: performance.now() - start,
    };
  }

  /* Return the classes of an image file. */
  async classifyFile(file) {
    return this.classify(await decode(file, this.facts.preprocessing.unit));
  }

  /* Classify the examples and compare them with what is recorded. */
  async check(progress = () => {}) {
    const scale = Math.min(1, this.facts.temperature);
    const recorded = Object.entries(await (await read("examples.json")).json());
    const allowed = Math.max(ALLOWED / scale, this.facts.tolerance);
    const found = { equal: 0, count: recorded.length, largest: 0, allowed, holds: true };
    for (const [name, expected] of recorded) {
      const file = await (await read(`examples/${encodeURIComponent(name)}`)).blob();
      const { probabilities } = await this.classifyFile(file);
      const difference = Math.max(...expected.map((share, index) => Math.abs(share - probabilities[index])));
      const most = (await isDecodedHere(file)) ? allowed : Math.max(allowed, ALLOWED_OF_BROWSER / scale);
      if (difference <= allowed) found.equal += 1;
      if (!(difference <= most)) found.holds = false; // also if it is NaN
      if (!(difference <= found.largest)) found.largest = difference;
      progress(found.equal, found.count);
    }
    return found;
  }
}
