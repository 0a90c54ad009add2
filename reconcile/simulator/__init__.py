"""A provider on this machine: made-up calls of known truth, its usage API over HTTP, and what may go wrong with it."""
