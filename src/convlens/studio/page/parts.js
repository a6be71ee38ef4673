/* Parts: buttons, dialogs and fields that all rooms use. */

import { useId, useLayoutEffect, useRef, useState } from "preact/hooks";
import { html } from "./html.js";
import { Icon } from "./icons.js";
import { t } from "./words.js";

/* A button that shows an icon and says its name to those who do not see it, and as a hint. */
export const IconButton = ({ icon, label, class: kind = "", ...rest }) => html`
  <button type="button" class="icon-button ${kind}" title=${label} aria-label=${label} ...${rest}>
    <${Icon} name=${icon} />
  </button>
`;

/* Return a handler that does something once: nothing more while that is under way. */
export function useOnce(act) {
  const isUnderWay = useRef(false);
  return async (event) => {
    if (isUnderWay.current) return;
    isUnderWay.current = true;
    try {
      await act(event);
    } finally {
      isUnderWay.current = false;
    }
  };
}

/* The sign of a class: its number, in its colour. */
export const ClassSign = ({ place }) => html`
  <span class="class-sign" data-colour=${place % 8} aria-hidden="true">${place + 1}</span>
`;

/* A dialog over the page; Escape and the button close it. */
export function Dialog({ title, onClose, children, class: kind = "" }) {
  const dialog = useRef(null);
  const id = useId();
  useLayoutEffect(() => {
    // At once, so that the next key that is pressed already belongs to the dialog.
    const opener = document.activeElement;
    const opened = dialog.current;
    opened.showModal();
    return () => {
      opened.close();
      opener?.focus?.();
    };
  }, []);
  return html`
    <dialog
      ref=${dialog}
      class="dialog ${kind}"
      aria-labelledby=${id}
      onCancel=${(event) => {
        event.preventDefault();
        onClose();
      }}
    >
      <header>
        <h2 id=${id}>${title}</h2>
        <${IconButton} icon="close" label=${t("close")} onClick=${onClose} />
      </header>
      ${children}
    </dialog>
  `;
}

/* A field for a name with a button; what the server refuses is said below it.

   onName gets the name and returns a line that says what is wrong, or nothing. */
export function NameField({ label, button, value = "", hint, onName, onCancel, focus, icon }) {
  const [name, setName] = useState(value);
  const [problem, setProblem] = useState("");
  const field = useRef(null);
  const asked = useRef(""); // the name that waits for an answer
  const id = useId();
  useLayoutEffect(() => {
    if (!focus) return;
    field.current.focus();
    field.current.select();
  }, []);
  const submit = async (event) => {
    event.preventDefault();
    if (!name.trim()) {
      setProblem(t("name_missing"));
      field.current.focus();
      return;
    }
    if (asked.current === name) return; // the key Enter was pressed twice
    asked.current = name;
    const wrong = await onName(name.trim());
    if (asked.current === name) asked.current = "";
    setProblem(wrong || "");
    if (wrong) field.current?.focus();
    else if (!value) setName((now) => (now === name ? "" : now)); // the next one may be typed already
  };
  const onKeyDown = (event) => {
    if (event.key !== "Escape" || !onCancel) return;
    event.stopPropagation();
    onCancel();
  };
  return html`
    <form class="name-field" onSubmit=${submit} onKeyDown=${onKeyDown} novalidate>
      <label for=${id}>${label}</label>
      <div class="with-button">
        <input
          id=${id}
          ref=${field}
          type="text"
          autocomplete="off"
          placeholder=${hint}
          value=${name}
          aria-invalid=${problem ? "true" : "false"}
          aria-describedby=${problem ? `${id}-problem` : null}
          onInput=${(event) => setName(event.target.value)}
        />
        <button class="button primary">${icon && html`<${Icon} name=${icon} />`}${button}</button>
        ${onCancel &&
        html`<button type="button" class="button" onClick=${onCancel}>${t("cancel")}</button>`}
      </div>
      ${problem && html`<p class="problem" id="${id}-problem" role="alert">${problem}</p>`}
    </form>
  `;
}

/* A button that opens files or a folder of this computer. */
export function FilesButton({ label, icon, folder = false, accept, capture, onFiles, class: kind = "", iconOnly }) {
  const input = useRef(null);
  const chosen = (event) => {
    const files = [...event.target.files];
    event.target.value = ""; // the same files can be chosen again
    if (files.length) onFiles(files);
  };
  return html`
    <button
      type="button"
      class=${kind || "button"}
      title=${iconOnly ? label : null}
      aria-label=${iconOnly ? label : null}
      onClick=${() => input.current.click()}
    >
      <${Icon} name=${icon} />${!iconOnly && label}
    </button>
    <input
      ref=${input}
      type="file"
      class="hidden-input"
      hidden
      multiple
      accept=${accept}
      capture=${capture}
      webkitdirectory=${folder}
      aria-label=${label}
      onChange=${chosen}
    />
  `;
}

/* A button that opens a short list of actions. */
export function Menu({ label, actions }) {
  const [open, setOpen] = useState(false);
  const place = useRef(null);
  useLayoutEffect(() => {
    if (!open) return undefined;
    place.current.querySelector("[role=menuitem]").focus();
    const outside = (event) => place.current.contains(event.target) || setOpen(false);
    document.addEventListener("pointerdown", outside);
    return () => document.removeEventListener("pointerdown", outside);
  }, [open]);
  const onKeyDown = (event) => {
    if (!open) return;
    const items = [...place.current.querySelectorAll("[role=menuitem]")];
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) {
      const now = items.indexOf(document.activeElement);
      items[(now + step + items.length) % items.length].focus();
      event.preventDefault();
    }
    if (event.key === "Tab") setOpen(false);
    if (event.key !== "Escape") return;
    event.stopPropagation();
    setOpen(false);
    place.current.querySelector("button").focus();
  };
  return html`
    <div class="menu" ref=${place} onKeyDown=${onKeyDown}>
      <${IconButton}
        icon="more"
        label=${label}
        aria-haspopup="menu"
        aria-expanded=${open}
        onClick=${() => setOpen(!open)}
      />
      ${open &&
      html`<div role="menu" aria-label=${label}>
        ${actions.map(
          ({ text, icon, act }) => html`
            <button
              type="button"
              role="menuitem"
              tabindex="-1"
              onClick=${() => {
                setOpen(false);
                place.current.querySelector("button").focus();
                act();
              }}
            >
              <${Icon} name=${icon} />${text}
            </button>
          `,
        )}
      </div>`}
    </div>
  `;
}
