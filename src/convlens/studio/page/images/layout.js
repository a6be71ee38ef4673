/* Layout: where the cells of the grid lie. All lengths are in pixels. */

export const SIZES = { small: 104, medium: 148, large: 224 }; // the least width of a cell
const GAP = 8;
const CAPTION = 1.75; // the height of the line below an image, in units of the type

/* Return the layout of `total` cells in a width. */
export function layoutOf(width, total, least, unit) {
  const columns = Math.max(2, Math.floor((width + GAP) / (least + GAP)));
  const side = Math.floor((width - GAP * (columns - 1)) / columns);
  const height = side + Math.round(CAPTION * unit);
  const rows = Math.ceil(total / columns);
  return {
    columns,
    side,
    height,
    stepX: side + GAP,
    stepY: height + GAP,
    all: Math.max(0, rows * (height + GAP) - GAP),
  };
}

/* Return the indices [first, last) of the cells between two heights. */
export function between({ columns, stepY }, top, bottom, total) {
  const first = Math.max(0, Math.floor(top / stepY)) * columns;
  const last = Math.min(total, Math.ceil(bottom / stepY) * columns);
  return [Math.min(first, total), Math.max(last, 0)];
}

export function placeOf({ columns, stepX, stepY }, index) {
  return { x: (index % columns) * stepX, y: Math.floor(index / columns) * stepY };
}

/* Return the indices of the cells that a rectangle touches. */
export function touched(layout, { left, top, right, bottom }, total) {
  const found = [];
  const [first, last] = between(layout, top, bottom, total);
  for (let index = first; index < last; index += 1) {
    const { x, y } = placeOf(layout, index);
    const inside = x < right && x + layout.side > left && y < bottom && y + layout.height > top;
    if (inside) found.push(index);
  }
  return found;
}
