"""Benchmarks of whole processes beside other tools, each answer checked. See `benches/README.md`."""
