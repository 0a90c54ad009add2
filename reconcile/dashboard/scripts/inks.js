// What tells the series of a chart apart: colours from the tokens of the style, and a second sign for those who see none.

const SERIES = ["--series-1", "--series-2", "--series-3", "--series-4", "--series-5", "--series-6"];
const POINTS = ["circle", "triangle", "rect", "rectRot", "cross", "star"];
const DASHES = [[], [6, 4], [2, 3], [10, 4, 2, 4], [12, 4], [4, 2]];

/** The colours of a chart as they are now: in light or in dark. A token has a colour for both, so an element is asked. */
function coloursOf(spec) {
  const probe = document.body.appendChild(el("span"));
  const read = (token) => {
    probe.style.color = `var(${token})`;
    return getComputedStyle(probe).color;
  };
  const found = {
    ink: read("--ink"), soft: read("--soft"), line: read("--line"), paper: read("--paper"), font: getComputedStyle(document.body).fontFamily,
    series: spec.series.map(({ colour }, index) => read(colour ?? SERIES[index % SERIES.length])),
  };
  probe.remove();
  return found;
}

/** What the bars of a series are filled with: the first plain, each other one with a pattern of its own. No `paper` lets see what is behind. */
function filling(index, colour, paper) {
  const hatch = HATCHES[index % HATCHES.length];
  if (!hatch) return colour;
  const tile = el("canvas", { width: 8, height: 8 });
  const pen = tile.getContext("2d");
  if (paper) {
    pen.fillStyle = paper;
    pen.fillRect(0, 0, 8, 8);
  }
  pen.globalAlpha = paper ? 0.75 : 0.4;
  pen.strokeStyle = pen.fillStyle = colour;
  pen.lineWidth = 2.5;
  pen.beginPath();
  hatch(pen);
  pen.stroke();
  return pen.createPattern(tile, "repeat");
}

/** Strokes go over the edges of a tile, so that the tiles join. */
const HATCHES = [
  null,
  (pen) => lines(pen, [-2, 2, 2, -2], [0, 8, 8, 0], [6, 10, 10, 6]),
  (pen) => [[2, 2], [6, 6]].forEach(([x, y]) => pen.fillRect(x - 1.25, y - 1.25, 3, 3)),
  (pen) => lines(pen, [0, 2, 8, 2], [0, 6, 8, 6]),
  (pen) => lines(pen, [-2, 6, 2, 10], [0, 0, 8, 8], [6, -2, 10, 2]),
  (pen) => lines(pen, [2, 0, 2, 8], [0, 4, 8, 4]),
];

function lines(pen, ...strokes) {
  for (const [fromX, fromY, toX, toY] of strokes) {
    pen.moveTo(fromX, fromY);
    pen.lineTo(toX, toY);
  }
}
