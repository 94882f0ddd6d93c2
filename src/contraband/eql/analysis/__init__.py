"""From a tree to a checked query: types, names, constants and limits, as the analyser and verifier of Elasticsearch have them."""
