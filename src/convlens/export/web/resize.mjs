/* Bring an image to the size of the network as Pillow does it, bit for bit: antialiased bilinear
   resize in two passes of fixed-point arithmetic, each rounded to 8 bits.

   An image is { width, height, channels, data }: uint8 values, row by row. */

const BITS = 22; // of the fraction of a weight

/* Return an image as the network takes it. seen is the preprocessing of convlens.json. */
export function fit(image, seen) {
  const prepared = seen.channels === image.channels ? image : seen.channels === 1 ? toGrey(image) : toColours(image);
  const { width, height } = seen;
  if (prepared.width === width && prepared.height === height) return prepared;
  if (seen.fit === "crop") return resize(prepared, width, height, middleOf(prepared, width / height));
  return seen.fit === "pad" ? pad(prepared, width, height) : resize(prepared, width, height);
}

export function toGrey({ width, height, data }) {
  const grey = new Uint8Array(width * height);
  for (let pixel = 0; pixel < grey.length; pixel++) {
    const at = 3 * pixel;
    grey[pixel] = (data[at] * 19595 + data[at + 1] * 38470 + data[at + 2] * 7471 + 0x8000) >> 16;
  }
  return { width, height, channels: 1, data: grey };
}

function toColours({ width, height, data }) {
  const colours = new Uint8Array(3 * data.length);
  data.forEach((level, pixel) => colours.fill(level, 3 * pixel, 3 * pixel + 3));
  return { width, height, channels: 3, data: colours };
}

/* Return the largest box in the middle that has a ratio of width to height: left, top, right, bottom. */
function middleOf(image, ratio) {
  let { width, height } = image;
  if (image.width / image.height >= ratio) width = ratio * height;
  else height = width / ratio;
  const left = (image.width - width) * 0.5;
  const top = (image.height - height) * 0.5;
  return [left, top, left + width, top + height];
}

function roundToEven(value) {
  const below = Math.floor(value);
  if (value - below !== 0.5) return Math.round(value);
  return below % 2 === 0 ? below : below + 1;
}

/* Resize an image until it fits into a size, in the middle of black. */
function pad(image, width, height) {
  const scale = Math.min(width / image.width, height / image.height);
  let inner = image;
  const kept = [image.width * scale, image.height * scale].map(roundToEven);
  // A very long image keeps one row or column.
  if (Math.min(...kept) === 0) inner = resize(image, Math.max(kept[0], 1), Math.max(kept[1], 1));
  const size = [width, height];
  if (inner.width / inner.height > width / height) size[1] = roundToEven((inner.height / inner.width) * width);
  else if (inner.width / inner.height < width / height) size[0] = roundToEven((inner.width / inner.height) * height);
  inner = resize(inner, ...size);
  const data = new Uint8Array(width * height * image.channels);
  const left = roundToEven((width - inner.width) * 0.5);
  const top = roundToEven((height - inner.height) * 0.5);
  const row = inner.width * image.channels;
  for (let y = 0; y < inner.height; y++) {
    data.set(inner.data.subarray(y * row, (y + 1) * row), ((top + y) * width + left) * image.channels);
  }
  return { width, height, channels: image.channels, data };
}

/* Resize the part of an image that lies in a box. Pillow keeps the box in float32. */
export function resize(image, width, height, box = [0, 0, image.width, image.height]) {
  const [left, top, right, bottom] = box.map(Math.fround);
  const passes = [];
  if (width !== image.width || left || right !== width) {
    passes.push((found) => resizeRows(found, width, weigh(image.width, left, right, width)));
  }
  if (height !== image.height || top || bottom !== height) {
    passes.push((found) => resizeColumns(found, height, weigh(image.height, top, bottom, height)));
  }
  // From version 13 on, Pillow resizes the columns first if the height shrinks by more than twice what
  // the width shrinks by; before, it never did. As each pass is rounded to whole levels, the order
  // changes a pixel by one level.
  if (image.height - height > Math.max(0, 2 * (image.width - width))) passes.reverse();
  return passes.reduce((found, pass) => pass(found), image);
}

/* Return where the pixels that make an output pixel start, and their weights, for each output pixel. */
function weigh(size, start, end, count) {
  const scale = Math.fround(end - start) / count;
  const reach = Math.max(scale, 1);
  const steepness = 1 / reach;
  return Array.from({ length: count }, (_, index) => {
    const centre = start + (index + 0.5) * scale;
    const first = Math.max(Math.trunc(centre - reach + 0.5), 0);
    const last = Math.min(Math.trunc(centre + reach + 0.5), size);
    const shares = [];
    for (let at = first; at < last; at++) shares.push(Math.max(0, 1 - Math.abs((at - centre + 0.5) * steepness)));
    const total = shares.reduce((sum, share) => sum + share, 0);
    const weights = shares.map((share) => Math.trunc(0.5 + (total ? share / total : share) * (1 << BITS)));
    return { first, weights };
  });
}

function resizeRows({ width, height, channels, data }, count, weighed) {
  const found = new Uint8Array(count * height * channels);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < count; x++) {
      const { first, weights } = weighed[x];
      for (let channel = 0; channel < channels; channel++) {
        let at = (y * width + first) * channels + channel;
        let sum = 1 << (BITS - 1);
        for (let index = 0; index < weights.length; index++, at += channels) sum += data[at] * weights[index];
        found[(y * count + x) * channels + channel] = Math.min(sum >> BITS, 255);
      }
    }
  }
  return { width: count, height, channels, data: found };
}

function resizeColumns({ width, channels, data }, count, weighed) {
  const row = width * channels;
  const found = new Uint8Array(row * count);
  for (let y = 0; y < count; y++) {
    const { first, weights } = weighed[y];
    for (let x = 0; x < row; x++) {
      let at = first * row + x;
      let sum = 1 << (BITS - 1);
      for (let index = 0; index < weights.length; index++, at += row) sum += data[at] * weights[index];
      found[y * row + x] = Math.min(sum >> BITS, 255);
    }
  }
  return { width, height: count, channels, data: found };
}
