"""The demo: embedded mail servers, sample customers and a sample agent around the real daemon."""
