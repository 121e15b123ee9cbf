// The catalogue: headers that sort, a box and a list that filter.

const ORDINAL = new Intl.Collator("en", { numeric: true });

function startCatalogue(root) {
  const table = root.querySelector("table");
  const body = table.tBodies[0];
  const rows = [...body.rows];
  const text = root.querySelector("input[type=search]");
  const verdict = root.querySelector("select");
  const count = root.querySelector("[data-count]");
  const words = new Map(rows.map((row) => [row, row.dataset.words.toLowerCase()]));

  const filter = () => {
    const wanted = text.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const row of rows) {
      const fits = wanted.every((word) => words.get(row).includes(word));
      row.hidden = !(fits && (!verdict.value || row.dataset.verdict === verdict.value));
      shown += !row.hidden;
    }
    count.textContent = shown === rows.length ? `${rows.length} claims` : `${shown} of ${rows.length} claims`;
  };

  const keyOf = (row, column) => row.cells[column].dataset.key ?? row.cells[column].textContent.trim();
  const compare = (a, b, numeric) => {
    if (!numeric) return ORDINAL.compare(a, b);
    const [x, y] = [a, b].map((key) => (key === "" ? Infinity : Number(key)));
    return x === y ? 0 : x < y ? -1 : 1;
  };
  const sort = (header) => {
    const falling = header.getAttribute("aria-sort") === "ascending";
    const column = header.cellIndex;
    const numeric = header.dataset.kind === "number";
    table.querySelectorAll("th[aria-sort]").forEach((other) => other.setAttribute("aria-sort", "none"));
    header.setAttribute("aria-sort", falling ? "descending" : "ascending");
    const sign = falling ? -1 : 1;
    const ordered = [...rows].sort((a, b) => sign * compare(keyOf(a, column), keyOf(b, column), numeric));
    body.append(...ordered);
  };

  text.addEventListener("input", filter);
  verdict.addEventListener("change", filter);
  table.querySelectorAll("th[aria-sort] button").forEach((button) => {
    button.addEventListener("click", () => sort(button.closest("th")));
  });
  root.querySelector("[data-action=witnesses]").addEventListener("click", (event) => {
    const open = event.currentTarget.getAttribute("aria-pressed") !== "true";
    event.currentTarget.setAttribute("aria-pressed", String(open));
    root.querySelectorAll("details").forEach((details) => (details.open = open));
  });
  filter();
}

document.querySelectorAll("[data-catalogue]").forEach(startCatalogue);
