"""The repository around the runs, by the git of this machine: what is read, committed, fetched and pushed."""
