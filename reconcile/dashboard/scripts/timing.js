// Timing.

view("timing", "Timing", (main) => {
  main.append(section("Timing"));
});
