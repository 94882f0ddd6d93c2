"""Rules, their cases and exceptions, and what a scan with them gives. Knows no terminal and no output format."""
