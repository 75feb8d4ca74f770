"""Tests of mailbot; a package, so that benchmarks can be run as modules and test names may repeat."""
