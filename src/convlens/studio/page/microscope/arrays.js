/* Arrays: numbers of the network as the server sends them, and how they are drawn. */

const BLUE = [0, 114, 178]; // above 0, and orange below, as everywhere in convlens
const ORANGE = [213, 130, 0];

/* Return an array: its shape, its numbers, and the largest of their absolute values. */
export function unpack({ shape, data, largest }) {
  const bytes = Uint8Array.from(atob(data), (sign) => sign.charCodeAt(0));
  return { shape, values: new Float32Array(bytes.buffer), largest };
}

/* Return the numbers [row][column] of a plane. `at` gives the index of a row and a column. */
export function plane(array, rows, columns, at) {
  return Array.from({ length: rows }, (_row, row) =>
    Array.from({ length: columns }, (_column, column) => array.values[at(row, column)]),
  );
}

export function minus(one, other) {
  return one.map((row, at) => row.map((value, place) => value - other[at][place]));
}

/* Paint numbers into a canvas, a pixel each; the largest one has the full colour. */
export function paintNumbers(canvas, numbers, largest) {
  const context = canvas.getContext("2d");
  const image = context.createImageData(numbers[0].length, numbers.length);
  numbers.flat().forEach((value, place) => {
    const share = Math.min(1, Math.abs(value) / (largest || 1));
    const colour = value < 0 ? ORANGE : BLUE;
    const mixed = colour.map((one) => Math.round(255 + share * (one - 255)));
    image.data.set([...mixed, 255], 4 * place);
  });
  context.putImageData(image, 0, 0);
}
