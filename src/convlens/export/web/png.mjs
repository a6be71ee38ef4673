/* PNG files, decoded as Pillow does it. A canvas would lose 16-bit values and colours that are
   partly transparent, so that the page decodes these files itself. */

const START = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
const SAMPLES = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 }; // in a pixel, by the type of its colours
const DEPTHS = { 0: [1, 2, 4, 8, 16], 2: [8, 16], 3: [1, 2, 4, 8], 4: [8, 16], 6: [8, 16] };
const GREY_STEPS = { 1: 255, 2: 85, 4: 17, 8: 1 }; // between two levels of grey, by their bits
// Where the seven passes of an interlaced image start, and how far their pixels are apart: x, y.
const PASSES = [[0, 0, 8, 8], [4, 0, 8, 8], [0, 4, 4, 8], [2, 0, 4, 4], [0, 2, 2, 4], [1, 0, 2, 2], [0, 1, 1, 2]];
const CRC = Uint32Array.from({ length: 256 }, (_, value) => {
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? 0xedb88320 ^ (value >>> 1) : value >>> 1;
  return value;
});

export const isPng = (bytes) => START.every((byte, at) => bytes[at] === byte);

/* Return { width, height } of a PNG file without decoding it. */
export function sizeOfPng(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  return { width: view.getUint32(16), height: view.getUint32(20) };
}

/* Return { width, height, channels, orientation, values, alpha, deep }. The values are those of grey
   (1 channel) or RGB (3), of 8 bits, or of 16 bits if the image is deep. alpha is null, or of 8 bits. */
export async function decodePng(bytes) {
  const chunks = readChunks(bytes);
  const header = readHeader(chunks.IHDR);
  const packed = new Blob(chunks.IDAT).stream().pipeThrough(new DecompressionStream("deflate"));
  const data = new Uint8Array(await new Response(packed).arrayBuffer());
  const samples = unpack(data, header);
  return { ...paint(samples, header, chunks), orientation: chunks.eXIf ? readOrientation(chunks.eXIf) : 1 };
}

function readChunks(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const chunks = { IDAT: [] };
  for (let at = 8; at + 12 <= bytes.length; ) {
    const length = view.getUint32(at);
    const name = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    const content = bytes.subarray(at + 8, at + 8 + length);
    if (at + 12 + length > bytes.length) throw new Error("truncated");
    const isWhole = checksum(bytes.subarray(at + 4, at + 8 + length)) === view.getUint32(at + 8 + length);
    if (!isWhole && ["IHDR", "PLTE", "IDAT"].includes(name)) throw new Error("damaged");
    if (name === "IDAT") chunks.IDAT.push(content);
    else if (isWhole) chunks[name] ??= content;
    if (name === "IEND") break;
    at += 12 + length;
  }
  if (!chunks.IHDR || !chunks.IDAT.length) throw new Error("damaged");
  return chunks;
}

function checksum(bytes) {
  let sum = 0xffffffff;
  for (const byte of bytes) sum = CRC[(sum ^ byte) & 255] ^ (sum >>> 8);
  return (sum ^ 0xffffffff) >>> 0;
}

function readHeader(content) {
  const view = new DataView(content.buffer, content.byteOffset, content.length);
  const [depth, type, , , interlaced] = content.subarray(8);
  if (!DEPTHS[type]?.includes(depth)) throw new Error("damaged");
  return { width: view.getUint32(0), height: view.getUint32(4), depth, type, interlaced, samples: SAMPLES[type] };
}

/* Return the samples of all pixels, row by row. */
function unpack(data, header) {
  const { width, height, depth, samples, interlaced } = header;
  const found = new (depth === 16 ? Uint16Array : Uint8Array)(width * height * samples);
  let at = 0;
  for (const [left, top, across, down] of interlaced ? PASSES : [[0, 0, 1, 1]]) {
    const columns = Math.ceil((width - left) / across);
    const rows = Math.ceil((height - top) / down);
    if (columns <= 0 || rows <= 0) continue;
    const length = Math.ceil((columns * samples * depth) / 8);
    if (data.length < at + rows * (length + 1)) throw new Error("truncated");
    let above = new Uint8Array(length);
    for (let row = 0; row < rows; row++, at += length + 1) {
      const line = data.subarray(at + 1, at + 1 + length);
      unfilter(data[at], line, above, Math.max(1, (samples * depth) >> 3));
      above = line;
      const start = ((top + row * down) * width + left) * samples;
      spread(line, depth, columns * samples, found, start, samples, across * samples);
    }
  }
  return found;
}

