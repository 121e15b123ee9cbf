// Before the page is printed: how much each table must shrink to fit the sheet (--fit, which print.css reads), and which are
// so narrow and short that two stand beside each other.

const SHEET = (210 - 2 * 11) * (96 / 25.4); // CSS pixels between the margins of print.css
const SMALLER = 0.72; // of a table's width there to its width on the screen: 7.5 points and less padding; measured

const HALF = 0.47; // of the sheet
const SHORT = 30; // rows, which fit a page together

addEventListener("beforeprint", () => {
  for (const table of document.querySelectorAll(".tabular table")) {
    const fit = SHEET / (table.offsetWidth * SMALLER);
    const short = table.rows.length <= SHORT;
    table.closest(".tabular").classList.toggle("half", short && fit > 1 / HALF);
    table.style.setProperty("--fit", Math.min(1, fit).toFixed(3));
  }
});
