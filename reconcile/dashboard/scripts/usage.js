// Usage.

view("usage", "Usage", (main) => {
  main.append(section("Usage"));
});
