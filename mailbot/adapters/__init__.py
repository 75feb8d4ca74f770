"""The outside world behind the flows' Protocols: mail servers, folders, files. Knows only the domain."""
