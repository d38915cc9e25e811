"""Ways to reach people: their terminals, the shells in their containers, a file, mail, a webhook."""
