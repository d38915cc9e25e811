"""Tests of the NVML adapter, through the real nvidia-ml-py and a stand-in for the driver library."""
