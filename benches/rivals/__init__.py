"""The other tools, each a process of its own that prints one line of JSON: `seconds` (of the query alone), `ids` or `count`."""
