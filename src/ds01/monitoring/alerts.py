"""What is worth somebody's attention, and what she does about it. Nothing is here that nobody can act on."""

from __future__ import annotations

from ds01.monitoring.words import Alert

ALERTS = (
    Alert(
        name="Ds01Silent",
        expression="(time() - max(ds01_last_look_timestamp_seconds) > 120) or absent(ds01_last_look_timestamp_seconds)",
        lasting="2m",
        severity="critical",
        summary="ds01d has not looked at what runs for two minutes, or its metrics do not arrive.",
        todo="Containers go on; nobody gets a GPU. Look at ds01d's log and at the timer that collects its metrics.",
    ),
    Alert(
        name="Ds01GatewayOnlyWatches",
        expression="ds01_gateway_in_force == 0",
        lasting="0m",
        severity="critical",
        summary="The gateway refuses nothing: users can be root of the server.",
        todo="ds01 admin door report, then take docker.observe_until out of the limits file.",
    ),
    Alert(
        name="Ds01DiskFull",
        expression="ds01_disk_free_bytes < 1073741824",
        lasting="1m",
        severity="critical",
        summary="{{ $value | humanize1024 }}B are free on the disk of {{ $labels.place }}.",
        todo="No GPU is granted that cannot be written down. ds01 doctor says what takes the room and what can go.",
    ),
    Alert(
        name="Ds01DiskFillingUp",
        expression="ds01_disk_free_bytes / ds01_disk_total_bytes < 0.05",
        lasting="15m",
        severity="warning",
        summary="{{ $value | humanizePercentage }} of the disk of {{ $labels.place }} are free.",
        todo="ds01 doctor says what takes the room and what can go.",
    ),
    Alert(
        name="Ds01GpuFault",
        expression='ds01_slots_out_of_service{keeper=~"driver|container"} > 0',
        lasting="1m",
        severity="warning",
        summary="{{ $value }} GPUs or instances are out of service ({{ $labels.keeper }}).",
        todo="ds01 doctor says which and why; dmesg and nvidia-smi -q tell more.",
    ),
    Alert(
        name="Ds01GpuUsedOutside",
        expression='ds01_slots_out_of_service{keeper="process"} > 0',
        lasting="10m",
        severity="warning",
        summary="Processes outside DS01 use {{ $value }} GPUs or instances.",
        todo="ds01 admin foreign says whose they are and since when. DS01 ends none of them, and places nobody there.",
    ),
    Alert(
        name="Ds01GpuHot",
        expression="ds01_slot_temperature_celsius > 90",
        lasting="5m",
        severity="warning",
        summary="GPU {{ $labels.slot }} has {{ $value }} degrees.",
        todo="Look at the fans and the air of the room; ds01 admin drain lets it run empty.",
    ),
    Alert(
        name="Ds01LimitsFileBroken",
        expression="ds01_limits_file_sound == 0",
        lasting="5m",
        severity="warning",
        summary="The limits file has a mistake; the last good one is in force.",
        todo="ds01 admin limits check names every mistake with its line.",
    ),
    Alert(
        name="Ds01WarningsReachNobody",
        expression="ds01_notices_undelivered > 0",
        lasting="30m",
        severity="warning",
        summary="{{ $value }} warnings of a stop reached nobody for half an hour.",
        todo="Stops wait meanwhile. ds01 events --all --type notice says why; look at the mail server.",
    ),
    Alert(
        name="Ds01QueueWaitsForFreeGpus",
        expression='(ds01_queue_waiting > 0) and on () (sum(ds01_slots{state="free"}) > 0)',
        lasting="2h",
        severity="info",
        summary="{{ $value }} requests wait although GPUs are free.",
        todo="ds01 queue says for what: kept for a booking, one larger than what is free, or over a quota.",
    ),
    Alert(
        name="Ds01QueueLong",
        expression="ds01_queue_longest_wait_seconds > 86400",
        lasting="15m",
        severity="info",
        summary="Somebody has waited for a GPU for {{ $value | humanizeDuration }}.",
        todo="ds01 queue and ds01 usage --all --by user; ds01 simulate shows what other limits would do.",
    ),
    Alert(
        name="Ds01GpusLeasedAndIdle",
        expression="(ds01:slots:leased_ratio > 0.8) and on () (ds01:slot_utilisation:leased_avg < 0.1)",
        lasting="6h",
        severity="info",
        summary="Most GPUs are leased, and those do next to nothing.",
        todo="ds01 list --everybody shows whose; a shorter idle time in the limits file gives them back sooner.",
    ),
)
"""Every alert."""
