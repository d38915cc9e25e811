"""The life of a container without anybody's hand: warned, stopped, removed. One rule a file, one decision over them."""
