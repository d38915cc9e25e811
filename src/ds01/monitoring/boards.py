"""What is drawn: the server at a glance, who uses it, each GPU, and whether DS01 itself is well."""

from __future__ import annotations

from ds01.monitoring.words import Board, Panel, Query, Variable

_FREE = Query(expression='sum(ds01_slots{state="free"})', legend="free")

OVERVIEW = Board(
    uid="ds01-overview",
    title="DS01: overview",
    about="What the server does, and who has to wait.",
    panels=(
        Panel(title="GPUs free", about="GPUs and MIG instances anybody may have now", kind="stat", width=4,
              queries=(_FREE,)),
        Panel(title="Leased", about="share of the GPUs that somebody has", kind="stat", unit="percentunit", width=4,
              queries=(Query(expression="ds01_leased_share", legend="leased"),), steps=(0.8, 0.95)),
        Panel(title="Busy", about="how much the GPUs do, on average", kind="stat", unit="percentunit", width=4,
              queries=(Query(expression="ds01:slot_utilisation:avg", legend="busy"),)),
        Panel(title="Waiting", about="requests that wait for GPUs", kind="stat", width=4,
              queries=(Query(expression="ds01_queue_waiting", legend="waiting"),), steps=(5, 20)),
        Panel(title="Longest wait", about="of those who wait now", kind="stat", unit="s", width=4,
              queries=(Query(expression="ds01_queue_longest_wait_seconds", legend="longest"),), steps=(14400, 86400)),
        Panel(title="Running", about="containers that run", kind="stat", width=4,
              queries=(Query(expression='ds01_containers{state="running"}', legend="running"),)),
        Panel(title="GPUs by state", about="free, leased, or out of service", stacked=True,
              queries=(Query(expression="sum by (state) (ds01_slots)", legend="{{state}}"),)),
        Panel(title="Leased and busy", about="what is leased against what it does", unit="percentunit", most=1,
              queries=(Query(expression="ds01_leased_share", legend="leased"),
                       Query(expression="ds01:slot_utilisation:leased_avg", legend="busy, of those leased"))),
        Panel(title="GPUs in use", about="whole GPUs that somebody had, on average of an hour",
              queries=(Query(expression="ds01:gpus_in_use:rate1h", legend="in use"),)),
        Panel(title="The queue", about="how many wait, over time",
              queries=(Query(expression="ds01_queue_waiting", legend="waiting"),)),
        Panel(title="Power of the GPUs", about="from their own meters", unit="watt", stacked=True,
              queries=(Query(expression="ds01:gpu_power_watts:rate5m", legend="GPU {{gpu}}"),)),
        Panel(title="Energy by use", about="used, idle, or drawn while ds01d was down", unit="watt", stacked=True,
              queries=(Query(expression="sum by (what) (rate(ds01_energy_joules_total[5m]))", legend="{{what}}"),)),
        Panel(title="Energy nobody used", about="share of the last hour's", unit="percentunit", most=1,
              queries=(Query(expression="ds01:energy:unused_ratio1h", legend="unused"),)),
    ),
)  # fmt: skip

USERS = Board(
    uid="ds01-users",
    title="DS01: users",
    about="Who has what. Empty unless metrics are collected with --people.",
    variables=(Variable(name="user", metric="ds01_user_gpus", label="user"),),
    panels=(
        Panel(title="GPUs now", about="whole GPUs each has leased", kind="bargauge",
              queries=(Query(expression='ds01_user_gpus{user=~"$user"} > 0', legend="{{user}}"),)),
        Panel(title="Waiting now", about="requests of each that wait", kind="bargauge",
              queries=(Query(expression='ds01_user_waiting{user=~"$user"} > 0', legend="{{user}}"),)),
        Panel(title="GPUs over time", about="whole GPUs each has leased", stacked=True,
              queries=(Query(expression='ds01_user_gpus{user=~"$user"}', legend="{{user}}"),)),
        Panel(title="GPUs had, on average of an hour", about="from the account of what was used", stacked=True,
              queries=(Query(expression='ds01:user_gpus:rate1h{user=~"$user"}', legend="{{user}}"),)),
        Panel(title="Power", about="of the GPUs each has", unit="watt", stacked=True,
              queries=(Query(expression='ds01:user_power_watts:rate5m{user=~"$user"}', legend="{{user}}"),)),
        Panel(title="Processors", about="cores that are busy for each", stacked=True,
              queries=(Query(expression='rate(ds01_user_cpu_seconds_total{user=~"$user"}[5m])', legend="{{user}}"),)),
        Panel(title="GPU hours", about="had in the time shown", unit="h", kind="bargauge",
              queries=(Query(expression='increase(ds01_user_gpu_seconds_total{user=~"$user"}[$__range]) / 3600',
                             legend="{{user}}"),)),
        Panel(title="Running containers", about="of each",
              queries=(Query(expression='ds01_user_containers{user=~"$user"}', legend="{{user}}"),)),
    ),
)  # fmt: skip

