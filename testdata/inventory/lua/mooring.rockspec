package = "mooring"
version = "1.2.0-1"
