// Tables that are sorted by their headings, shown a page at a time, and downloaded as they are shown.
