// Light or dark: the system's until the reader chooses; the choice is kept where the browser allows it.

const KEY = "theme";

function startTheme(button) {
  const system = matchMedia("(prefers-color-scheme: dark)");
  const kept = () => {
    try {
      return localStorage.getItem(KEY);
    } catch {
      return null;
    }
  };
  let chosen = kept();
  const apply = () => {
    const theme = chosen ?? (system.matches ? "dark" : "light");
    document.documentElement.dataset.theme = theme;
    button.setAttribute("aria-pressed", String(theme === "dark"));
    document.dispatchEvent(new Event("themechange"));
  };
  button.addEventListener("click", () => {
    chosen = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
    try {
      localStorage.setItem(KEY, chosen);
    } catch {
      // the choice lasts as long as the page
    }
    apply();
  });
  system.addEventListener("change", apply);
  apply();
}

startTheme(document.querySelector("[data-action=theme]"));

// A drawing as a file of its own: the colours of light paper, which every program knows.
function plain(drawing) {
  const text = new XMLSerializer().serializeToString(drawing).replace(/light-dark\((#\w+),\s*#\w+\)/g, "$1");
  return `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
}

document.querySelectorAll("a[data-save-image]").forEach((link) => {
  link.addEventListener("click", () => {
    const figure = link.closest("figure");
    link.href = figure.querySelector("img")?.src ?? plain(figure.querySelector("svg"));
  });
});
