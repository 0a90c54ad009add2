// One run.

view("run", "Run", (main) => {
  main.append(section("Run"));
}, { listed: false });
