"""Reading mail: raw bytes to headers, texts and attachments, without I/O."""
