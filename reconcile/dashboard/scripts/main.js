// Everything is there: draw what the address names, now and whenever it changes.

document.getElementById("made").textContent =
  `Made ${moment(data.generated_at)} from ${plural(data.runs.length, "run")}. Figures are those of the committed files.`;
addEventListener("hashchange", () => {
  if (location.hash !== "#main") draw({ focus: true });
});
addEventListener("popstate", () => {
  if (location.hash !== "#main") draw();
});
draw();
