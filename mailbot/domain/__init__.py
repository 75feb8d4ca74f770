"""The words of the trade as plain Python values: no library, no input, no output."""
