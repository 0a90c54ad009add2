// How all runs stand.

view("", "Board", (main) => {
  main.append(section("Board"));
});
