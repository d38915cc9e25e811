"""What Prometheus works out and keeps: figures that several pictures and alerts need, and that are slow to ask late."""

from __future__ import annotations

from ds01.monitoring.words import Recording

RULES = (
    Recording(
        name="ds01:slots:leased_ratio",
        expression='sum(ds01_slots{state="leased"}) / sum(ds01_slots)',
        meaning="share of the GPUs and MIG instances that is leased, each counted as one",
    ),
    Recording(
        name="ds01:slot_utilisation:avg",
        expression="avg(ds01_slot_utilisation)",
        meaning="how busy the GPUs are, on average",
    ),
    Recording(
        name="ds01:slot_utilisation:leased_avg",
        expression="avg(ds01_slot_utilisation and on (slot) ds01_slot_leased == 1)",
        meaning="how busy those GPUs are that somebody has",
    ),
    Recording(
        name="ds01:slot_utilisation:avg1h",
        expression="avg_over_time(ds01_slot_utilisation[1h])",
        meaning="how busy each GPU was in the last hour",
        labels=("slot",),
    ),
    Recording(
        name="ds01:gpu_power_watts:rate5m",
        expression="rate(ds01_gpu_energy_joules_total[5m])",
        meaning="power of each GPU, from its own meter",
        labels=("gpu",),
    ),
    Recording(
        name="ds01:energy:unused_ratio1h",
        expression='sum(rate(ds01_energy_joules_total{what!="used"}[1h])) / sum(rate(ds01_energy_joules_total[1h]))',
        meaning="share of the energy of the last hour that nobody used",
    ),
    Recording(
        name="ds01:gpus_in_use:rate1h",
        expression="rate(ds01_gpu_seconds_total[1h])",
        meaning="whole GPUs in use, on average of the last hour",
    ),
    Recording(
        name="ds01:user_gpus:rate1h",
        expression="sum by (user) (rate(ds01_user_gpu_seconds_total[1h]))",
        meaning="whole GPUs each user had, on average of the last hour",
        labels=("user",),
    ),
    Recording(
        name="ds01:user_power_watts:rate5m",
        expression="sum by (user) (rate(ds01_user_energy_joules_total[5m]))",
        meaning="power of the GPUs each user has",
        labels=("user",),
    ),
)
"""Every recording rule. Those with ``user`` are empty where users' names are not collected."""
