/* Strokes: what was drawn, as lines of points, and how it is painted. */

export const SIDE = 256; // pixels of the file

const PAPERS = { black: ["#000", "#fff"], white: ["#fff", "#000"] }; // the paper and the pen

/* Paint strokes, each with a width and points in pixels of the file. */
export function paint(canvas, strokes, paper) {
  const [ground, pen] = PAPERS[paper];
  const context = canvas.getContext("2d");
  context.fillStyle = ground;
  context.fillRect(0, 0, SIDE, SIDE);
  context.strokeStyle = pen;
  context.fillStyle = pen;
  context.lineCap = "round";
  context.lineJoin = "round";
  for (const { width, points } of strokes) line(context, width, points);
}

function line(context, width, points) {
  const [first, ...others] = points;
  context.beginPath();
  if (!others.length) {
    context.arc(first.x, first.y, width / 2, 0, 2 * Math.PI);
    context.fill();
    return;
  }
  context.lineWidth = width;
  context.moveTo(first.x, first.y);
  others.forEach((point, index) => {
    const next = others[index + 1];
    if (next) {
      const middle = { x: (point.x + next.x) / 2, y: (point.y + next.y) / 2 };
      context.quadraticCurveTo(point.x, point.y, middle.x, middle.y);
    } else {
      context.lineTo(point.x, point.y);
    }
  });
  context.stroke();
}

export function blobOf(canvas) {
  return new Promise((done) => canvas.toBlob(done, "image/png"));
}
