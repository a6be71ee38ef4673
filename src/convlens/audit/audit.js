"use strict";
(() => {
  const byId = (id) => document.getElementById(id);
  const chinese = () => document.documentElement.lang.startsWith("zh");
  const selects = { code: byId("by-code"), class: byId("by-class"), split: byId("by-split") };
  const chosen = () => Object.fromEntries(Object.entries(selects).map(([name, one]) => [name, one ? one.value : ""]));
  const redraws = [];

  // Options of a list cannot have one text for each language, so the chosen one is put into them.
  function speak() {
    for (const option of document.querySelectorAll("option[data-en]")) {
      option.textContent = chinese() ? option.dataset.zh : option.dataset.en;
    }
  }

  const entries = Array.from(document.querySelectorAll("[data-classes]"), (element) => ({
    element,
    code: element.dataset.code,
    classes: JSON.parse(element.dataset.classes),
    splits: JSON.parse(element.dataset.splits),
  }));

  function filter() {
    const wanted = chosen();
    let count = 0;
    for (const entry of entries) {
      const fits = (!wanted.code || entry.code === wanted.code)
        && (!wanted.class || entry.classes.includes(wanted.class))
        && (!wanted.split || entry.splits.includes(wanted.split));
      entry.element.hidden = !fits;
      count += fits;
    }
    for (const section of document.querySelectorAll("section[data-code]")) {
      section.hidden = Boolean(wanted.code) && section.dataset.code !== wanted.code;
    }
    const output = document.querySelector("#chosen b");
    if (output) output.textContent = count.toLocaleString("en");
    redraws.forEach((redraw) => redraw());
  }

  for (const select of Object.values(selects)) {
    if (select) select.addEventListener("change", filter);
  }

  function reach(number, code) {
    const target = byId(`f${number}`) || byId(code);
    if (!target) return;
    for (const select of Object.values(selects)) {
      if (select) select.value = "";
    }
    filter();
    const list = target.closest("details");
    if (list) list.open = true;
    target.scrollIntoView({ block: "center" });
    target.classList.add("reached");
    setTimeout(() => target.classList.remove("reached"), 2500);
  }

  function drawMap() {
    const data = JSON.parse(byId("map-data").textContent);
    const canvas = byId("points");
    const tip = byId("tip");
    const pen = canvas.getContext("2d");
    const count = data.x.length;
    const titles = Object.fromEntries(Array.from(selects.code ? selects.code.options : [], (one) => [one.value, one]));
    const shapes = ["circle", "square", "triangle", "diamond"];
    const colour = (label) => data.colours[label % data.colours.length];
    const shape = (label) => shapes[Math.floor(label / data.colours.length) % shapes.length];
    const MARGIN = 18;
    let places = [];
    let near = -1;
    canvas.style.aspectRatio = String(Math.min(2, 1 / data.height));

    function trace(kind, x, y, r) {
      pen.beginPath();
      if (kind === "circle") pen.arc(x, y, r, 0, 7);
      else if (kind === "square") pen.rect(x - r * 0.9, y - r * 0.9, r * 1.8, r * 1.8);
      else if (kind === "triangle") { pen.moveTo(x, y - r * 1.2); pen.lineTo(x + r * 1.1, y + r * 0.8); pen.lineTo(x - r * 1.1, y + r * 0.8); pen.closePath(); }
      else { pen.moveTo(x, y - r * 1.3); pen.lineTo(x + r * 1.3, y); pen.lineTo(x, y + r * 1.3); pen.lineTo(x - r * 1.3, y); pen.closePath(); }
    }

    const fits = (i, wanted) => (!wanted.class || data.classes[data.label[i]] === wanted.class)
      && (!wanted.split || data.split[i] === wanted.split)
      && (!wanted.code || data.findings[i].some((number) => data.codes[number] === wanted.code));

    function draw() {
      const width = canvas.clientWidth;
      const height = canvas.clientHeight;
      const ratio = window.devicePixelRatio || 1;
      canvas.width = width * ratio;
      canvas.height = height * ratio;
      pen.setTransform(ratio, 0, 0, ratio, 0, 0);
      pen.clearRect(0, 0, width, height);
      const wanted = chosen();
      const size = Math.max(2, Math.min(5, 190 / Math.sqrt(count))) * (width < 500 ? 0.75 : 1);
      places = data.x.map((x, i) => [
        MARGIN + (x / data.resolution) * (width - 2 * MARGIN),
        MARGIN + (data.y[i] / data.resolution / data.height) * (height - 2 * MARGIN),
      ]);
      const order = [...data.x.keys()].sort((a, b) => (data.findings[a].length > 0) - (data.findings[b].length > 0));
      for (const i of order) {
        const [x, y] = places[i];
        const marked = data.findings[i].length > 0;
        pen.globalAlpha = fits(i, wanted) ? (marked ? 1 : 0.6) : 0.06;
        pen.fillStyle = colour(data.label[i]);
        trace(shape(data.label[i]), x, y, marked ? size * 1.25 : size);
        pen.fill();
        if (marked) {
          pen.strokeStyle = "#222";
          pen.lineWidth = 1.4;
          trace("circle", x, y, size * 1.25 + 2.5);
          pen.stroke();
        }
      }
      pen.globalAlpha = 1;
      if (near >= 0) {
        pen.strokeStyle = "#000";
        pen.lineWidth = 2;
        trace("circle", ...places[near], size + 6);
        pen.stroke();
      }
    }

    function find(event) {
      const box = canvas.getBoundingClientRect();
      const x = event.clientX - box.left;
      const y = event.clientY - box.top;
      const wanted = chosen();
      let best = 18 ** 2;
      let found = -1;
      for (let i = 0; i < count; i += 1) {
        const distance = (places[i][0] - x) ** 2 + (places[i][1] - y) ** 2;
        if (distance < best && fits(i, wanted)) { best = distance; found = i; }
      }
      return found;
    }

    function show(i) {
      if (i === near) return;
      near = i;
      draw();
      tip.style.display = i < 0 ? "none" : "block";
      if (i < 0) return;
      const tile = tip.querySelector(".tile");
      const zoom = 160 / data.tile;
      const rows = Math.ceil(count / data.columns);
      tile.style.backgroundImage = `url(${data.sheet})`;
      tile.style.backgroundSize = `${data.columns * data.tile * zoom}px ${rows * data.tile * zoom}px`;
      tile.style.backgroundPosition = `${-(i % data.columns) * 160}px ${-Math.floor(i / data.columns) * 160}px`;
      tip.querySelector("b").textContent = data.classes[data.label[i]];
      const codes = [...new Set(data.findings[i].map((number) => data.codes[number]))];
      tip.querySelector(".found").textContent = codes.map((code) => (titles[code] ? titles[code].textContent : code)).join(" · ");
      tip.querySelector(".sub").textContent = data.name[i];
      const [x, y] = places[i];
      tip.style.left = `${x > canvas.clientWidth / 2 ? Math.max(0, x - 206) : Math.min(x + 16, canvas.clientWidth - 190)}px`;
      tip.style.top = `${Math.max(0, Math.min(y - 90, canvas.clientHeight - 230))}px`;
    }

    canvas.addEventListener("pointermove", (event) => show(find(event)));
    canvas.addEventListener("pointerleave", () => show(-1));
    canvas.addEventListener("click", (event) => {
      const i = find(event);
      show(i);
      if (i >= 0 && data.findings[i].length) reach(data.findings[i][0], data.codes[data.findings[i][0]]);
    });

    const legend = byId("legend");
    const shapesOf = { circle: '<circle cx="8" cy="8" r="5.5"/>', square: '<rect x="3" y="3" width="10" height="10"/>', triangle: '<path d="M8 2 14 13H2z"/>', diamond: '<path d="M8 1 15 8 8 15 1 8z"/>' };
    data.classes.forEach((name, label) => {
      const button = document.createElement("button");
      button.type = "button";
      button.innerHTML = `<svg width="16" height="16" fill="${colour(label)}">${shapesOf[shape(label)]}</svg>`;
      button.append(name);
      button.addEventListener("click", () => {
        if (!selects.class) return;
        selects.class.value = selects.class.value === name ? "" : name;
        filter();
      });
      legend.append(button);
      redraws.push(() => button.setAttribute("aria-pressed", String(chosen().class === name)));
    });
    redraws.push(draw);
    new ResizeObserver(draw).observe(canvas);
  }

  document.addEventListener("language", speak);
  speak();
  if (byId("map-data")) drawMap();
  filter();
})();
