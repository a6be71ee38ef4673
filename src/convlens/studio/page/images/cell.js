/* Cell: one image in the grid, with its class and what was done with it.

   It comes in 128 pixels, which the server has ready, and in 256 once the grid stands still. */

import { Component } from "preact";
import { thumbUrl } from "../api.js";
import { html } from "../html.js";
import { Icon } from "../icons.js";
import { ClassSign } from "../parts.js";
import { classOf } from "../project.js";
import { listed, t } from "../words.js";

export class Cell extends Component {
  constructor() {
    super();
    this.state = { broken: "" };
    // A request that nobody waits for any more would hold up those of the cells that are seen.
    this.hold = (image) => {
      if (!image) this.image.removeAttribute("src");
      this.image = image;
    };
  }

  shouldComponentUpdate(next, state) {
    const same = Object.keys(next).every((name) => next[name] === this.props[name]);
    return !same || state.broken !== this.state.broken;
  }

  render({ row, index, total, x, y, side, height, selected, active, sharp }, { broken }) {
    this.isSharp ||= sharp;
    const label = classOf(row.label);
    const given = row.given === row.label ? null : classOf(row.given);
    const url = thumbUrl(row.id, this.isSharp ? 256 : 128);
    const isBroken = broken === url;
    return html`
      <div
        class="cell"
        role="option"
        id="cell-${row.id}"
        data-index=${index}
        data-active=${active}
        data-excluded=${Boolean(row.excluded)}
        aria-selected=${selected}
        aria-posinset=${index + 1}
        aria-setsize=${total}
        aria-label=${spoken(row, label, given, isBroken)}
        style=${{ transform: `translate(${x}px, ${y}px)`, width: `${side}px`, height: `${height}px` }}
      >
        <span class="frame" style=${{ height: `${side}px` }}>
          ${isBroken
            ? html`<${Icon} name="unreadable" />`
            : html`<img
                ref=${this.hold}
                src=${url}
                alt=""
                decoding="async"
                draggable=${false}
                onError=${() => this.setState({ broken: url })}
              />`}
          ${Boolean(row.excluded) && html`<span class="mark"><${Icon} name="exclude" /></span>`}
          ${selected && html`<span class="tick"><${Icon} name="check" /></span>`}
        </span>
        <span class="caption">
          ${label && html`<${ClassSign} place=${label.place} />`}
          ${given && html`<s>${given.name}</s><${Icon} name="arrow" />`}
          <span class="label">${label?.name}</span>
        </span>
      </div>
    `;
  }
}

/* What a screen reader says of an image. */
function spoken(row, label, given, isBroken) {
  const parts = [row.name, t("class_is", { name: label?.name ?? "" })];
  if (given) parts.push(t("was_class", { name: given.name }));
  if (row.excluded) parts.push(t("is_excluded"));
  if (isBroken) parts.push(t("cannot_be_read"));
  return listed(parts, "comma");
}
