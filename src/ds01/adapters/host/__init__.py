"""The host: folders pinned with a user's rights, cgroups, the clock."""
