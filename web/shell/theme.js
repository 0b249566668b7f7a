// Light and dark: the system's choice until a person has made one.

const dark = matchMedia("(prefers-color-scheme: dark)");

/** @returns {"light" | "dark"} */
export function firstTheme() {
  const kept = localStorage.getItem("theme");
  return kept === "light" || kept === "dark" ? kept : dark.matches ? "dark" : "light";
}

/** @param {"light" | "dark"} theme */
export function keepTheme(theme) {
  localStorage.setItem("theme", theme);
}

/** @param {"light" | "dark"} theme */
export function wearTheme(theme) {
  document.documentElement.dataset.theme = theme;
}

/** Call when the system's theme changes and nobody has chosen one. @param {(theme: "light" | "dark") => void} wear */
export function followSystem(wear) {
  dark.addEventListener("change", () => {
    if (localStorage.getItem("theme") === null) wear(firstTheme());
  });
}
