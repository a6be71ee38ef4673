/* Load: an answer of the server that is asked for again whenever something has changed. */

import { useEffect, useState } from "preact/hooks";
import { call, Gone } from "../api.js";
import { onChange, onProgress } from "../project.js";
import { useStore } from "../store.js";
import { language } from "../words.js";

/* Return {answer, problem} of a path; nothing while the first answer is on its way.

   With `progress`, each piece of progress of a training or a prediction is a change, too. */
export function useAnswer(path, { progress = false } = {}) {
  const [found, setFound] = useState({});
  const words = useStore(language);
  useEffect(() => {
    if (!path) return undefined;
    const stop = new AbortController();
    const load = () =>
      call(path, { signal: stop.signal })
        .then((answer) => setFound({ path, answer, problem: "" }))
        .catch((error) => {
          if (error.name === "AbortError" || error instanceof Gone) return;
          setFound({ path, answer: null, problem: error.message });
        });
    load();
    const leave = [onChange(load), ...(progress ? [onProgress(load)] : [])];
    return () => {
      stop.abort();
      leave.forEach((end) => end());
    };
  }, [path, words]);
  return found.path === path ? found : {};
}

/* Return the end of an address that has these fields; a list gives one field for each item. */
export function query(fields) {
  const pairs = Object.entries(fields).flatMap(([name, value]) =>
    (Array.isArray(value) ? value : [value]).map((one) => [name, one]),
  );
  return new URLSearchParams(pairs.filter(([, value]) => value !== undefined && value !== "")).toString();
}
