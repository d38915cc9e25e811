"""What each kind of request does, one file per noun."""
