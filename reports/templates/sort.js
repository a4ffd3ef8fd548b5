document.querySelectorAll("table.board").forEach(function (table) {
  var said = document.createElement("p");
  said.setAttribute("aria-live", "polite");
  said.className = "skip";
  table.parentNode.after(said);
  table.querySelectorAll("thead button").forEach(function (button) {
    button.addEventListener("click", function () {
      var head = button.closest("th");
      var old = head.getAttribute("aria-sort");
      var order = old ? (old === "ascending" ? "descending" : "ascending") : head.dataset.first;
      table.querySelectorAll("thead th[aria-sort]").forEach(function (th) { th.removeAttribute("aria-sort"); });
      head.setAttribute("aria-sort", order);
      sortRows(table, head.cellIndex, order === "ascending" ? 1 : -1);
      said.textContent = "Sorted by " + button.textContent + ", " + order + ", within each section.";
    });
  });
});
function sortRows(table, column, sign) {
  Array.from(table.tBodies).forEach(function (body) {
    var rows = Array.from(body.rows).filter(function (row) { return !row.classList.contains("band"); });
    rows.sort(function (a, b) { return compare(a.cells[column].dataset.value, b.cells[column].dataset.value, sign); });
    rows.forEach(function (row) { body.appendChild(row); });
  });
}
function compare(a, b, sign) {
  if (a === "" || b === "") { return (a === "") - (b === ""); }
  var x = Number(a), y = Number(b);
  return sign * (isNaN(x) || isNaN(y) ? a.localeCompare(b) : x - y);
}
