// Runs.

view("runs", "Runs", (main) => {
  main.append(section("Runs"));
});
