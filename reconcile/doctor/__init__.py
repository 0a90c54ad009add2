"""Is the set-up right: the facts of it, the checks, which key is whose, and the files that a project begins with."""
