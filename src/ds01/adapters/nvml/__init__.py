"""NVIDIA's GPUs through NVML. Import nothing from here unless GPUs are wanted: the library is loaded on import."""
