"""What the doctor does beyond looking: a report that can be pasted anywhere, and mending what is one's own."""
