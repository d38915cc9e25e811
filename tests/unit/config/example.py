"""The limits file of the design, word by word, with its three open places filled in."""

EXAMPLE = """\
defaults:
  gpus: {max: 1, per_container: 1, mig: allowed}     # max in GPU-equivalents (decimal), per_container in slots
  containers: 3
  cpus: 8
  memory: 32G
  swap: 0
  shm: 8G
  pids: 4096
  disk: {workspace: 100G, images: 60G}
  runtime: 24h            # null = no limit; counts running time, over restarts too
  idle: 30m               # GPU containers only
  gpu_hold: 15m           # after stop
  container_hold: 7d      # after stop; null = for ever
  priority: 0
  lead: 15m               # warning before any automatic stop
  stop_grace: 60s
groups:
  student:    {members: ["*"], gpus: {max: 2, per_container: 2}}
  researcher: {unix_groups: [phd, staff], gpus: {max: 4, per_container: 3}, containers: 5, cpus: 16, memory: 64G,
               runtime: 48h, idle: 1h}
  faculty:    {unix_groups: [prof], gpus: {max: 4, per_container: 4}, containers: 5, cpus: 32, memory: 128G,
               runtime: 72h, idle: 2h}
  admin:      {unix_groups: [ds01-admin], admin: true, gpus: {max: null, per_container: null}, containers: 10}
users:
  alice@lab.lan: {idle: 4h}
doors:                    # how the container came to be
  devcontainer: {idle: null, runtime: 7d, stop_grace: 30s}
  compose:      {runtime: 3d, stop_grace: 45s}
  docker:       {runtime: 2d}
  job:          {idle: null}
policy:
  idle: {gpu_below: 5%, cpu_below: 2%, network_below: 1MB, window: 10m, start_grace: 30m}
  busy: {above: 80%, idle_times: 0.5}        # high demand shortens idle
  keep_alive: {max: 24h}
exemptions:
  - {user: bob, from: [idle, runtime], until: 2026-12-20T18:00Z, reason: "thesis deadline"}
aggregate:                # per user over all containers: cgroup slice ds01-u<uid>.slice
  student: {cpus: 24, memory: 96G, pids: 12288}
gpus:
  source: auto            # auto | nvml | simulated
  simulated: [a100-40gb, a100-40gb, "a100-40gb: 3g.20gb 2g.10gb 2g.10gb", a100-40gb]
  attach: auto            # cdi | nvidia | simulated
images:
  bases: {pytorch: {reference: "docker.io/pytorch/pytorch:2.5.1", cuda: "12.4"}, minimal: {description: "ours"}}
  registries: [docker.io, "registry.lab:5000"]
  protected: ["ds01/*", "lab/*"]
  ca: /etc/ssl/certs/lab.pem
  build_env: {HTTPS_PROXY: "http://proxy.lab:3128"}
shares: [/data/sets]
"""
