"""Is what we need here? Fields from text, documents from files, both held against what a request asks for."""
