/* Read an image file as convlens does: upright, on white where it is transparent, of 8 bits.

   PNG files are decoded by the page. Other files are decoded by the browser, without colour
   management, and never scaled by it. */

import { decodePng, isPng, sizeOfPng } from "./png.mjs";

const MOST = 100_000_000; // pixels of an image
const STRIP = 1 << 22; // pixels that a canvas holds at a time; some browsers allow few
/* How a coordinate in an upright image is found in the file, by EXIF's orientation: whether x and y
   are exchanged, and whether the file is then read from its right or its bottom side. */
const TURNS = {
  2: [false, true, false], 3: [false, true, true], 4: [false, false, true],
  5: [true, false, false], 6: [true, false, true], 7: [true, true, true], 8: [true, true, false],
};

/* An image that the page does not classify; `key` is that of a sentence for the user. */
export class Refusal extends Error {
  constructor(key) {
    super(key);
    this.key = key;
  }
}

/* Return whether the page decodes a file itself. */
export const isDecodedHere = async (file) => isPng(new Uint8Array(await file.arrayBuffer()));

/* Return { width, height, channels, data } of a file; unit is that of the preprocessing. */
export async function decode(file, unit) {
  const bytes = new Uint8Array(await file.arrayBuffer());
  if (isPng(bytes)) return decodeOwn(bytes, unit);
  if (isCmyk(bytes)) throw new Refusal("cmyk");
  let bitmap;
  try {
    bitmap = await createImageBitmap(file, {
      colorSpaceConversion: "none", imageOrientation: "from-image", premultiplyAlpha: "none",
    });
  } catch {
    throw new Refusal("unreadable");
  }
  try {
    return grab(bitmap, bitmap.width, bitmap.height);
  } finally {
    bitmap.close();
  }
}

/* Return the pixels of something that can be drawn, on white: a decoded image or a frame of a video. */
export function grab(source, width, height) {
  if (width * height > MOST) throw new Refusal("large");
  const rows = Math.min(height, Math.max(1, Math.floor(STRIP / width)));
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = rows;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.imageSmoothingEnabled = false;
  const data = new Uint8Array(3 * width * height);
  for (let top = 0, at = 0; top < height; top += rows) {
    const count = Math.min(rows, height - top);
    context.fillStyle = "#fff";
    context.fillRect(0, 0, width, rows);
    context.drawImage(source, 0, top, width, count, 0, 0, width, count);
    const strip = context.getImageData(0, 0, width, count).data;
    for (let pixel = 0; pixel < strip.length; pixel += 4) {
      data[at++] = strip[pixel];
      data[at++] = strip[pixel + 1];
      data[at++] = strip[pixel + 2];
    }
  }
  return { width, height, channels: 3, data };
}

async function decodeOwn(bytes, unit) {
  let image;
  try {
    const { width, height } = sizeOfPng(bytes);
    if (width * height > MOST) throw new Refusal("large");
    image = await decodePng(bytes);
  } catch (error) {
    throw error instanceof Refusal ? error : new Refusal("unreadable");
  }
  const { width, height } = image;
  if (image.deep && !Array.isArray(unit)) throw new Refusal("deep");
  const data = image.deep ? toBytes(image.values, unit) : image.values;
  if (image.alpha) putOnWhite(data, image.alpha, image.channels);
  return turn({ width, height, channels: image.channels, data }, TURNS[image.orientation]);
}

/* Return the levels of values of 16 bits: black becomes 0 and white 255. */
function toBytes(values, [black, white]) {
  const isWide = white - black >= 255;
  return Uint8Array.from(values, (value) => {
    const level = isWide
      ? Math.floor((value - black) * (256 / (white - black + 1)))
      : Math.round((value - black) * (255 / (white - black)));
    return Math.min(Math.max(level, 0), 255);
  });
}

/* Compose levels with white in place, with the arithmetic of Pillow. */
function putOnWhite(data, alpha, channels) {
  for (let at = 0; at < data.length; at++) {
    const opacity = alpha[Math.floor(at / channels)];
    const sum = (data[at] * opacity + 255 * (255 - opacity)) * 128 + 0x4000;
    data[at] = ((sum >> 8) + sum) >> 15;
  }
}

function turn(image, how) {
  if (!how) return image;
  const [isExchanged, fromRight, fromBottom] = how;
  const { channels, data } = image;
  const width = isExchanged ? image.height : image.width;
  const height = isExchanged ? image.width : image.height;
  const turned = new Uint8Array(data.length);
  let at = 0;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      let column = isExchanged ? y : x;
      let row = isExchanged ? x : y;
      if (fromRight) column = image.width - 1 - column;
      if (fromBottom) row = image.height - 1 - row;
      const from = (row * image.width + column) * channels;
      for (let channel = 0; channel < channels; channel++) turned[at++] = data[from + channel];
    }
  }
  return { width, height, channels, data: turned };
}

/* Return whether a file is a JPEG of four colours, which browsers turn into RGB in different ways. */
function isCmyk(bytes) {
  if (bytes[0] !== 0xff || bytes[1] !== 0xd8) return false;
  for (let at = 2; at + 9 < bytes.length; ) {
    if (bytes[at] !== 0xff) return false;
    const marker = bytes[at + 1];
    const isFrame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
    if (isFrame) return bytes[at + 9] === 4;
    if (marker === 0xff) at += 1;
    else at += 2 + (bytes[at + 2] << 8) + bytes[at + 3];
  }
  return false;
}
