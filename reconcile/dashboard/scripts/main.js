// Everything is there: draw what the address names, now and whenever it changes.

document.getElementById("made").textContent =
  `Made ${moment(data.generated_at)} from ${plural(data.runs.length, "run")}. Figures are those of their files.`;
addEventListener("popstate", moved);
addEventListener("hashchange", moved);
document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault(); // the address stays that of the view
  document.getElementById("main").focus();
});
draw();
