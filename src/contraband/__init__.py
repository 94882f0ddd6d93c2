"""Finds what installer packages smuggle in."""
