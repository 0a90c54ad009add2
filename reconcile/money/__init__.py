"""Amounts and prices: exact decimals, usage and bills as entries, what they cost and who pays."""
