// Gap.

view("gap", "Gap", (main) => {
  main.append(section("Gap"));
});
