"""The Linux host: identities of threads, mounts, cgroups, time."""
