/* Appearance: the theme, the size of the type and the language, before anything is painted.

A classic script, since a module runs only after the first paint. */

{
  const root = document.documentElement;
  const kept = (name) => {
    try {
      return localStorage.getItem(`convlens-${name}`);
    } catch {
      return null; // a browser may refuse to keep anything
    }
  };
  root.dataset.theme = kept("theme") || "auto";
  root.dataset.type = kept("type") || "normal";
  const chosen = kept("language") || (/^zh/i.test(navigator.language) ? "zh" : "en");
  root.lang = chosen === "zh" ? "zh-Hant-TW" : "en";
}