GPUS = Board(
    uid="ds01-gpus",
    title="DS01: GPUs",
    about="Each GPU and MIG instance.",
    variables=(Variable(name="slot", metric="ds01_slot_leased", label="slot"),),
    panels=(
        Panel(title="Busy", about="utilisation; unknown where the driver says nothing", unit="percentunit", most=1,
              width=24, queries=(Query(expression='ds01_slot_utilisation{slot=~"$slot"}', legend="GPU {{slot}}"),)),
        Panel(title="Busy in the last hour", about="on average", kind="bargauge", unit="percentunit", most=1,
              queries=(Query(expression='ds01:slot_utilisation:avg1h{slot=~"$slot"}', legend="GPU {{slot}}"),)),
        Panel(title="Leased", about="1 when somebody has it",
              queries=(Query(expression='ds01_slot_leased{slot=~"$slot"}', legend="GPU {{slot}}"),)),
        Panel(title="Memory in use", about="on the GPU", unit="bytes",
              queries=(Query(expression='ds01_slot_memory_bytes{slot=~"$slot"}', legend="GPU {{slot}}"),)),
        Panel(title="Temperature", about="an alert comes at 90", unit="celsius", steps=(80, 90),
              queries=(Query(expression='ds01_slot_temperature_celsius{slot=~"$slot"}', legend="GPU {{slot}}"),)),
        Panel(title="Power", about="of whole GPUs, from their meters", unit="watt", width=24, stacked=True,
              queries=(Query(expression="ds01:gpu_power_watts:rate5m", legend="GPU {{gpu}}"),)),
    ),
)  # fmt: skip

HEALTH = Board(
    uid="ds01-health",
    title="DS01: health",
    about="Whether DS01 itself is well.",
    panels=(
        Panel(title="Last look", about="how long ago ds01d looked at what runs", kind="stat", unit="s", width=6,
              queries=(Query(expression="time() - max(ds01_last_look_timestamp_seconds)", legend="ago"),),
              steps=(60, 120)),
        Panel(title="Gateway in force", about="1, or 0 when it only watches", kind="stat", width=6,
              queries=(Query(expression="ds01_gateway_in_force", legend="in force"),)),
        Panel(title="Limits file", about="1 when it is in force as it is", kind="stat", width=6,
              queries=(Query(expression="ds01_limits_file_sound", legend="sound"),)),
        Panel(title="Version", about="of ds01d, and whether its GPUs are simulated", kind="stat", width=6,
              queries=(Query(expression="ds01_info", legend="{{version}}, simulated: {{simulated}}"),)),
        Panel(title="Out of service", about="GPUs and instances, by who says so", steps=(1, 2),
              queries=(Query(expression="ds01_slots_out_of_service", legend="{{keeper}}"),)),
        Panel(title="Warnings", about="that stand, and that reached nobody yet",
              queries=(Query(expression="ds01_notices_open", legend="stand"),
                       Query(expression="ds01_notices_undelivered", legend="reached nobody"))),
        Panel(title="Containers by state", about="of everybody", stacked=True,
              queries=(Query(expression="sum by (state) (ds01_containers)", legend="{{state}}"),)),
        Panel(title="Leases by state", about="reserved ones wait for their container", stacked=True,
              queries=(Query(expression="sum by (state) (ds01_leases)", legend="{{state}}"),)),
        Panel(title="Disks", about="share that is free; alerts come at 5% and at 1 GiB", unit="percentunit", most=1,
              queries=(Query(expression="ds01_disk_free_bytes / ds01_disk_total_bytes", legend="{{place}}"),)),
        Panel(title="Events", about="recorded in a second",
              queries=(Query(expression="rate(ds01_events_total[5m])", legend="events"),)),
    ),
)  # fmt: skip

BOARDS = (OVERVIEW, USERS, GPUS, HEALTH)
"""Every dashboard."""
