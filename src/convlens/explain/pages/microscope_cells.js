/* The arithmetic of each class of layers in the microscope page, and what is shown of it. */
"use strict";

function windowOf(layer, row, column) {
  const first = [row, column].map((one, axis) => one * layer.strides[axis] - layer.before[axis]);
  const past = first.map((one, axis) => one + (layer.window[axis] - 1) * layer.rates[axis] + 1);
  return { first, past };
}

/* Return every number of a cell by channel: patch, kernel and products; the kernel of a pooling is 1 everywhere. */
function compute(layer, filter, row, column) {
  const input = tensor(layer.inputs[0]), { first } = windowOf(layer, row, column), channels = [];
  const kernel = layer.pool ? null : tensor(`${layer.name}/kernel`), [height, width] = layer.window;
  const depth = kernel ? kernel.shape[2] : 1, filters = kernel ? kernel.shape[3] : 0;
  const start = kernel ? Math.floor(filter / (filters / layer.groups)) * depth : filter;
  for (let c = 0; c < depth; c++) {
    const one = { channel: start + c, patch: [], inside: [], places: [], kernel: [], products: [], sum: 0 };
    for (let r = 0; r < height; r++)
      for (let k = 0; k < width; k++) {
        const y = first[0] + r * layer.rates[0], x = first[1] + k * layer.rates[1];
        const inside = y >= 0 && y < input.shape[0] && x >= 0 && x < input.shape[1];
        const value = inside ? valueAt(input, y, x, start + c) : 0;
        const weight = kernel ? kernel.data[((r * width + k) * depth + c) * filters + filter] : 1;
        one.patch.push(value);
        one.inside.push(inside);
        one.places.push([y, x]);
        one.kernel.push(weight);
        one.products.push(value * weight);
        one.sum += value * weight;
      }
    channels.push(one);
  }
  return channels;
}

const ACTIVATIONS = {
  "": (z) => z, relu: (z) => Math.max(0, z), sigmoid: (z) => 1 / (1 + Math.exp(-z)), tanh: Math.tanh,
  silu: (z) => z / (1 + Math.exp(-z)),
};

function gridOf(title, values, columns, more, inside, won = []) {
  const table = element("table", "", "grid"), digits = decimals(more, 2), largest = largestOf(more);
  table.append(element("caption", title));
  for (let at = 0; at < values.length; at += columns) {
    const row = element("tr");
    values.slice(at, at + columns).forEach((value, k) => {
      const border = inside && !inside[at + k], kind = border ? "border" : won.includes(at + k) ? "marked" : "";
      const cell = element("td", String((Number(value.toFixed(digits)) + 0).toFixed(digits)), kind);
      if (!border) cell.style.background = `rgb(${mix(value / largest, 0.55)})`;
      row.append(cell);
    });
    table.append(row);
  }
  return table;
}

function termsTable(channels) {
  const table = element("table", "", "terms"), sorted = [...channels].sort((a, b) => Math.abs(b.sum) - Math.abs(a.sum));
  table.append(element("tr"));
  for (const text of [words.which, words.input, words.weight, words.product]) table.rows[0].append(element("th", text));
  const line = (...texts) => {
    const row = element("tr");
    for (const text of texts) row.append(element("td", text));
    table.append(row);
  };
  for (const one of sorted.slice(0, TERMS)) line(one.channel, ...[one.patch[0], one.kernel[0], one.sum].map((n) => n.toFixed(6)));
  const others = sorted.slice(TERMS);
  if (others.length) line(say("others", { count: others.length }), "", "", others.reduce((sum, one) => sum + one.sum, 0).toFixed(6));
  return table;
}

/* Return whether the printed patch times the printed kernel gives the printed products. */
function exactly(one, all) {
  const [a, b, c] = ["patch", "kernel", "products"].map((key) => one[key].map((n) => Number(n.toFixed(decimals(all(key), 2)))));
  return a.every((n, at) => Math.abs(n * b[at] - c[at]) < 1e-9);
}

function patchParts(layer, channels) {
  const [height, width] = layer.window, source = (k) => `${layer.inputs[0]}${words.comma}${say("channel", { k })}`;
  if (height === 1 && width === 1 && channels.length > CHANNELS) return [termsTable(channels)];
  const parts = [], strongest = [...channels].sort((a, b) => Math.abs(b.sum) - Math.abs(a.sum)).slice(0, CHANNELS);
  const all = (key) => channels.flatMap((one) => one[key]);
  for (const one of channels.filter((one) => strongest.includes(one))) {
    const row = element("div", "", "row");
    row.append(
      gridOf(source(one.channel), one.patch, width, all("patch"), one.inside), element("span", "×", "sign"),
      gridOf(words[layer.kind === "Dense" ? "weights" : "kernel"], one.kernel, width, all("kernel")), element("span", exactly(one, all) ? "=" : "≈", "sign"),
      gridOf(words.products, one.products, width, all("products"), one.inside), element("span", `${words.sum} ${write(one.sum)}`),
    );
    parts.push(row);
  }
  const others = channels.filter((one) => !strongest.includes(one));
  if (others.length) {
    const rest = write(others.reduce((sum, one) => sum + one.sum, 0));
    parts.push(element("p", say("other_channels", { count: others.length, rest, shown: CHANNELS }), "grey"));
  }
  return parts;
}

