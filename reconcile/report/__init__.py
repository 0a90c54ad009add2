"""What is shown to people: text for a terminal, Markdown, CSV, the lines of a job's log, and the dashboard page."""