/* Undo the filter of a row in place; `step` is the number of bytes of a pixel. */
function unfilter(filter, line, above, step) {
  if (filter > 4) throw new Error("damaged");
  for (let at = 0; at < line.length; at++) {
    const left = at >= step ? line[at - step] : 0;
    if (filter === 1) line[at] += left;
    else if (filter === 2) line[at] += above[at];
    else if (filter === 3) line[at] += (left + above[at]) >> 1;
    else if (filter === 4) line[at] += paeth(left, above[at], at >= step ? above[at - step] : 0);
  }
}

function paeth(left, above, corner) {
  const toLeft = Math.abs(above - corner);
  const toAbove = Math.abs(left - corner);
  const toCorner = Math.abs(left + above - 2 * corner);
  if (toLeft <= toAbove && toLeft <= toCorner) return left;
  return toAbove <= toCorner ? above : corner;
}

/* Write the samples of a row, of which `samples` make a pixel, to pixels that are `apart`. */
function spread(line, depth, count, found, start, samples, apart) {
  for (let index = 0; index < count; index++) {
    let value;
    if (depth === 8) value = line[index];
    else if (depth === 16) value = (line[2 * index] << 8) | line[2 * index + 1];
    else {
      const bit = index * depth;
      value = (line[bit >> 3] >> (8 - depth - (bit & 7))) & ((1 << depth) - 1);
    }
    const pixel = Math.floor(index / samples);
    found[start + pixel * apart + (index - pixel * samples)] = value;
  }
}

/* Return the values and the opacity that the samples stand for. */
function paint(samples, header, chunks) {
  const { width, height, depth, type } = header;
  const count = width * height;
  const deep = depth === 16;
  if (type === 3) return { width, height, deep, ...paintPalette(samples, count, chunks) };
  const channels = type & 2 ? 3 : 1;
  const hasAlpha = Boolean(type & 4);
  const step = channels === 1 && !deep ? GREY_STEPS[depth] : 1;
  const values = hasAlpha || step > 1 ? new samples.constructor(count * channels) : samples;
  let alpha = hasAlpha ? new Uint8Array(count) : null;
  if (values !== samples) {
    for (let pixel = 0; pixel < count; pixel++) {
      for (let channel = 0; channel < channels; channel++) {
        values[pixel * channels + channel] = samples[pixel * header.samples + channel] * step;
      }
      if (hasAlpha) alpha[pixel] = samples[pixel * header.samples + channels] >> (deep ? 8 : 0);
    }
  }
  if (chunks.tRNS && !hasAlpha) alpha = findKey(values, channels, count, chunks.tRNS, depth === 1 ? 1 : step);
  return { width, height, channels, values, alpha, deep };
}

/* Return an opacity that is 0 where the colour is the transparent one of the file. */
function findKey(values, channels, count, content, step) {
  const view = new DataView(content.buffer, content.byteOffset, content.length);
  const key = Array.from({ length: channels }, (_, channel) => view.getUint16(2 * channel) * step);
  return Uint8Array.from({ length: count }, (_, pixel) =>
    key.every((level, channel) => values[pixel * channels + channel] === level) ? 0 : 255,
  );
}

function paintPalette(samples, count, { PLTE, tRNS }) {
  if (!PLTE) throw new Error("damaged");
  const values = new Uint8Array(3 * count);
  const alpha = tRNS ? new Uint8Array(count) : null;
  samples.forEach((index, pixel) => {
    for (let channel = 0; channel < 3; channel++) values[3 * pixel + channel] = PLTE[3 * index + channel] ?? 0;
    if (alpha) alpha[pixel] = tRNS[index] ?? 255;
  });
  return { channels: 3, values, alpha };
}

/* Return how the image lies as EXIF counts it, or 1 if that is not known. */
function readOrientation(content) {
  try {
    const view = new DataView(content.buffer, content.byteOffset, content.length);
    const little = view.getUint16(0) === 0x4949;
    const start = view.getUint32(4, little);
    for (let entry = 0; entry < view.getUint16(start, little); entry++) {
      const at = start + 2 + 12 * entry;
      if (view.getUint16(at, little) === 0x0112) return view.getUint16(at + 8, little);
    }
  } catch {
    // Broken metadata must not decide about the image.
  }
  return 1;
}
