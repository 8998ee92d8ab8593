"""What developers run: code generation and checks that no library offers."""
