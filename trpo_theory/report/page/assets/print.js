// Before the page is printed: how much each table must shrink to fit the sheet (--fit, which print.css reads).

const SHEET = (210 - 2 * 12) * (96 / 25.4); // CSS pixels between the margins of print.css
const SMALLER = 0.72; // of a table's width there to its width on the screen: 7.5 points and less padding; measured

addEventListener("beforeprint", () => {
  for (const table of document.querySelectorAll(".tabular table")) {
    const fit = SHEET / (table.offsetWidth * SMALLER);
    table.style.setProperty("--fit", Math.min(1, fit).toFixed(3));
  }
});
