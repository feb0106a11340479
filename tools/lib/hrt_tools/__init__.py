"""What the project's Python tools share. Standard library only, but for the GGUF conversion."""
