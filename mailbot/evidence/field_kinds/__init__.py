"""One small function a kind of field: what somebody wrote → the form in which it is kept, or why it is none."""
