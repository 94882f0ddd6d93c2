"""Rules as Sigma rules, and sequences as Sigma correlations; through pySigma from there to other platforms.

Source: https://sigmahq.io/docs/basics/rules.html and the Sigma specification 2.1.
"""

from contraband.export.sigma.platforms import PLATFORMS, MissingExtra, export_platform
from contraband.export.sigma.rules import SigmaRules, export_sigma, sigma_rules

__all__ = ["PLATFORMS", "MissingExtra", "SigmaRules", "export_platform", "export_sigma", "sigma_rules"]
