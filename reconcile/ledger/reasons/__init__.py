"""Why both sides of a comparison differ: one kind of reason a module, tried on a view of both sides."""
