// Comparisons.

view("comparisons", "Comparisons", (main) => {
  main.append(section("Comparisons"));
});
