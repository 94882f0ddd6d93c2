"""Tree to checked query: resolves fields and functions, checks types, decides everything that is meaning."""
