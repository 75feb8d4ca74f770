"""Benchmarks on real servers: ratios within one run, printed beside what is asked; never part of the tests."""