/* Each entry returns the steps, the value, the scale of its rounding, the parts to show, and the windows it looks at. */
const HOW = {
  weighted(layer, k, row, column, network) {
    const channels = compute(layer, k, row, column), { first, past } = windowOf(layer, row, column), steps = [];
    const products = channels.flatMap((one) => one.products), total = channels.reduce((sum, one) => sum + one.sum, 0);
    let value = total, scale = products.reduce((sum, one) => sum + Math.abs(one), 0);
    steps.push([words.sum, `${say("of_products", { count: products.length.toLocaleString("en") })} = ${write(total)}`]);
    if (tensors[`${layer.name}/bias`]) {
      const bias = tensor(`${layer.name}/bias`).data[k];
      value += bias;
      steps.push([words.bias, equation(plus(total, bias), printed(total) + printed(bias), value)]);
      scale += Math.abs(bias);
    }
    value = activate(layer, value, network, steps);
    const strongest = channels.reduce((best, one) => (Math.abs(one.sum) > Math.abs(best.sum) ? one : best));
    const looks = [{ source: layer.inputs[0], channel: strongest.channel, box: [first[0], past[0], first[1], past[1]] }];
    return { steps, value, scale, parts: patchParts(layer, channels), looks };
  },
  pool(layer, k, row, column) {
    const [one] = compute(layer, k, row, column), { first, past } = windowOf(layer, row, column);
    const inside = one.patch.filter((_, at) => one.inside[at]), total = inside.reduce((sum, n) => sum + n, 0), most = Math.max(...inside);
    const value = layer.pool === "max" ? most : total / inside.length, count = say("of_values", { count: inside.length });
    const won = layer.pool === "max" ? one.patch.flatMap((n, at) => (one.inside[at] && n === most ? [at] : [])).slice(0, 1) : [];
    const steps = layer.pool === "max" ? [[words.max, `${count}${words.comma}${words.winner}: ${write(value)}`]]
      : [[words.sum, `${count}: ${write(total)}`], [words.mean, equation(`${write(total)} / ${inside.length}`, printed(total) / inside.length, value)]];
    const looks = [{ source: layer.inputs[0], channel: k, box: [first[0], past[0], first[1], past[1]], won: won.map((at) => one.places[at])[0] }];
    const parts = one.patch.length <= LARGEST ? [gridOf(say("window", { k }), one.patch, layer.window[1], one.patch, one.inside, won)] : [];
    return { steps, value, scale: inside.reduce((sum, n) => sum + Math.abs(n), 0), parts, looks };
  },
  moved(layer, k, row, column) {
    const firsts = layer.inputs.map((_, at) => 1 + layer.inputs.slice(0, at).reduce((sum, name) => sum + tensor(name).data.length, 0));
    const from = valueAt(tensor(`${layer.name}/from`), row, column, k), input = firsts.filter((first) => first <= from).length - 1;
    if (!from) return { steps: [[words.moved, `${words.zero} = 0`]], value: 0, scale: 0, parts: [], looks: [] };
    const t = tensor(layer.inputs[input]), at = from - firsts[input], [, wide, deep] = t.shape;
    const place = { row: Math.floor(at / (wide * deep)), column: Math.floor(at / deep) % wide, channel: at % deep }, value = t.data[at];
    const said = `${t.shape[0] * wide > 1 ? `${say("place", place)}${words.comma}${say("channel", { k: place.channel })}` : say("number", { k: place.channel })}`;
    const steps = [[layer.idle ? words.passed : words.moved, `${say("at", { source: layer.inputs[input], place: said })} = ${write(value)}`]];
    const looks = [{ source: layer.inputs[input], channel: place.channel, box: [place.row, place.row + 1, place.column, place.column + 1] }];
    return { steps, value, scale: Math.abs(value), parts: layer.idle ? [element("p", words.idle, "grey")] : [], looks };
  },
  joined(layer, k, row, column) {
    const at = (t) => [Math.min(row, t.shape[0] - 1), Math.min(column, t.shape[1] - 1), Math.min(k, t.shape[2] - 1)];
    const all = layer.inputs.map((name) => valueAt(tensor(name), ...at(tensor(name))));
    const join = { " + ": (a, b) => a + b, " - ": (a, b) => a - b, " × ": (a, b) => a * b }[layer.sign], value = all.reduce(join);
    const text = all.map((n, i) => (i && n < 0 ? `(${write(n)})` : write(n))).join(layer.sign);
    const steps = [[words.joined, equation(text, all.map(printed).reduce(join), value)]];
    const looks = layer.inputs.map((source) => {
      const [r, c, channel] = at(tensor(source));
      return { source, channel, box: [r, r + 1, c, c + 1] };
    });
    return { steps, value, scale: Math.max(Math.abs(value), layer.sign === " × " ? 0 : all.reduce((sum, n) => sum + Math.abs(n), 0)), parts: [], looks };
  },
  activated(layer, k, row, column, network) {
    const z = same(layer, k, row, column), steps = [], value = activate(layer, z.value, network, steps);
    if (!steps.length) steps.push(["z", write(value)]);
    return { steps, value, scale: Math.abs(z.value), parts: [], looks: [z.look] };
  },
  rescaled(layer, k, row, column) {
    const z = same(layer, k, row, column), value = z.value * layer.scale + layer.offset;
    const text = `${write(z.value)} × ${write(layer.scale)} ${layer.offset < 0 ? "-" : "+"} ${write(Math.abs(layer.offset))}`;
    const steps = [[words.rescaled, equation(text, printed(z.value) * printed(layer.scale) + printed(layer.offset), value)]];
    return { steps, value, scale: Math.abs(z.value * layer.scale) + Math.abs(layer.offset), parts: [], looks: [z.look] };
  },
  normalised(layer, k, row, column) {
    const { value: z, look } = same(layer, k, row, column), t = tensor(`${layer.name}/numbers`);
    const [mean, variance, gamma, beta] = [0, 1, 2, 3].map((at) => valueAt(t, 0, at, k));
    const centred = z - mean, deviation = Math.sqrt(variance + layer.epsilon), normal = centred / deviation, value = gamma * normal + beta;
    const steps = [
      [words.kept_mean, write(mean)], [words.kept_variance, write(variance)],
      [words.centred, equation(minus(z, mean), printed(z) - printed(mean), centred)],
      [words.deviation, `√(${write(variance)} + ${layer.epsilon}) ≈ ${write(deviation)}`],
      [words.normalised, equation(`${write(centred)} / ${write(deviation)}`, printed(centred) / printed(deviation), normal)],
      [words.scaled, equation(`${write(gamma)} × ${write(normal)} ${beta < 0 ? "-" : "+"} ${write(Math.abs(beta))}`, printed(gamma) * printed(normal) + printed(beta), value)],
    ];
    return { steps, value, scale: Math.abs(gamma / deviation) * (Math.abs(z) + Math.abs(mean)) + Math.abs(beta), parts: [], looks: [look] };
  },
  softmax(layer, k, row, column) {
    const t = tensor(layer.inputs[0]), logits = Array.from({ length: t.shape[2] }, (_, at) => valueAt(t, row, column, at));
    const largest = Math.max(...logits), powers = logits.map((z) => Math.exp(z - largest)), total = powers.reduce((sum, n) => sum + n, 0);
    const value = powers[k] / total, steps = [
      [words.largest, write(largest)],
      [words.shifted, equation(minus(logits[k], largest), printed(logits[k]) - printed(largest), logits[k] - largest)],
      [words.power, `e^(${write(logits[k] - largest)}) ${logits[k] === largest ? "=" : "≈"} ${write(powers[k])}`],
      [words.total, `${say("of_values", { count: logits.length })}: ${write(total)}`],
      [words.share, equation(`${write(powers[k])} / ${write(total)}`, printed(powers[k]) / printed(total), value)],
    ];
    const parts = logits.length <= LARGEST / 4 ? [gridOf(`${layer.inputs[0]}: z`, logits, logits.length, logits), gridOf(words.power, powers, logits.length, powers)] : [];
    const looks = [{ source: layer.inputs[0], channel: k, box: [row, row + 1, column, column + 1] }];
    return { steps, value, scale: value * (1 + Math.max(...logits) - Math.min(...logits)), parts, looks };
  },
};

/* Return the value at the same place of the only input, and its window. */
function same(layer, k, row, column) {
  const source = layer.inputs[0];
  return { value: valueAt(tensor(source), row, column, k), look: { source, channel: k, box: [row, row + 1, column, column + 1] } };
}

function activate(layer, z, network, steps) {
  if (layer.computed && layer.activation) {
    const value = ACTIVATIONS[layer.activation](z);
    steps.push([layer.activation, `${say("with", { formula: layer.formula[document.documentElement.lang], z: write(z) })}: ${write(value)}`]);
    return value;
  }
  if (layer.computed) return z;
  steps.push([layer.activation, `${say("with", { formula: layer.formula?.[document.documentElement.lang] || words.share_of_all, z: write(z) })}: ${write(network)}${words.comma}${words.by_network}`]);
  return network;
}
