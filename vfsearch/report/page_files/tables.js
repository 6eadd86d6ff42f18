// Tables that are sorted by the column whose heading is pressed.
const cellValue = (row, place) => {
  const cell = row.cells[place];
  const text = cell.dataset.value ?? cell.textContent.trim();
  const value = Number(text.replaceAll(",", ""));
  return text === "" || text === "-" ? NaN : Number.isNaN(value) ? text : value;
};

function compare(first, second) {
  if (typeof first === "number" && typeof second === "number") {
    return Number.isNaN(first) ? 1 : Number.isNaN(second) ? -1 : first - second;
  }
  return String(first).localeCompare(String(second), "en", { numeric: true });
}

function sortBy(table, place) {
  const headings = [...table.tHead.rows[0].cells];
  const now = headings[place].getAttribute("aria-sort");
  const next = now === "descending" || (now === "none" && place === 0) ? "ascending" : "descending";
  headings.forEach((each, number) => each.setAttribute("aria-sort", number === place ? next : "none"));
  const sign = next === "ascending" ? 1 : -1;
  const known = (row) => !Number.isNaN(cellValue(row, place));
  const rows = [...table.tBodies[0].rows].sort((first, second) => {
    if (known(first) !== known(second)) return known(first) ? -1 : 1;
    return sign * compare(cellValue(first, place), cellValue(second, place));
  });
  table.tBodies[0].append(...rows);
}

function startTables() {
  for (const table of document.querySelectorAll("table.sortable")) {
    [...table.tHead.rows[0].cells].forEach((heading, place) => {
      heading.querySelector("button").addEventListener("click", () => sortBy(table, place));
    });
  }
  for (const part of document.querySelectorAll("[data-share]")) part.style.width = 100 * part.dataset.share + "%";
}
