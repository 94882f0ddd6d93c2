"""`python -m contraband`: the same program, where its entry point is not on the path."""

from contraband.cli import main

main()
