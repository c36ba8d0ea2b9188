"""Generated from proto/propono/v1 by `make wire`; never edited."""
