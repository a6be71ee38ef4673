/* Drop: files, folders and zips that are dropped on the page or chosen. */

import { useEffect, useState } from "preact/hooks";
import { html } from "../html.js";
import { Dialog } from "../parts.js";
import { project } from "../project.js";
import { enqueue, newGroup } from "../queue.js";
import { say } from "../say.js";
import { createStore, useStore } from "../store.js";
import { count, t } from "../words.js";
import { ClassChoice } from "./class_choice.js";
import { beginImport } from "./imports.js";

const asked = createStore(null); // loose files whose class is asked for, and the other files

const isZip = ({ file }) => /\.zip$/i.test(file.name);
/* A table may have the labels of files that lie beside it. */
const isTable = ({ file }) => /\.(csv|tsv)$/i.test(file.name);
const isLoose = (one) => !one.path.includes("/") && !isZip(one);
/* What file managers leave behind. */
const isHidden = ({ path }) => /(^|\/)(\.|__MACOSX|Thumbs\.db|desktop\.ini)/i.test(path);

/* Take files, each with its path; those for a class go there one by one.

   Folders and zips beside the classes are imported, since their names may be labels. Whoever adds
   loose images thinks of a class; it is asked for, rather than guessed from the names of files. */
export function takeFiles(found, classId = null) {
  const files = found.filter((one) => !isHidden(one));
  if (!files.length) {
    say(t("no_files"));
    return;
  }
  const zips = files.filter(isZip);
  const others = files.filter((one) => !isZip(one));
  if (classId) {
    if (others.length) addFiles(others, classId);
    if (zips.length) beginImport(zips, classId);
    return;
  }
  const loose = files.some(isTable) ? [] : files.filter(isLoose);
  const labelled = files.filter((one) => !loose.includes(one));
  const before = asked.get() ?? { loose: [], labelled: [] }; // what somebody is asked about now
  if (loose.length || asked.get()) {
    asked.set({ loose: [...before.loose, ...loose], labelled: [...before.labelled, ...labelled] });
  } else beginImport(labelled);
}

function addFiles(files, classId) {
  const group = newGroup();
  enqueue(files.map(({ file }) => ({ blob: file, name: file.name, class: classId, group })));
}

/* Return the files of what was dropped, with their paths, those in folders included. */
async function filesOf(items) {
  const dropped = [...items].filter(({ kind }) => kind === "file");
  const found = dropped.map((item) => {
    const entry = item.webkitGetAsEntry();
    if (entry) return walk(entry);
    const file = item.getAsFile(); // of programs that drop an image that is no file
    return file ? [{ file, path: file.name }] : [];
  });
  return (await Promise.all(found)).flat();
}

async function walk(entry) {
  if (entry.isFile) {
    const file = await new Promise((done) => entry.file(done, () => done(null)));
    return file ? [{ file, path: entry.fullPath.replace(/^\//, "") }] : [];
  }
  const reader = entry.createReader();
  const found = [];
  for (;;) {
    const some = await new Promise((done) => reader.readEntries(done, () => done([])));
    if (!some.length) return found;
    for (const inner of some) found.push(...(await walk(inner)));
  }
}

/* Follow what is dragged over the page. Return where it would fall: null, "page" or a class. */
export function useDrop() {
  const [over, setOver] = useState(null);
  useEffect(() => {
    const target = (event) => event.target.closest?.("[data-drop-class]")?.dataset.dropClass;
    const hasFiles = (event) => [...event.dataTransfer.types].includes("Files");
    const onOver = (event) => {
      if (!hasFiles(event)) return;
      event.preventDefault();
      const may = project.get()?.may_add;
      event.dataTransfer.dropEffect = may ? "copy" : "none";
      setOver(may ? (target(event) ?? "page") : null);
    };
    const onLeave = (event) => event.relatedTarget || setOver(null);
    const onDrop = async (event) => {
      if (!hasFiles(event)) return;
      event.preventDefault();
      setOver(null);
      if (!project.get()?.may_add) {
        say(t("may_not_add"));
        return;
      }
      const classId = target(event) ?? null;
      takeFiles(await filesOf(event.dataTransfer.items), classId);
    };
    const handlers = { dragover: onOver, dragleave: onLeave, drop: onDrop };
    for (const [name, act] of Object.entries(handlers)) addEventListener(name, act);
    return () => {
      for (const [name, act] of Object.entries(handlers)) removeEventListener(name, act);
    };
  }, []);
  useEffect(() => {
    document.querySelectorAll("[data-drop-class]").forEach((card) => {
      card.classList.toggle("over", card.dataset.dropClass === over);
    });
  }, [over]);
  return over;
}

/* Ask for the class of images that lay in no folder. */
export function AskClass() {
  const now = useStore(asked);
  if (!now) return null;
  const { loose, labelled } = now;
  const close = () => {
    asked.set(null);
    if (labelled.length) beginImport(labelled); // folders and zips that came with them
  };
  const take = (classId) => {
    if (asked.get() !== now) return; // it was closed while a class was made
    addFiles(loose, classId);
    close();
  };
  return html`
    <${Dialog} title=${count("which_class", loose.length)} onClose=${close}>
      <${ClassChoice} onTake=${take} />
    <//>
  `;
}
