"""The files of a log and what reads them: by line, or with embedded DuckDB."""
