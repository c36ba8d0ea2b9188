"""`python -m server.cli` is `propono`."""

from server.cli import main

if __name__ == "__main__":
    main()
