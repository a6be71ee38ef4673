/* Load: an answer of the server that is asked for again whenever something has changed. */

import { useEffect, useRef, useState } from "preact/hooks";
import { call, Gone } from "../api.js";
import { onChange, oneByOne, onProgress } from "../project.js";
import { useStore } from "../store.js";
import { language } from "../words.js";

/* Return {answer, problem} of a path; nothing while the first answer is on its way.

   It is asked for at each piece of progress of a training or a prediction, too, while `isOpen` holds
   for the answer, and whenever `stamp` is another one. */
export function useAnswer(path, { isOpen = () => false, stamp = "" } = {}) {
  const [found, setFound] = useState({});
  const last = useRef(null);
  last.current = found.path === path ? found.answer : null;
  const words = useStore(language);
  useEffect(() => {
    if (!path) return undefined;
    const stop = new AbortController();
    const load = oneByOne(() =>
      call(path, { signal: stop.signal })
        .then((answer) => setFound({ path, answer, problem: "" }))
        .catch((error) => {
          if (error.name === "AbortError" || error instanceof Gone) return;
          setFound({ path, answer: null, problem: error.message });
        }),
    );
    load();
    const leave = [onChange(load), onProgress(() => last.current && isOpen(last.current) && load())];
    return () => {
      stop.abort();
      leave.forEach((end) => end());
    };
  }, [path, words, stamp]);
  return found.path === path ? found : {};
}

/* Return the end of an address that has these fields; a list gives one field for each item. */
export function query(fields) {
  const pairs = Object.entries(fields).flatMap(([name, value]) =>
    (Array.isArray(value) ? value : [value]).map((one) => [name, one]),
  );
  return new URLSearchParams(pairs.filter(([, value]) => value !== undefined && value !== "")).toString();
}
